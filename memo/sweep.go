package memo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/numcache/numcache/array"
)

const (
	// sweepGrace is the age from which on an object without a record is nobody's:
	// a writer puts the objects of an entry before its record.
	sweepGrace = 5 * time.Minute
	// sweepInterval and fewEntries say when an eviction sweeps first: it reads
	// every record.
	sweepInterval = time.Hour
	fewEntries    = 10_000
)

// sweepPays reports whether it is worth while to look for objects without a record
// before entries are evicted.
func (col *collection) sweepPays() bool {
	return col.left.entries <= fewEntries || !recent(col.swept, col.now, sweepInterval)
}

// sweep removes the objects that no record refers to: of entries that were forgotten
// or refreshed, of writers that were killed. So are files of theirs that have no name
// yet.
func (col *collection) sweep(ctx context.Context) error {
	referenced, err := col.references(ctx)
	if err != nil {
		return err
	}
	for info, err := range col.s.List(ctx, objectsFolder) {
		if err != nil {
			return &Error{"list", objectsFolder, err}
		}
		col.look()
		digest, ok := objectOf(info.Name)
		if _, found := slices.BinarySearch(referenced, short(digest)); !ok || found || recent(info.Modified, col.now, sweepGrace) {
			continue
		}
		if info.Modified.After(col.now) {
			// It may be fresh, by the clock of the writer: its grace begins now.
			if err := col.freshen(ctx, info.Name); err != nil {
				return err
			}
			continue
		}
		if err := col.removeObject(ctx, info); err != nil {
			return err
		}
	}
	if !col.dryRun {
		freed, err := col.s.Sweep(ctx, col.now)
		col.removed.Bytes += freed
		if err != nil {
			return &Error{"sweep", stagingFolder, err}
		}
	}
	col.swept = col.now
	return nil
}

// freshen sets the time of a file to now. One that is gone needs none.
func (col *collection) freshen(ctx context.Context, name string) error {
	if col.dryRun {
		return nil
	}
	if err := col.s.Freshen(ctx, name, col.now); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{"freshen", name, err}
	}
	return nil
}

// short is a part of a digest, enough to tell whether an object is referred to: two
// digests that share it mean an object that stays.
func short(d array.Digest) uint64 { return binary.BigEndian.Uint64(d[:8]) }

// references returns the arrays that records refer to, in short and sorted: eight
// bytes each.
func (col *collection) references(ctx context.Context) (referenced []uint64, err error) {
	for info, err := range col.s.List(ctx, callsFolder) {
		if err != nil {
			return nil, &Error{"list", callsFolder, err}
		}
		col.look()
		if !isRecord(info.Name) {
			continue
		}
		raw, _, err := col.s.Get(ctx, info.Name, maxRecord)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, &Error{"read", info.Name, err}
		case !strings.HasPrefix(string(raw[:min(len(raw), 16)]), fmt.Sprintf(`{"format":%d,`, format)) && unseal(raw):
			// What a later format refers to is not known here.
			return nil, &Error{"read", info.Name, fmt.Errorf("%w: its objects are not known, so that none is removed; use a newer numcache", ErrFormat)}
		}
		for _, digest := range objectDigests(raw) {
			referenced = append(referenced, short(digest))
		}
	}
	slices.Sort(referenced)
	return slices.Compact(referenced), nil
}
