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
//
// The zero Array, and a nil one, is empty and 1-d.
type Array[T Element] struct {
	data  []T
	shape []int
}

// parts returns the elements and the extents; every method reads them here, for
// the zero Array's shape is not in its fields.
func (a *Array[T]) parts() (data []T, shape []int) {
	switch {
	case a == nil:
		return nil, []int{0}
	case len(a.shape) == 0 && len(a.data) == 0:
		return a.data, []int{0}
	}
	return a.data, a.shape
}

// New returns an array of zeros of the given shape; no extents make a 0-d array
// of one element. A shape that [Elements] refuses is [ErrShape].
func New[T Element](shape ...int) (*Array[T], error) {
	n, err := Elements(shape, dtypeOf[T]().Size())
	if err != nil {
		return nil, err
	}
	return &Array[T]{data: make([]T, n), shape: slices.Clone(shape)}, nil
}

// FromSlice returns an array over data, which it shares: writes to one show in
// the other. Without extents the array is 1-d of all of data. A shape that
// [Elements] refuses, or whose product is not len(data), is [ErrShape].
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
	v := &struct { // one piece of memory for both
		array Array[T]
		shape [1]int
	}{array: Array[T]{data: data}, shape: [1]int{len(data)}}
	v.array.shape = v.shape[:]
	return &v.array
}

// Data returns the elements in C order. The slice is the array's own memory,
// not a copy.
func (a *Array[T]) Data() []T {
	data, _ := a.parts()
	return data
}

// Shape returns a copy of the extents, outermost first; empty for a 0-d array.
func (a *Array[T]) Shape() []int {
	_, shape := a.parts()
	return slices.Clone(shape)
}

// Len returns the number of elements.
func (a *Array[T]) Len() int { return len(a.Data()) }

// DType returns the element type.
func (a *Array[T]) DType() DType { return dtypeOf[T]() }

// At returns the element at the given indices, one for each dimension. An index
// outside the shape, or the wrong number of them, is [ErrShape].
func (a *Array[T]) At(index ...int) (T, error) {
	var zero T
	data, shape := a.parts()
	if len(index) != len(shape) {
		return zero, fmt.Errorf("%w: %d indices for an array of %d dimensions", ErrShape, len(index), len(shape))
	}
	at := 0
	for axis, i := range index {
		if i < 0 || i >= shape[axis] {
			return zero, fmt.Errorf("%w: index %d is outside axis %d of %s", ErrShape, i, axis, FormatShape(shape))
		}
		at = at*shape[axis] + i
	}
	return data[at], nil
}

// Slice returns the part lo ≤ i < hi along axis 0. It shares memory with a. A
// range outside the axis, or a 0-d array, is [ErrShape].
func (a *Array[T]) Slice(lo, hi int) (*Array[T], error) {
	data, shape := a.parts()
	if len(shape) == 0 {
		return nil, fmt.Errorf("%w: a 0-d array has no axis to slice", ErrShape)
	}
	if lo < 0 || hi < lo || hi > shape[0] {
		return nil, fmt.Errorf("%w: rows %d to %d of %s", ErrShape, lo, hi, FormatShape(shape))
	}
	row := 1
	for _, extent := range shape[1:] {
		row *= extent
	}
	shape = slices.Clone(shape)
	shape[0] = hi - lo
	return &Array[T]{data: data[lo*row : hi*row : hi*row], shape: shape}, nil
}

// Reshape returns the same elements under another shape. It shares memory with
// a. A shape of another size is [ErrShape].
func (a *Array[T]) Reshape(shape ...int) (*Array[T], error) {
	data, old := a.parts()
	n, err := Elements(shape, a.DType().Size())
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("%w: %s does not hold the %d elements of %s", ErrShape, FormatShape(shape), len(data), FormatShape(old))
	}
	return &Array[T]{data: data, shape: slices.Clone(shape)}, nil
}

// Encode implements [Source].
func (a *Array[T]) Encode(dst []byte, first int) error {
	data, _ := a.parts()
	n, err := checkRange(len(dst), first, len(data), a.DType())
	if err != nil {
		return err
	}
	encode(dst, data[first:first+n])
	return nil
}

// Decode implements [Any].
func (a *Array[T]) Decode(first int, src []byte) error {
	data, _ := a.parts()
	n, err := checkRange(len(src), first, len(data), a.DType())
	if err != nil {
		return err
	}
	decode(data[first:first+n], src)
	return nil
}

// Bytes implements [Any].
func (a *Array[T]) Bytes() ([]byte, bool) { return viewBytes(a.Data()) }

func (a *Array[T]) array() (self Any, shape []int) {
	_, shape = a.parts()
	return a, shape
}

// checkRange returns how many elements nbytes hold, an error where they are not
// whole or reach outside of a source of total elements.
func checkRange(nbytes, first, total int, d DType) (int, error) {
	n := nbytes / d.Size()
	if n*d.Size() != nbytes {
		return 0, fmt.Errorf("%w: %d bytes are not whole %s elements", ErrShape, nbytes, d)
	}
	if first < 0 || first > total || n > total-first {
		return 0, fmt.Errorf("%w: %d elements from %d on, of %d", ErrShape, n, first, total)
	}
	return n, nil
}
