package array

import (
	"context"
	"fmt"
	"reflect"

	"gonum.org/v1/gonum/mat"
)

// Source is a numeric array that can be hashed, stored and written: the logical
// elements of an [Array], of a Go slice or of a gonum value, whatever its layout
// in memory. [Of] makes one.
//
// A Source reads through to the value behind it, so that must not be written to
// meanwhile.
type Source interface {
	// DType returns the element type.
	DType() DType
	// Shape returns the extents, outermost first. The caller may keep it.
	Shape() []int
	// Encode writes the elements first, first+1, … in C order, little-endian,
	// until dst is full. A dst that is not whole elements or reaches behind
	// the last one is ErrShape. It may be called from several goroutines at
	// once; only for a matrix of a type that gonum does not define may it not,
	// since nobody knows what its At does. [Hash] heeds that.
	Encode(dst []byte, first int) error
}

// Any is an [Array] of whatever element type: *Array[T] for each T, and nothing
// else. A type switch over *Array[float64], … gives the typed array back.
type Any interface {
	Source
	// Len returns the number of elements.
	Len() int
	// Digest returns the digest of the elements.
	Digest() Digest
	// Bytes returns the array's own memory as little-endian bytes, and true;
	// or false where the machine or the build (tag purego) cannot show it.
	// Writing to them writes the elements: a bool's byte must be 0 or 1.
	Bytes() ([]byte, bool)
	// Decode is the inverse of Encode: it sets the elements from first on to
	// the little-endian ones in src. A bool byte other than 0 is true.
	Decode(first int, src []byte) error
	// Dense returns a 2-d float64 array as a gonum matrix that shares its
	// memory.
	Dense() (*mat.Dense, error)
	// VecDense returns a 1-d float64 array as a gonum vector that shares its
	// memory.
	VecDense() (*mat.VecDense, error)

	// array returns the Array itself, which a foreign type may embed and be more
	// than, and its own extents, not to be changed.
	array() (self Any, shape []int)
}

// Make returns an array of zeros of element type d: [New] for a type known only
// at run time. Errors are [ErrDType] and [ErrShape].
func Make(d DType, shape ...int) (Any, error) {
	switch d {
	case Bool:
		return made(New[bool](shape...))
	case Int8:
		return made(New[int8](shape...))
	case Int16:
		return made(New[int16](shape...))
	case Int32:
		return made(New[int32](shape...))
	case Int64:
		return made(New[int64](shape...))
	case Uint8:
		return made(New[uint8](shape...))
	case Uint16:
		return made(New[uint16](shape...))
	case Uint32:
		return made(New[uint32](shape...))
	case Uint64:
		return made(New[uint64](shape...))
	case Float16:
		return made(New[Half](shape...))
	case Float32:
		return made(New[float32](shape...))
	case Float64:
		return made(New[float64](shape...))
	case Complex64:
		return made(New[complex64](shape...))
	case Complex128:
		return made(New[complex128](shape...))
	}
	return nil, fmt.Errorf("%w: %v", ErrDType, d)
}

// made keeps a nil *Array out of the interface.
func made[T Element](a *Array[T], err error) (Any, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Of returns v as a [Source] that reads v's own memory. It takes
//
//   - *Array[T] of every element type, and any other Source as it is;
//   - slices of the element types, and of int and uint (64 bits in format 1, and
//     copied where the machine has fewer), as 1-d arrays;
//   - every [mat.Matrix], [mat.Vector] and [mat.CMatrix], strided, banded,
//     triangular, transposed or foreign, as its logical elements. A vector is
//     1-d; a matrix is 2-d, and so is a transposed vector, for v and vᵀ are
//     different arguments.
//
// A nil pointer is [ErrNil], and so is nil itself; a matrix whose methods panic or
// contradict each other is [ErrShape]; anything else is [ErrDType].
func Of(v any) (Source, error) {
	switch v := v.(type) {
	case nil:
		return nil, fmt.Errorf("%w value where an array is wanted", ErrNil)
	case []bool:
		return vectorOf(v), nil
	case []int8:
		return vectorOf(v), nil
	case []int16:
		return vectorOf(v), nil
	case []int32:
		return vectorOf(v), nil
	case []int64:
		return vectorOf(v), nil
	case []uint8:
		return vectorOf(v), nil
	case []uint16:
		return vectorOf(v), nil
	case []uint32:
		return vectorOf(v), nil
	case []uint64:
		return vectorOf(v), nil
	case []Half:
		return vectorOf(v), nil
	case []float32:
		return vectorOf(v), nil
	case []float64:
		return vectorOf(v), nil
	case []complex64:
		return vectorOf(v), nil
	case []complex128:
		return vectorOf(v), nil
	case []int:
		return viewInts(v), nil
	case []uint:
		return viewUints(v), nil
	}
	if nilPointer(v) {
		return nil, fmt.Errorf("%w %T", ErrNil, v)
	}
	switch v := v.(type) {
	case Source:
		return v, nil
	case mat.Matrix:
		return viewMatrix(v)
	case mat.CMatrix:
		return viewCMatrix(v)
	}
	return nil, fmt.Errorf("%w: %T is no array, numeric slice, matrix or vector", ErrDType, v)
}

func nilPointer(v any) bool {
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && rv.IsNil()
}

// checkSource refuses a src whose methods cannot be called, or that has no
// element type.
func checkSource(src Source) error {
	switch {
	case src == nil:
		return fmt.Errorf("%w Source", ErrNil)
	case nilPointer(src):
		return fmt.Errorf("%w %T", ErrNil, src)
	case !src.DType().Valid():
		return fmt.Errorf("%w: %v", ErrDType, src.DType())
	}
	return nil
}

// Copy returns the elements of src as an array of its own, on all cores where there
// are many. Errors are what src's Encode returned, and [ErrNil], [ErrDType] or [ErrShape] for a src that cannot be
// read.
func Copy(src Source) (Any, error) {
	if err := checkSource(src); err != nil {
		return nil, err
	}
	allocate := Make
	if _, own := src.(Any); own { // whose Encode leaves nothing out
		allocate = Uninitialized
	}
	dst, err := allocate(src.DType(), src.Shape()...)
	if err != nil {
		return nil, err
	}
	// A foreign Source may write a bool as 2, which only Decode makes true.
	if b, ok := dst.Bytes(); ok && dst.DType() != Bool {
		size := dst.DType().Size()
		err := overChunks(context.Background(), src, (len(b)+ChunkSize-1)/ChunkSize, func(_ context.Context, lo, hi int) error {
			return src.Encode(b[lo*ChunkSize:min(hi*ChunkSize, len(b))], lo*ChunkSize/size)
		})
		if err != nil {
			return nil, err
		}
		return dst, nil
	}
	first := 0
	for chunk, err := range Chunks(src) {
		if err == nil {
			err = dst.Decode(first, chunk)
		}
		if err != nil {
			return nil, err
		}
		first += len(chunk) / src.DType().Size()
	}
	return dst, nil
}
