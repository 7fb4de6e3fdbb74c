package memo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/npy"
)

// load returns the results of a cached call, which belong to the caller. Where
// there are none, or none that can be trusted, the error says why; a damaged file
// was put aside then.
func (c *Cache) load(ctx context.Context, want *request) ([]reflect.Value, *Record, error) {
	k := want.key
	s, release := c.use()
	defer release()
	if s == nil {
		return nil, nil, fs.ErrNotExist
	}
	r, err := c.readRecord(ctx, s, k)
	if err != nil {
		return nil, nil, c.aside(ctx, s, err)
	}
	if c.rejects(want, r) {
		return nil, nil, errInvalid
	}
	d := resultDecoder{load: func(ref arrayRef) (array.Any, error) { return c.object(ctx, s, k, ref, r.checkOf(ref.Digest)) }}
	values, err := d.results(r.Results, want.types)
	if err == nil {
		c.touch(ctx, s, r)
	}
	return values, r, err
}

// object reads an array of a call's results. Where the file that it looks into is
// damaged, and put aside, the other form that an object can have may be intact.
func (c *Cache) object(ctx context.Context, s store.Store, k Key, ref arrayRef, check contentCheck) (array.Any, error) {
	a, err := readObject(ctx, s, ref, true, check)
	if err = c.aside(ctx, s, err); !errors.Is(err, ErrDamaged) {
		return a, err
	}
	if other, otherErr := readObject(ctx, s, ref, true, check); otherErr == nil {
		c.fault(k, err)
		return other, nil
	}
	return a, err
}

// aside puts the file away that err is about, if err says that it is damaged or no
// file at all, and returns err.
func (c *Cache) aside(ctx context.Context, s store.Store, err error) error {
	var about *Error
	if errors.As(err, &about) && (errors.Is(err, ErrDamaged) || errors.Is(err, store.ErrForeign)) {
		if moveErr := s.Quarantine(ctx, about.Path); moveErr != nil {
			return errors.Join(err, moveErr)
		}
	}
	return err
}

// readRecord reads and checks the record of a call.
func (c *Cache) readRecord(ctx context.Context, s store.Store, k Key) (*Record, error) {
	name := recordName(k.function, k.version, k.Digest())
	r, err := c.recordAt(ctx, s, name)
	if err == nil && (r.Function != k.function || r.Version != k.version) { // file names may not tell
		return nil, &Error{"read", name, fmt.Errorf("%w: it is the record of another call", ErrDamaged)}
	}
	return r, err
}

// save publishes an entry: the objects first, the record, which makes it
// visible, last. They get one time of modification, by which eviction knows which
// objects no later entry uses.
func (c *Cache) save(ctx context.Context, k Key, results *stored, created time.Time, took time.Duration) error {
	s, release := c.use()
	defer release()
	if s == nil {
		return nil
	}
	if err := c.options.Limits.admit(results); err != nil {
		return &Error{"write", recordName(k.function, k.version, k.Digest()), err}
	}
	added, err := c.publish(ctx, s, k, results, created, took)
	return errors.Join(err, c.enforce(ctx, s, added)) // also where there was no room for it
}

// publish writes an entry's files, and returns what that added to the folder.
func (c *Cache) publish(ctx context.Context, s store.Store, k Key, results *stored, created time.Time, took time.Duration) (added usage, err error) {
	name := recordName(k.function, k.version, k.Digest())
	text, err := c.signer.sign(appendRecord(nil, k, results.json, created, took), results.objects)
	if err != nil {
		return added, &Error{"write", name, err}
	}
	text = seal(text)
	if len(text) > maxRecord {
		return added, &Error{"write", name, fmt.Errorf("%w: a record of %d bytes, more than are read; return arrays, or one string", ErrUnsupported, len(text))}
	}
	record := store.NewBlob{Name: name, Size: -1, Write: func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}}
	if err := c.publishTables(ctx, s, k, created, &added); err != nil {
		return added, err
	}
	options := store.PutOptions{Durable: c.options.Sync.durable(took), Modified: created}
	err = errors.ErrUnsupported
	if together, ok := s.(store.Together); ok && options.Durable {
		err = c.putTogether(ctx, s, together, results.objects, record, created, &added)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = c.putInTurn(ctx, s, k, results.objects, record, options, &added)
	}
	if err == nil {
		added = added.plus(usage{int64(len(text)), 1})
	}
	return added, err
}

