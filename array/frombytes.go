package array

import (
	"fmt"
	"slices"
)

// FromBytes returns an array over b, the little-endian elements of type d in C
// order, which it shares: writes to one show in the other. It is how memory that
// Go did not allocate, such as a mapped file, becomes an array; the caller answers
// for it staying there as long as the array is used.
//
// An invalid d is [ErrDType]; a shape that [Elements] refuses, or whose elements
// are not len(b) bytes, [ErrShape]. [ErrNotShared] is a b that cannot be an array
// where it lies: one that is not aligned for d, a bool that is neither 0 nor 1, and
// everything on a big-endian machine or with the build tag purego. [Make] and
// [Any].Decode copy it instead.
func FromBytes(d DType, b []byte, shape ...int) (Any, error) {
	if !d.Valid() {
		return nil, fmt.Errorf("%w: %v", ErrDType, d)
	}
	n, err := Elements(shape, d.Size())
	if err != nil {
		return nil, err
	}
	if n*d.Size() != len(b) {
		return nil, fmt.Errorf("%w: %s of %s has %d bytes, not %d", ErrShape, FormatShape(shape), d, n*d.Size(), len(b))
	}
	switch d {
	case Bool:
		// A Go bool of any other byte is neither true nor false.
		if i := slices.IndexFunc(b, func(c byte) bool { return c > 1 }); i >= 0 {
			return nil, fmt.Errorf("%w: byte %d is %d, and no bool", ErrNotShared, i, b[i])
		}
		return over[bool](b, shape)
	case Int8:
		return over[int8](b, shape)
	case Int16:
		return over[int16](b, shape)
	case Int32:
		return over[int32](b, shape)
	case Int64:
		return over[int64](b, shape)
	case Uint8:
		return over[uint8](b, shape)
	case Uint16:
		return over[uint16](b, shape)
	case Uint32:
		return over[uint32](b, shape)
	case Uint64:
		return over[uint64](b, shape)
	case Float16:
		return over[Half](b, shape)
	case Float32:
		return over[float32](b, shape)
	case Float64:
		return over[float64](b, shape)
	case Complex64:
		return over[complex64](b, shape)
	default:
		return over[complex128](b, shape)
	}
}

// over returns the array of T over b, whose length fits the shape.
func over[T Element](b []byte, shape []int) (Any, error) {
	data, ok := viewElementsOf[T](b)
	if !ok {
		return nil, fmt.Errorf("%w: the bytes are not aligned for %s, or this build cannot share them", ErrNotShared, dtypeOf[T]())
	}
	return &Array[T]{data: data, shape: slices.Clone(shape)}, nil
}
