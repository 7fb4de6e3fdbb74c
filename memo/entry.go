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
	r, err := readRecord(ctx, s, k)
	if err != nil {
		return nil, nil, c.aside(ctx, s, recordName(k.function, k.version, k.Digest()), err)
	}
	if want.valid != nil && !want.valid(r) {
		return nil, nil, errInvalid
	}
	d := resultDecoder{load: func(ref arrayRef) (array.Any, error) {
		a, err := readObject(ctx, s, ref, true)
		return a, c.aside(ctx, s, objectName(ref.Digest), err)
	}}
	values, err := d.results(r.results, want.types)
	return values, r, err
}

// aside puts a file away if err says that it is damaged or no file at all, and
// returns err.
func (c *Cache) aside(ctx context.Context, s store.Store, name string, err error) error {
	if errors.Is(err, ErrDamaged) || errors.Is(err, store.ErrForeign) {
		if moveErr := s.Quarantine(ctx, name); moveErr != nil {
			return errors.Join(err, moveErr)
		}
	}
	return err
}

// readRecord reads and checks the record of a call.
func readRecord(ctx context.Context, s store.Store, k Key) (*Record, error) {
	name := recordName(k.function, k.version, k.Digest())
	r, err := recordAt(ctx, s, name)
	if err == nil && (r.Function != k.function || r.Version != k.version) { // file names may not tell
		return nil, &Error{"read", name, fmt.Errorf("%w: it is the record of another call", ErrDamaged)}
	}
	return r, err
}

// save publishes an entry: the objects first, the record, which makes it
// visible, last. The record's time of modification is not after that of its
// objects, so that eviction by age takes the record first.
func (c *Cache) save(ctx context.Context, k Key, results *stored, created time.Time, took time.Duration) error {
	s, release := c.use()
	defer release()
	if s == nil {
		return nil
	}
	durable := c.options.Sync.durable(took)
	for _, o := range results.objects {
		name := objectName(o.digest)
		shape := o.source.Shape()
		n, err := array.Elements(shape, o.source.DType().Size())
		if err != nil {
			return &Error{"write", name, err}
		}
		size := len(npy.AppendHeader(nil, o.source.DType(), shape)) + n*o.source.DType().Size()
		_, err = s.PutIfAbsent(ctx, name, int64(size), store.PutOptions{Durable: durable, Modified: c.now()}, func(w io.Writer) error { return npy.Write(w, o.source) })
		if err != nil {
			return &Error{"write", name, err}
		}
	}
	name := recordName(k.function, k.version, k.Digest())
	record := appendRecord(nil, k, results.json, created, took)
	if len(record) > maxRecord {
		return &Error{"write", name, fmt.Errorf("%w: a record of %d bytes, more than are read; return arrays, or one string", ErrUnsupported, len(record))}
	}
	err := s.Put(ctx, name, store.PutOptions{Durable: durable, Modified: created}, func(w io.Writer) error {
		_, err := w.Write(record)
		return err
	})
	if err != nil {
		return &Error{"write", name, err}
	}
	return nil
}
