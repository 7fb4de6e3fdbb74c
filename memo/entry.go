package memo

import (
	"bytes"
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
	"github.com/numcache/numcache/parallel"
)

// load returns the results of a cached call, which belong to the caller. Where
// there are none, or none that can be trusted, the error says why; a damaged file
// was put aside then.
func (c *Cache) load(ctx context.Context, k Key, types []reflect.Type) ([]reflect.Value, *Record, error) {
	s, release := c.use()
	defer release()
	if s == nil {
		return nil, nil, fs.ErrNotExist
	}
	r, err := readRecord(ctx, s, k)
	if err != nil {
		return nil, nil, c.aside(ctx, s, recordName(k.function, k.version, k.Digest()), err)
	}
	d := resultDecoder{load: func(ref arrayRef) (array.Any, error) {
		a, err := readObject(ctx, s, ref)
		return a, c.aside(ctx, s, objectName(ref.Digest), err)
	}}
	values, err := d.results(r.results, types)
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

// readObject reads an array and compares it, while it is in the processor's
// cache, with the digest that it is named by.
func readObject(ctx context.Context, s store.Store, ref arrayRef) (array.Any, error) {
	name := objectName(ref.Digest)
	blob, err := s.Open(ctx, name)
	if err != nil {
		return nil, &Error{"read", name, err}
	}
	defer blob.Close()
	a, err := readArray(ctx, blob, ref)
	if err != nil {
		return nil, &Error{"read", name, err}
	}
	return a, nil
}

func readArray(ctx context.Context, blob store.Blob, ref arrayRef) (array.Any, error) {
	header := npy.AppendHeader(nil, ref.DType, ref.Shape)
	n, err := array.Elements(ref.Shape, ref.DType.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	// The size comes first: a table takes memory too.
	if want := int64(len(header)) + int64(n)*int64(ref.DType.Size()); blob.Size() != want {
		return nil, fmt.Errorf("%w: it has %d bytes, not %d", ErrDamaged, blob.Size(), want)
	}
	found := make([]byte, len(header))
	if err := readAt(blob, found, 0); err != nil {
		return nil, err
	}
	if !bytes.Equal(found, header) {
		return nil, fmt.Errorf("%w: its header is not that of %s%s", ErrDamaged, ref.DType, array.FormatShape(ref.Shape))
	}
	table, err := array.NewTable(ref.DType, ref.Shape...)
	if err != nil {
		return nil, err
	}
	a, err := array.Make(ref.DType, ref.Shape...)
	if err != nil {
		return nil, err
	}
	err = parallel.ForRange(ctx, nil, table.Len(), func(ctx context.Context, lo, hi int) error {
		return readChunks(ctx, blob, int64(len(header)), a, table, lo, hi)
	})
	if err != nil {
		return nil, err
	}
	if table.Digest() != ref.Digest {
		return nil, fmt.Errorf("%w: its content does not match its digest", ErrDamaged)
	}
	return a, nil
}

// readChunks reads and hashes the chunks [lo, hi) of a.
func readChunks(ctx context.Context, blob store.Blob, start int64, a array.Any, table *array.Table, lo, hi int) error {
	memory, direct := a.Bytes()
	direct = direct && a.DType() != array.Bool // Decode makes sure of 0 and 1
	var buffer []byte
	for i := lo; i < hi; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		offset, length := table.Chunk(i)
		var chunk []byte
		if direct {
			chunk = memory[offset : offset+length]
		} else {
			if buffer == nil {
				buffer = make([]byte, array.ChunkSize)
			}
			chunk = buffer[:length]
		}
		if err := readAt(blob, chunk, start+int64(offset)); err != nil {
			return err
		}
		if err := table.Set(i, chunk); err != nil {
			return err
		}
		if !direct {
			if err := a.Decode(offset/a.DType().Size(), chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

func readAt(blob store.Blob, b []byte, offset int64) error {
	n, err := blob.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends early", ErrDamaged)
	}
	return err
}

// save publishes an entry: the objects first, the record, which makes it
// visible, last.
func (c *Cache) save(ctx context.Context, k Key, results *stored, took time.Duration) error {
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
		err = s.PutIfAbsent(ctx, name, int64(size), durable, func(w io.Writer) error { return npy.Write(w, o.source) })
		if err != nil {
			return &Error{"write", name, err}
		}
	}
	name := recordName(k.function, k.version, k.Digest())
	record := appendRecord(nil, k, results.json, c.options.Now(), took)
	if len(record) > maxRecord {
		return &Error{"write", name, fmt.Errorf("%w: a record of %d bytes, more than are read; return arrays, or one string", ErrUnsupported, len(record))}
	}
	err := s.Put(ctx, name, durable, func(w io.Writer) error {
		_, err := w.Write(record)
		return err
	})
	if err != nil {
		return &Error{"write", name, err}
	}
	return nil
}
