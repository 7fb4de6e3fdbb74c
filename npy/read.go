package npy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// Read reads one array from a .npy stream, in C order and the machine's byte
// order whatever the stream's, and leaves r behind its last element. The array
// belongs to the caller. Memory grows with the bytes that arrive, so a header
// that promises more than r holds costs nothing; it is [ErrFormat]. A regular
// *os.File, and bytes in memory, take the array's memory at once. Errors
// are those of [ReadHeader]: arrays that follow each other in one stream are read
// until errors.Is(err, io.EOF).
func Read(r io.Reader) (array.Any, error) {
	h, _, err := ReadHeader(r)
	if err != nil {
		return nil, err
	}
	return readData(r, h, remaining(r))
}

// remaining returns how many bytes r holds yet, or unknown. An io.SectionReader
// and its like hold what somebody said, so their word is not taken.
func remaining(r io.Reader) int64 {
	switch r := r.(type) {
	case *bytes.Reader:
		return int64(r.Len())
	case *bytes.Buffer:
		return int64(r.Len())
	case *strings.Reader:
		return int64(r.Len())
	case *os.File:
		info, err := r.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return unknown
		}
		at, err := r.Seek(0, io.SeekCurrent)
		if err != nil || info.Size() < at { // as files of /proc say
			return unknown
		}
		return info.Size() - at
	}
	return unknown
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
// shorter than its header says fails before its elements are allocated; bytes behind
// the elements are ignored, as np.load ignores them. Only a regular file is read,
// after symbolic links; a FIFO is refused without waiting for its writer. Every
// error is an [*Error].
func ReadFile(path string) (array.Any, error) {
	return readFile(path, func(a array.Any) (array.Any, error) { return a, nil })
}

// ReadFileAs is [ReadFile] for a known element type; another is
// [array.ErrDType].
func ReadFileAs[T array.Element](path string) (*array.Array[T], error) {
	return readFile(path, as[T])
}

// ReadDense reads a 2-d float64 .npy file as a gonum matrix, which the caller
// owns.
func ReadDense(path string) (*mat.Dense, error) {
	return readFile(path, array.Any.Dense)
}

// ReadVec reads a 1-d float64 .npy file as a gonum vector, which the caller
// owns.
func ReadVec(path string) (*mat.VecDense, error) {
	return readFile(path, array.Any.VecDense)
}

// ReadFloat64s reads a float64 .npy file of any shape as its elements in C
// order.
func ReadFloat64s(path string) ([]float64, error) { return readElements[float64](path) }

// ReadInt64s reads an int64 .npy file of any shape, such as labels, as its elements in C
// order.
func ReadInt64s(path string) ([]int64, error) { return readElements[int64](path) }

func readElements[T array.Element](path string) ([]T, error) {
	a, err := ReadFileAs[T](path)
	if err != nil {
		return nil, err
	}
	return a.Data(), nil
}

// readFile reads the array of a file and returns what to makes of it.
func readFile[T any](path string, to func(array.Any) (T, error)) (v T, err error) {
	defer func() { err = onFile("read", path, err) }()
	f, err := open(path)
	if err != nil {
		return v, err
	}
	defer f.Close()
	a, err := f.read(context.Background())
	if err != nil {
		return v, err
	}
	return to(a)
}

func as[T array.Element](a array.Any) (*array.Array[T], error) {
	typed, ok := a.(*array.Array[T])
	if !ok {
		var want array.Array[T]
		return nil, fmt.Errorf("%w: the file holds %s, not %s", array.ErrDType, a.DType(), want.DType())
	}
	return typed, nil
}
