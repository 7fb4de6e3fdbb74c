package array

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// maxBytes bounds the memory of one array, below what any current machine can
// address, so that an absurd shape is an error and not a crash.
const maxBytes = min(1<<46, math.MaxInt)

// Elements returns the number of elements of a shape, 1 for the 0-d shape. A
// negative extent, or a product whose bytes at itemsize would overflow, is
// ErrShape.
func Elements(shape []int, itemsize int) (int, error) {
	n, empty := uint64(1), false
	for _, extent := range shape {
		if extent < 0 {
			return 0, fmt.Errorf("%w: %s has a negative extent", ErrShape, FormatShape(shape))
		}
		if extent == 0 {
			empty = true
			continue
		}
		// The other extents of an empty array are bounded too: NumPy refuses
		// to multiply them past its index type.
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
