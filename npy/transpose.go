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

// toC moves the elements of src, in Fortran order of dst's shape, to dst. The
// first and the last axis span planes, one for each index of the axes between
// them; the columns of each are moved in parts, on all cores where it is worth it.
func toC[T array.Element](dst *array.Array[T], from array.Any) {
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
	// scatterWidth is how many columns are moved at once: eight 8-byte elements
	// are a cache line, and more columns whose distance is a power of two would
	// evict each other from the first-level cache.
	scatterWidth = 8
)

// scatter writes width columns of height elements, which lie colStep apart in
// src, into the rows of dst, which lie rowStep apart.
func scatter[T array.Element](dst []T, rowStep int, src []T, colStep, height, width int) {
	c := 0
	for ; c+scatterWidth <= width; c += scatterWidth {
		s := src[c*colStep:]
		s0, s1, s2, s3 := s[:height], s[colStep:][:height], s[2*colStep:][:height], s[3*colStep:][:height]
		s4, s5, s6, s7 := s[4*colStep:][:height], s[5*colStep:][:height], s[6*colStep:][:height], s[7*colStep:][:height]
		for r := range s0 {
			row := dst[r*rowStep+c:][:scatterWidth]
			row[0], row[1], row[2], row[3] = s0[r], s1[r], s2[r], s3[r]
			row[4], row[5], row[6], row[7] = s4[r], s5[r], s6[r], s7[r]
		}
	}
	for ; c < width; c++ {
		for r, v := range src[c*colStep:][:height] {
			dst[r*rowStep+c] = v
		}
	}
}
