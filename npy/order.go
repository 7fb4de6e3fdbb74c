package npy

import "iter"

// fortranOrder yields, for each element of an array of the given shape, its place in
// Fortran order and in C order. It counts the places in Fortran order up from 0.
func fortranOrder(shape []int) iter.Seq2[int, int] {
	return func(yield func(fortran, c int) bool) {
		n := 1
		steps := make([]int, len(shape)) // of each axis, in C order
		for axis := len(shape) - 1; axis >= 0; axis-- {
			steps[axis] = n
			n *= shape[axis]
		}
		index := make([]int, len(shape))
		for k, c := 0, 0; k < n && yield(k, c); k++ {
			for axis := range shape { // the first one varies fastest
				c += steps[axis]
				if index[axis]++; index[axis] < shape[axis] {
					break
				}
				c -= index[axis] * steps[axis]
				index[axis] = 0
			}
		}
	}
}
