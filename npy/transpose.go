package npy

import (
	"slices"

	"github.com/numcache/numcache/array"
)

func reversed(shape []int) []int {
	r := slices.Clone(shape)
	slices.Reverse(r)
	return r
}

// transpose returns the elements of a, which are those of an array of the given
// shape in Fortran order, in C order.
func transpose(a array.Any, shape []int) (array.Any, error) {
	dst, err := array.Uninitialized(a.DType(), shape...)
	if err != nil || a.Len() == 0 {
		return dst, err
	}
	switch dst := dst.(type) {
	case *array.Array[bool]:
		toC(dst, a)
	case *array.Array[int8]:
		toC(dst, a)
	case *array.Array[int16]:
		toC(dst, a)
	case *array.Array[int32]:
		toC(dst, a)
	case *array.Array[int64]:
		toC(dst, a)
	case *array.Array[uint8]:
		toC(dst, a)
	case *array.Array[uint16]:
		toC(dst, a)
	case *array.Array[uint32]:
		toC(dst, a)
	case *array.Array[uint64]:
		toC(dst, a)
	case *array.Array[array.Half]:
		toC(dst, a)
	case *array.Array[float32]:
		toC(dst, a)
	case *array.Array[float64]:
		toC(dst, a)
	case *array.Array[complex64]:
		toC(dst, a)
	case *array.Array[complex128]:
		toC(dst, a)
	}
	return dst, nil
}

// block is the side of the square that toC moves at a time: its rows and
// columns of 16-byte elements fit the first-level cache together.
const block = 32

// toC moves the elements of src, in Fortran order of dst's shape, to dst. It
// walks the planes that the first and the last axis span, in blocks, and counts
// through the axes between them.
func toC[T array.Element](dst *array.Array[T], from array.Any) {
	src := from.(*array.Array[T]).Data()
	out, shape := dst.Data(), dst.Shape()
	last := len(shape) - 1
	rows, cols := shape[0], shape[last]
	rowStep, colStep := len(out)/rows, len(out)/cols // of out and of src
	middle := shape[1:last]
	index := make([]int, len(middle))
	for {
		// Where the plane at index begins in either order.
		outAt, srcAt, step := 0, 0, rows
		for axis, i := range index {
			outAt = outAt*middle[axis] + i
			srcAt += i * step
			step *= middle[axis]
		}
		outAt *= cols
		for r0 := 0; r0 < rows; r0 += block {
			for c0 := 0; c0 < cols; c0 += block {
				for r := r0; r < min(rows, r0+block); r++ {
					for c := c0; c < min(cols, c0+block); c++ {
						out[outAt+r*rowStep+c] = src[srcAt+r+c*colStep]
					}
				}
			}
		}
		axis := len(index) - 1
		for ; axis >= 0; axis-- {
			if index[axis]++; index[axis] < middle[axis] {
				break
			}
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}
