package npy

import (
	"errors"
	"fmt"
	"io"

	"github.com/numcache/numcache/array"
)

const (
	// unknown stands for the length of a stream that does not tell it.
	unknown = -1
	// trusted is how many bytes of memory a stream of unknown length may ask for
	// before it has sent any.
	trusted = 1 << 16
)

// readData reads the elements that h describes. held is how many bytes r is
// known to hold, or unknown. Elements that are no numbers are ErrUnsupported.
func readData(r io.Reader, h Header, held int64) (array.Any, error) {
	if err := h.numbers(); err != nil {
		return nil, err
	}
	size, err := h.DataSize()
	if err != nil {
		return nil, err
	}
	if held != unknown && held < size {
		return nil, truncated(h, held, size)
	}
	h.Fortran = !h.inC()
	if at, ok := r.(positioned); ok && held != unknown && size >= minPositioned {
		return readPositioned(at, h, size)
	}
	shape := h.Shape
	if h.Fortran {
		shape = reversed(shape)
	}
	var a array.Any
	if held == unknown && size > trusted {
		a, err = readGrowing(r, h, size, shape)
	} else {
		a, err = readInto(r, h, size, shape)
	}
	if err != nil || !h.Fortran {
		return a, err
	}
	return transpose(a, h.Shape)
}

// readInto reads size bytes into an array of their own.
func readInto(r io.Reader, h Header, size int64, shape []int) (array.Any, error) {
	a, err := array.Uninitialized(h.DType, shape...)
	if err != nil {
		return nil, err
	}
	b, direct := a.Bytes()
	direct = direct && h.DType != array.Bool // Decode knows that 2 is true
	if direct {
		n, err := io.ReadFull(r, b)
		if err != nil {
			return nil, short(err, h, int64(n), size)
		}
		if h.BigEndian {
			array.SwapBytes(b, h.DType)
		}
		return a, nil
	}
	buffer := make([]byte, min(size, array.ChunkSize))
	for offset := int64(0); offset < size; {
		chunk := buffer[:min(size-offset, array.ChunkSize)]
		n, err := io.ReadFull(r, chunk)
		if err != nil {
			return nil, short(err, h, offset+int64(n), size)
		}
		if h.BigEndian {
			array.SwapBytes(chunk, h.DType)
		}
		if err := a.Decode(int(offset)/h.DType.Size(), chunk); err != nil {
			return nil, err
		}
		offset += int64(len(chunk))
	}
	return a, nil
}

// readGrowing reads size bytes from a stream of unknown length: first the bytes,
// never asking for more memory than twice what has arrived, and the array only
// when it is sure that they are there.
func readGrowing(r io.Reader, h Header, size int64, shape []int) (array.Any, error) {
	var parts [][]byte
	for arrived := int64(0); arrived < size; {
		part := make([]byte, min(size-arrived, max(arrived, trusted)))
		n, err := io.ReadFull(r, part)
		if err != nil {
			return nil, short(err, h, arrived+int64(n), size)
		}
		if h.BigEndian {
			array.SwapBytes(part, h.DType)
		}
		parts = append(parts, part)
		arrived += int64(n)
	}
	a, err := array.Uninitialized(h.DType, shape...)
	if err != nil {
		return nil, err
	}
	first := 0
	for i, part := range parts {
		if err := a.Decode(first, part); err != nil {
			return nil, err
		}
		first += len(part) / h.DType.Size()
		parts[i] = nil // the garbage collector may have it
	}
	return a, nil
}

// short names the lengths where err only says that a stream ended.
func short(err error, h Header, held, size int64) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return truncated(h, held, size)
	}
	return err
}

func truncated(h Header, held, size int64) error {
	return fmt.Errorf("%w: shape %s of %.200s needs %d bytes of elements, it holds %d",
		ErrFormat, array.FormatShape(h.Shape), h.Descr(), size, held)
}
