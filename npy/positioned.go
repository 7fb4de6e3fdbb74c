package npy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/parallel"
)

// positioned is a source that can be read at several places at once: a file, a
// section of one, bytes in memory.
type positioned interface {
	io.ReaderAt
	io.Seeker
}

const (
	// minPositioned is the size from which on reading in parts is faster than
	// one read: those of a smaller array stay in the caches of one core.
	minPositioned = 1 << 20
	// readStep is what one read asks for, so that a call of the system costs
	// little of the time in which it copies.
	readStep = 1 << 20
)

// readPositioned reads the elements that h describes, size bytes that r holds
// from where it stands on, and leaves r behind them.
func readPositioned(r positioned, h Header, size int64) (array.Any, error) {
	start, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	e := body{r, h, start, size}
	a, err := e.read()
	if err != nil {
		return nil, err
	}
	_, err = r.Seek(start+size, io.SeekStart)
	return a, err
}

// body is the elements of a header, size bytes from start on.
type body struct {
	io.ReaderAt
	Header
	start, size int64
}

func (e *body) read() (array.Any, error) {
	shape := e.Shape
	if e.Fortran {
		if long := longAxes(shape); len(long) == 2 {
			return e.readTransposed(long[0], long[1])
		}
		shape = reversed(shape)
	}
	a, err := array.Uninitialized(e.DType, shape...)
	if err != nil {
		return nil, err
	}
	if err := e.fill(a); err != nil || !e.Fortran {
		return a, err
	}
	return transpose(a, e.Shape)
}

// fill reads the elements into a, which has as many, in the order in which they
// lie.
func (e *body) fill(a array.Any) error {
	into, direct := a.Bytes()
	direct = direct && e.DType != array.Bool // Decode knows that 2 is true
	step := int64(readStep)
	if !direct || e.BigEndian {
		step = array.ChunkSize // what is worked on again should be in the cache
	}
	idle := sync.Pool{New: func() any { // buffers that no range uses
		b := make([]byte, min(step, e.size))
		return &b
	}}
	return inParallel(int((e.size+step-1)/step), func(lo, hi int) error {
		var buffer []byte
		if !direct {
			b := idle.Get().(*[]byte)
			defer idle.Put(b)
			buffer = *b
		}
		for i := lo; i < hi; i++ {
			offset := int64(i) * step
			n := min(step, e.size-offset)
			if direct {
				if err := e.readAt(into[offset:offset+n], offset); err != nil {
					return err
				}
				continue
			}
			if err := e.readAt(buffer[:n], offset); err != nil {
				return err
			}
			if err := a.Decode(int(offset)/e.ItemSize, buffer[:n]); err != nil {
				return err
			}
		}
		return nil
	})
}

// readAt reads the bytes of whole elements from offset on, as little-endian ones.
func (e *body) readAt(b []byte, offset int64) error {
	n, err := e.ReadAt(b, e.start+offset)
	switch {
	case n < len(b) && errors.Is(err, io.EOF):
		// They were there before. How many are left another part may know.
		return fmt.Errorf("%w: shape %s of %s needs %d bytes of elements, and it was cut while it was open",
			ErrFormat, array.FormatShape(e.Shape), e.Descr(), e.size)
	case n < len(b):
		return err
	}
	if e.BigEndian {
		array.SwapBytes(b, e.DType)
	}
	return nil
}

// inParallel calls f on ranges of [0, n), on all cores.
func inParallel(n int, f func(lo, hi int) error) error {
	err := parallel.ForRange(context.Background(), nil, n, func(_ context.Context, lo, hi int) error { return f(lo, hi) })
	// The item that it names is a part of a file, which says nothing to the caller.
	var of *parallel.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
