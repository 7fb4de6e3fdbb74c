package array

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

const (
	// maxBytes bounds the memory of one array, below what any current machine
	// can address, so that an absurd shape is an error and not a crash. The
	// room above it lets offsets of chunks be added without overflow.
	maxBytes = min(1<<46, math.MaxInt-ChunkSize)

	// maxDims is the number of dimensions that NumPy has had since version 2.
	maxDims = 64
)

// Elements returns the number of elements of a shape, 1 for the 0-d shape. It is
// [ErrShape] if an extent is negative, if there are more than 64 dimensions, or if
// the elements would take more than 64 TiB (2 GiB on a 32-bit machine) at itemsize
// bytes each; an itemsize below 1 counts as 1. The extents of an empty array are
// bounded as if those that are 0 were 1, as NumPy bounds them.
func Elements(shape []int, itemsize int) (int, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("%w: %d dimensions, more than %d", ErrShape, len(shape), maxDims)
	}
	n, empty := uint64(1), false
	for _, extent := range shape {
		if extent < 0 {
			return 0, fmt.Errorf("%w: %s has a negative extent", ErrShape, FormatShape(shape))
		}
		if extent == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(extent))
		if hi != 0 || lo > maxBytes {
			return 0, fmt.Errorf("%w: %s has too many elements", ErrShape, FormatShape(shape))
		}
		n = lo
	}
	if hi, size := bits.Mul64(n, uint64(max(itemsize, 1))); hi != 0 || size > maxBytes {
		return 0, fmt.Errorf("%w: %s of %d-byte elements is too large", ErrShape, FormatShape(shape), itemsize)
	}
	if empty {
		return 0, nil
	}
	return int(n), nil
}

// FormatShape writes a shape as Python prints a tuple: (), (3,), (3, 4).
func FormatShape(shape []int) string {
	return string(appendShape(nil, shape))
}

func appendShape(dst []byte, shape []int) []byte {
	dst = append(dst, '(')
	for i, extent := range shape {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, int64(extent), 10)
		if i == 0 || i < len(shape)-1 {
			dst = append(dst, ',')
		}
	}
	return append(dst, ')')
}
