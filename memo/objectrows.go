package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/parallel"
)

// ObjectRows returns the rows [lo, hi) of the array whose chunk table is t, by its
// first axis, as a copy that belongs to the caller: only the chunks that these are in are
// read, and each is verified with the table. So a process that wants a part of a large
// array reads that part. One who has the table from elsewhere compares t.Digest() with the
// digest that is meant. A compressed object is read whole.
//
// One that the cache does not hold is [ErrNotFound], one that does not match the table
// [ErrDamaged]; it is put aside. A nil table, one of an array without axes, and rows
// that it does not have are [ErrArguments]. As with [Cache.Object], no record is read.
func (c *Cache) ObjectRows(ctx context.Context, t *array.Table, lo, hi int) (array.Any, error) {
	if c == nil {
		return nil, ErrNil
	}
	if t == nil {
		return nil, fmt.Errorf("%w: the chunk table is nil", ErrArguments)
	}
	ref := arrayRef{Digest: t.Digest(), DType: t.DType(), Shape: t.Shape()}
	if len(ref.Shape) == 0 || lo < 0 || hi < lo || hi > ref.Shape[0] {
		return nil, fmt.Errorf("%w: rows [%d, %d) of an array of shape %s", ErrArguments, lo, hi, array.FormatShape(ref.Shape))
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	if s == nil {
		return nil, &Error{"read", objectName(ref.Digest), ErrNotFound}
	}
	a, err := inEitherForm(ref.Digest, func(name string) (array.Any, error) {
		a, err := readRows(ctx, s, name, ref, t, lo, hi)
		if err != nil {
			err = &Error{"read", name, err}
		}
		return a, err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{"read", objectName(ref.Digest), ErrNotFound}
	case err != nil:
		return nil, c.aside(ctx, s, err)
	}
	return a, nil
}

// readRows reads rows of the object in the file of this name.
func readRows(ctx context.Context, s store.Store, name string, ref arrayRef, t *array.Table, lo, hi int) (array.Any, error) {
	blob, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	shape := append([]int{hi - lo}, ref.Shape[1:]...)
	rows, err := array.Uninitialized(ref.DType, shape...)
	if err != nil {
		return nil, err
	}
	row := ref.DType.Size()
	for _, n := range shape[1:] {
		row *= n
	}
	if isPacked(name) {
		whole, err := readPacked(ctx, blob, ref, true, nil)
		if err != nil {
			return nil, err
		}
		bytes := make([]byte, (hi-lo)*row)
		if err := whole.Encode(bytes, lo*row/ref.DType.Size()); err != nil {
			return nil, err
		}
		return rows, rows.Decode(0, bytes)
	}
	start, err := checkHeader(blob, ref)
	if err != nil || lo == hi || row == 0 {
		return rows, err
	}
	from, to := lo*row, hi*row // in bytes
	first, last := from/array.ChunkSize, (to-1)/array.ChunkSize
	err = parallel.ForRange(ctx, nil, last-first+1, func(ctx context.Context, lo, hi int) error {
		read, done := chunkReader(blob, start, ref.DType, nil)
		defer done()
		for i := first + lo; i < first+hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			offset, length := t.Chunk(i)
			chunk, err := read(offset, length)
			if err != nil {
				return err
			}
			if !t.Matches(i, chunk) {
				return errContent
			}
			a, b := max(from, offset), min(to, offset+length)
			if err := rows.Decode((a-from)/ref.DType.Size(), chunk[a-offset:b-offset]); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}
