package npy

import (
	"errors"
	"fmt"
	"io"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// Read reads one array from a .npy stream, in C order and the machine's byte
// order whatever the stream's, and leaves r behind its last element. The array
// belongs to the caller. Memory grows with the bytes that arrive, so a header
// that promises more than r holds costs nothing; it is [ErrFormat].
func Read(r io.Reader) (array.Any, error) {
	h, _, err := ReadHeader(r)
	if err != nil {
		return nil, err
	}
	return readData(r, h, -1)
}

// ReadAs is [Read] for a known element type; another is [array.ErrDType].
func ReadAs[T array.Element](r io.Reader) (*array.Array[T], error) {
	a, err := Read(r)
	if err != nil {
		return nil, err
	}
	return as[T](a)
}

// ReadFile reads the array of the .npy file at path, as [Read] does. A file
// shorter than its header says fails before anything is allocated; bytes behind
// the elements are ignored, as np.load ignores them. Only a regular file is read.
func ReadFile(path string) (array.Any, error) {
	a, err := readFile(path)
	return a, onFile("read", path, err)
}

// ReadFileAs is [ReadFile] for a known element type; another is
// [array.ErrDType].
func ReadFileAs[T array.Element](path string) (*array.Array[T], error) {
	a, err := readFile(path)
	if err != nil {
		return nil, onFile("read", path, err)
	}
	typed, err := as[T](a)
	return typed, onFile("read", path, err)
}

// ReadDense reads a 2-d float64 .npy file as a gonum matrix, which the caller
// owns.
func ReadDense(path string) (*mat.Dense, error) {
	return convert(path, func(a array.Any) (*mat.Dense, error) { return a.Dense() })
}

// ReadVec reads a 1-d float64 .npy file as a gonum vector, which the caller
// owns.
func ReadVec(path string) (*mat.VecDense, error) {
	return convert(path, func(a array.Any) (*mat.VecDense, error) { return a.VecDense() })
}

// ReadFloat64s reads a float64 .npy file of any shape as its elements in C
// order.
func ReadFloat64s(path string) ([]float64, error) {
	a, err := ReadFileAs[float64](path)
	if err != nil {
		return nil, err
	}
	return a.Data(), nil
}

func convert[T any](path string, to func(array.Any) (T, error)) (T, error) {
	a, err := readFile(path)
	if err != nil {
		var none T
		return none, onFile("read", path, err)
	}
	v, err := to(a)
	return v, onFile("read", path, err)
}

func as[T array.Element](a array.Any) (*array.Array[T], error) {
	typed, ok := a.(*array.Array[T])
	if !ok {
		var want array.Array[T]
		return nil, fmt.Errorf("%w: the file holds %s, not %s", array.ErrDType, a.DType(), want.DType())
	}
	return typed, nil
}

func readFile(path string) (array.Any, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is not a regular file (%s)", ErrFormat, info.Mode().Type())
	}
	h, size, err := ReadHeader(f)
	if err != nil {
		return nil, err
	}
	return readData(f, h, info.Size()-size)
}

// readData reads the elements that h describes. held is how many bytes r is
// known to hold, −1 where that is unknown.
func readData(r io.Reader, h Header, held int64) (array.Any, error) {
	size, err := h.DataSize()
	if err != nil {
		return nil, err
	}
	if held >= 0 && held < size {
		return nil, truncated(h, held, size)
	}
	shape := h.Shape
	if h.Fortran {
		shape = reversed(shape)
	}
	var a array.Any
	if held < 0 && size > array.ChunkSize {
		a, err = readGrowing(r, h, size, shape)
	} else {
		a, err = readInto(r, h, size, shape)
	}
	if err != nil || !h.Fortran || len(shape) < 2 {
		return a, err
	}
	return transpose(a, h.Shape)
}

// readInto reads size bytes into an array of their own.
func readInto(r io.Reader, h Header, size int64, shape []int) (array.Any, error) {
	a, err := array.Make(h.DType, shape...)
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

// readGrowing reads size bytes from a stream of unknown length: the bytes first,
// the array only when they have arrived.
func readGrowing(r io.Reader, h Header, size int64, shape []int) (array.Any, error) {
	data, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < size {
		return nil, truncated(h, int64(len(data)), size)
	}
	if h.BigEndian {
		array.SwapBytes(data, h.DType)
	}
	a, err := array.Make(h.DType, shape...)
	if err != nil {
		return nil, err
	}
	return a, a.Decode(0, data)
}

func short(err error, h Header, held, size int64) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return truncated(h, held, size)
	}
	return err
}

func truncated(h Header, held, size int64) error {
	return fmt.Errorf("%w: shape %s of %s needs %d bytes of elements, it holds %d",
		ErrFormat, array.FormatShape(h.Shape), h.DType, size, held)
}

// openRegular opens path for reading without waiting for a writer where path is
// a FIFO; the caller checks what it got.
func openRegular(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|nonblock, 0)
}