// putTogether publishes an entry's objects and its record, all durable.
func (c *Cache) putTogether(ctx context.Context, s store.Store, together store.Together, objects []object, record store.NewBlob, created time.Time, added *usage) error {
	blobs := make([]store.NewBlob, 0, len(objects)+1)
	written := make([]int64, len(objects))
	for i, o := range objects {
		blobs = append(blobs, c.objectBlob(ctx, s, o, &written[i]))
	}
	name, err := together.PutTogether(ctx, append(blobs, record), created)
	if err != nil {
		return &Error{"write", name, err}
	}
	for _, n := range written {
		added.bytes += n
	}
	return nil
}

// putInTurn publishes an entry's objects, and then its record.
func (c *Cache) putInTurn(ctx context.Context, s store.Store, k Key, objects []object, record store.NewBlob, options store.PutOptions, added *usage) error {
	for _, o := range objects {
		written, err := c.putObject(ctx, s, k, o, options)
		if err != nil {
			return err
		}
		added.bytes += written
	}
	if err := s.Put(ctx, record.Name, options, record.Write); err != nil {
		return &Error{"write", record.Name, err}
	}
	return nil
}

// publishTables writes the chunk tables that the record will name. None is worth a sync:
// without it, a miss is explained in fewer words.
func (c *Cache) publishTables(ctx context.Context, s store.Store, k Key, created time.Time, added *usage) error {
	for _, t := range k.tables() {
		o := tableObject(t)
		if c.signer != nil {
			h, err := hashSource(ctx, o.source, true)
			if err != nil {
				return err
			}
			o.content = h.content()
		}
		written, err := c.putObject(ctx, s, k, o, store.PutOptions{Modified: created})
		if err != nil {
			return err
		}
		added.bytes += written
	}
	return nil
}

// objectBlob is the blob of an array. When it is written, written has its length.
func (c *Cache) objectBlob(ctx context.Context, s store.Store, o object, written *int64) store.NewBlob {
	b := store.NewBlob{Name: objectName(o.digest), Size: o.fileSize()}
	write := func(w io.Writer) error { return npy.Write(w, o.source) }
	if level := c.options.Compress; level > 0 {
		// One that is there plain, by a cache that does not compress, stays plain.
		if info, err := s.Stat(ctx, b.Name); err != nil || info.Size != b.Size {
			b.Name, b.Size = packedName(o.digest), -1
			write = func(w io.Writer) error { return writePacked(w, o.source, level) }
		}
	}
	b.Write = func(w io.Writer) error {
		counter := countingWriter{w, 0}
		err := write(&counter)
		*written = counter.written
		return err
	}
	return b
}

// putObject publishes an array unless it is there, and returns how many bytes that
// took. What is there is read: the new entry would be lost with one that is damaged.
func (c *Cache) putObject(ctx context.Context, s store.Store, k Key, o object, options store.PutOptions) (written int64, err error) {
	b := c.objectBlob(ctx, s, o, &written)
	put := func() (bool, error) { return s.PutIfAbsent(ctx, b.Name, b.Size, options, b.Write) }
	absent, err := put()
	if err == nil && !absent {
		written = 0
		ref := arrayRef{Digest: o.digest, DType: o.source.DType(), Shape: o.source.Shape()}
		_, found := readObjectFile(ctx, s, b.Name, ref, false, c.contentOf(o))
		if errors.Is(found, ErrDamaged) {
			c.fault(k, c.aside(ctx, s, found))
		}
		if found != nil {
			_, err = put()
		}
	}
	if err != nil {
		return 0, &Error{"write", b.Name, err}
	}
	return written, nil
}

// contentOf returns what judges an object by the content of o: nothing, where the cache
// has no secret.
func (c *Cache) contentOf(o object) contentCheck {
	if c.signer == nil {
		return nil
	}
	return func(found contentDigest) error {
		if found != o.content {
			return errForged
		}
		return nil
	}
}

// countingWriter counts what passes through it.
type countingWriter struct {
	w       io.Writer
	written int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.written += int64(n)
	return n, err
}
