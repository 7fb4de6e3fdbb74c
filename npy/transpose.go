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

// longAxes returns the extents that are not 1.
func longAxes(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(extent int) bool { return extent == 1 })
}

// transpose returns the elements of a, which are those of an array of the given
// shape in Fortran order, in C order. The array is not empty.
func transpose(a array.Any, shape []int) (array.Any, error) {
	dst, err := array.Uninitialized(a.DType(), shape...)
	if err != nil {
		return nil, err
	}
	cOrderOf(dst).transpose(a)
	return dst, nil
}

// cOrder is an array that elements in Fortran order are moved to.
type cOrder[T array.Element] struct{ *array.Array[T] }

// cOrderOf returns a, an array of whatever type, as the cOrder of its type.
func cOrderOf(a array.Any) interface {
	readTiles(e *body, rows, cols int) error
	transpose(from array.Any)
} {
	switch a := a.(type) {
	case *array.Array[bool]:
		return cOrder[bool]{a}
	case *array.Array[int8]:
		return cOrder[int8]{a}
	case *array.Array[int16]:
		return cOrder[int16]{a}
	case *array.Array[int32]:
		return cOrder[int32]{a}
	case *array.Array[int64]:
		return cOrder[int64]{a}
	case *array.Array[uint8]:
		return cOrder[uint8]{a}
	case *array.Array[uint16]:
		return cOrder[uint16]{a}
	case *array.Array[uint32]:
		return cOrder[uint32]{a}
	case *array.Array[uint64]:
		return cOrder[uint64]{a}
	case *array.Array[array.Half]:
		return cOrder[array.Half]{a}
	case *array.Array[float32]:
		return cOrder[float32]{a}
	case *array.Array[float64]:
		return cOrder[float64]{a}
	case *array.Array[complex64]:
		return cOrder[complex64]{a}
	default:
		return cOrder[complex128]{a.(*array.Array[complex128])}
	}
}

// transpose moves the elements of from, in Fortran order of dst's shape, to dst. The
// first and the last axis span planes, one for each index of the axes between
// them; the columns of each are moved in parts, on all cores where it is worth it.
func (dst cOrder[T]) transpose(from array.Any) {
	src := from.(*array.Array[T]).Data()
	out, shape := dst.Data(), dst.Shape()
	last := len(shape) - 1
	rows, cols := shape[0], shape[last]
	rowStep, colStep := len(out)/rows, len(out)/cols // of out and of src
	middle := shape[1:last]
	parts := (cols + partWidth - 1) / partWidth
	planes := len(out) / rows / cols
	move := func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			plane, c := i/parts, i%parts*partWidth
			// Where the plane begins in src, whose first index varies fastest.
			srcAt, step := 0, colStep
			for axis, rest := len(middle)-1, plane; axis >= 0; axis-- {
				step /= middle[axis]
				srcAt += rest % middle[axis] * step
				rest /= middle[axis]
			}
			scatter(out[plane*cols+c:], rowStep, src[srcAt+c*colStep:], colStep, rows, min(partWidth, cols-c))
		}
		return nil
	}
	if len(out)*dst.DType().Size() < minPositioned {
		_ = move(0, planes*parts)
		return
	}
	_ = inParallel(planes*parts, move) // move returns no error
}

const (
	// partWidth is how many columns are moved as one part of the work.
	partWidth = 64
	// square is the side of what is moved at once. Of 8-byte elements its rows
	// and its columns are cache lines, which no neighbour needs again.
	square = 8
)

// scatter writes width columns of height elements, which lie colStep apart in
// src, into the rows of dst, which lie rowStep apart: squares first, then what is
// left of them on two sides.
func scatter[T array.Element](dst []T, rowStep int, src []T, colStep, height, width int) {
	squareRows, squareCols := height&^(square-1), width&^(square-1)
	for r := 0; r < squareRows; r += square {
		for c := 0; c < squareCols; c += square {
			s := src[c*colStep+r:]
			s0, s1 := (*[square]T)(s), (*[square]T)(s[colStep:])
			s2, s3 := (*[square]T)(s[2*colStep:]), (*[square]T)(s[3*colStep:])
			s4, s5 := (*[square]T)(s[4*colStep:]), (*[square]T)(s[5*colStep:])
			s6, s7 := (*[square]T)(s[6*colStep:]), (*[square]T)(s[7*colStep:])
			d := dst[r*rowStep+c:]
			for i := range s0 {
				*(*[square]T)(d[i*rowStep:]) = [square]T{s0[i], s1[i], s2[i], s3[i], s4[i], s5[i], s6[i], s7[i]}
			}
		}
	}
	scatterEdge(dst, rowStep, src, colStep, 0, height, squareCols, width)
	scatterEdge(dst, rowStep, src, colStep, squareRows, height, 0, squareCols)
}

// scatterEdge is scatter of the rows [r0, r1) and columns [c0, c1), one by one.
func scatterEdge[T array.Element](dst []T, rowStep int, src []T, colStep, r0, r1, c0, c1 int) {
	for c := c0; c < c1; c++ {
		for r := r0; r < r1; r++ {
			dst[r*rowStep+c] = src[c*colStep+r]
		}
	}
}
