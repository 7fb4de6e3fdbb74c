package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"github.com/numcache/numcache/array"
)

// Entry is a stored call as the name of its record's file tells of it: the record
// was not read, and may be damaged.
type Entry struct {
	Key               array.Digest
	Function, Version string    // as the folders name them, which is cut where it is long
	Bytes             int64     // of the record, without its results
	Used              time.Time // see [Record.Used]

	name string // of the record's file
}

// Entries yields the calls in the folder in the order of [Cache.Records], and reads
// none of them, which takes a fourth of the time. An error ends it.
func (c *Cache) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return c.entries(ctx, callsFolder)
}

// EntriesOf is [Cache.Entries] of one function, in all versions.
func (c *Cache) EntriesOf(ctx context.Context, function string) iter.Seq2[Entry, error] {
	return c.entries(ctx, callsFolder+"/"+segment(function))
}

func (c *Cache) entries(ctx context.Context, folder string) iter.Seq2[Entry, error] {
	ctx = orBackground(ctx)
	return func(yield func(Entry, error) bool) {
		if c == nil {
			yield(Entry{}, ErrNil)
			return
		}
		s, release := c.use()
		defer release()
		if s == nil {
			return
		}
		for info, err := range s.List(ctx, folder) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Entry{}, &Error{"list", folder, err})
				return
			}
			function, version, key := callOf(info.Name)
			if !isRecord(info.Name) || key == (array.Digest{}) {
				continue // no name of a record
			}
			if !yield(Entry{key, function, version, info.Size, info.Modified, info.Name}, nil) {
				return
			}
		}
	}
}

// EntryOf returns the entry of the call with the given key, to be read with
// [Cache.ReadEntry], whether the cache holds it or not.
func (c *Cache) EntryOf(function, version string, key array.Digest) Entry {
	return Entry{Key: key, Function: function, Version: version, name: recordName(function, version, key)}
}

// ReadEntry reads the record of an entry, whether or not its results are still there.
// One that is no longer there is [ErrNotFound]; one that is damaged is left where it is.
func (c *Cache) ReadEntry(ctx context.Context, e Entry) (*Record, error) {
	if c == nil {
		return nil, ErrNil
	}
	s, release := c.use()
	defer release()
	if s == nil || e.name == "" {
		return nil, &Error{"read", e.name, ErrNotFound}
	}
	r, err := c.recordAt(orBackground(ctx), s, e.name)
	if errors.Is(err, fs.ErrNotExist) {
		err = &Error{"read", e.name, fmt.Errorf("%w: %w", ErrNotFound, fs.ErrNotExist)}
	}
	return r, err
}

// ObjectInfo describes an array that the folder holds.
type ObjectInfo struct {
	ArrayInfo
	Bytes      int64 // of its file
	Compressed bool
}

// StatObject tells of the array with the given digest what the header of its file says,
// and reads no element. One that the cache does not hold is [ErrNotFound]; one whose
// header is damaged is [ErrDamaged] and left where it is.
func (c *Cache) StatObject(ctx context.Context, digest array.Digest) (ObjectInfo, error) {
	if c == nil {
		return ObjectInfo{}, ErrNil
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	if s == nil {
		return ObjectInfo{}, &Error{"stat", objectName(digest), ErrNotFound}
	}
	info, err := statObject(ctx, s, digest)
	if err == nil {
		h, headerErr := objectHeader(ctx, s, info.Name)
		if err = headerErr; err == nil {
			return ObjectInfo{ArrayInfo{digest, h.DType, h.Shape}, info.Size, isPacked(info.Name)}, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = &Error{"stat", objectName(digest), ErrNotFound}
	}
	return ObjectInfo{}, err
}
