package array

import (
	"fmt"
	"slices"
)

// Array is an n-dimensional array of T in C order: the last index varies
// fastest and the elements lie without gaps in one slice. It is the Go side of
// a C-contiguous NumPy array.
//
// An Array shares its slice with whoever made it and whoever slices it; there
// is no lock. Any number of goroutines may read it; writing through [Array.Data]
// needs the care any shared slice needs.
type Array[T Element] struct {
	data  []T
	shape []int
}

// New returns an array of zeros of the given shape; no extents make a 0-d array
// of one element. A negative or overflowing shape is [ErrShape].
func New[T Element](shape ...int) (*Array[T], error) {
	n, err := Elements(shape, dtypeOf[T]().Size())
	if err != nil {
		return nil, err
	}
	return &Array[T]{data: make([]T, n), shape: slices.Clone(shape)}, nil
}

// FromSlice returns an array over data, which it shares: writes to one show in
// the other. Without extents the array is 1-d of all of data. A shape whose
// product is not len(data) is [ErrShape].
func FromSlice[T Element](data []T, shape ...int) (*Array[T], error) {
	if len(shape) == 0 {
		return vectorOf(data), nil
	}
	n, err := Elements(shape, dtypeOf[T]().Size())
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("%w: %s holds %d elements, the slice has %d", ErrShape, FormatShape(shape), n, len(data))
	}
	return &Array[T]{data: data, shape: slices.Clone(shape)}, nil
}

// vectorOf is the 1-d array over data.
func vectorOf[T Element](data []T) *Array[T] {
	return &Array[T]{data: data, shape: []int{len(data)}}
}

// Data returns the elements in C order. The slice is the array's own memory,
// not a copy.
func (a *Array[T]) Data() []T { return a.data }

// Shape returns a copy of the extents, outermost first; empty for a 0-d array.
// The zero Array is an empty 1-d one.
func (a *Array[T]) Shape() []int {
	if len(a.shape) == 0 && len(a.data) == 0 {
		return []int{0}
	}
	return slices.Clone(a.shape)
}

// Len returns the number of elements.
func (a *Array[T]) Len() int { return len(a.data) }

// DType returns the element type.
func (a *Array[T]) DType() DType { return dtypeOf[T]() }

// At returns the element at the given indices, one for each dimension. An index
// outside the shape, or the wrong number of them, is [ErrShape].
func (a *Array[T]) At(index ...int) (T, error) {
	var zero T
	if len(index) != len(a.shape) {
		return zero, fmt.Errorf("%w: %d indices for an array of %d dimensions", ErrShape, len(index), len(a.shape))
	}
	at := 0
	for axis, i := range index {
		if i < 0 || i >= a.shape[axis] {
			return zero, fmt.Errorf("%w: index %d is outside axis %d of %s", ErrShape, i, axis, FormatShape(a.shape))
		}
		at = at*a.shape[axis] + i
	}
	return a.data[at], nil
}

// Slice returns the part lo ≤ i < hi along axis 0. It shares memory with a. A
// range outside the axis, or a 0-d array, is [ErrShape].
func (a *Array[T]) Slice(lo, hi int) (*Array[T], error) {
	if len(a.shape) == 0 {
		return nil, fmt.Errorf("%w: a 0-d array has no axis to slice", ErrShape)
	}
	if lo < 0 || hi < lo || hi > a.shape[0] {
		return nil, fmt.Errorf("%w: rows %d to %d of %s", ErrShape, lo, hi, FormatShape(a.shape))
	}
	row := 1
	for _, extent := range a.shape[1:] {
		row *= extent
	}
	shape := slices.Clone(a.shape)
	shape[0] = hi - lo
	return &Array[T]{data: a.data[lo*row : hi*row : hi*row], shape: shape}, nil
}

// Reshape returns the same elements under another shape. It shares memory with
// a. A shape of another size is [ErrShape].
func (a *Array[T]) Reshape(shape ...int) (*Array[T], error) {
	n, err := Elements(shape, a.DType().Size())
	if err != nil {
		return nil, err
	}
	if n != len(a.data) {
		return nil, fmt.Errorf("%w: %s does not hold the %d elements of %s", ErrShape, FormatShape(shape), len(a.data), FormatShape(a.shape))
	}
	return &Array[T]{data: a.data, shape: slices.Clone(shape)}, nil
}

// Encode implements [Source].
func (a *Array[T]) Encode(dst []byte, first int) error {
	n, err := checkRange(len(dst), first, len(a.data), a.DType())
	if err != nil {
		return err
	}
	encode(dst, a.data[first:first+n])
	return nil
}

// Decode implements [Any].
func (a *Array[T]) Decode(first int, src []byte) error {
	n, err := checkRange(len(src), first, len(a.data), a.DType())
	if err != nil {
		return err
	}
	decode(a.data[first:first+n], src)
	return nil
}

// Bytes implements [Any].
func (a *Array[T]) Bytes() ([]byte, bool) { return viewBytes(a.data) }

func (a *Array[T]) array() {}

// checkRange returns how many elements nbytes hold, an error where they are not
// whole or reach outside of a source of total elements.
func checkRange(nbytes, first, total int, d DType) (int, error) {
	n := nbytes / d.Size()
	if n*d.Size() != nbytes {
		return 0, fmt.Errorf("%w: %d bytes are not whole %s elements", ErrShape, nbytes, d)
	}
	if first < 0 || first > total || n > total-first {
		return 0, fmt.Errorf("%w: elements %d to %d of %d", ErrShape, first, first+n, total)
	}
	return n, nil
}
