package array

import (
	"fmt"
	"math"
	"slices"
)

// strided is a matrix or vector whose element (i, j) is data[i·row + j·col]. A
// vector is one row, and its shape has one extent.
type strided struct {
	data       []float64
	shape      []int
	rows, cols int
	row, col   int
}

// viewStrided returns the elements (i, j) of data at i·row + j·col: the array
// that they are, where there are no gaps. Whoever uses gonum's SetRaw methods
// can give a matrix any data, so it is checked that none lies outside.
func viewStrided(data []float64, shape []int, row, col int) (Source, error) {
	n, err := Elements(shape, Float64.Size())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return &Array[float64]{shape: shape}, nil
	}
	rows, cols := 1, shape[len(shape)-1]
	if len(shape) == 2 {
		rows = shape[0]
	}
	if len(data) == 0 || !within(rows, row, len(data)-1) || !within(cols, col, len(data)-1-(rows-1)*row) {
		return nil, fmt.Errorf("%w: %s with strides %d and %d reaches outside of its %d elements",
			ErrShape, FormatShape(shape), row, col, len(data))
	}
	if (cols == 1 || col == 1) && (rows == 1 || row == cols) {
		return &Array[float64]{data: data[:n:n], shape: shape}, nil
	}
	return &strided{data, shape, rows, cols, row, col}, nil
}

// within reports whether 0 ≤ (n-1)·step ≤ last, for n > 0.
func within(n, step, last int) bool {
	return n == 1 || step >= 0 && step <= last/(n-1)
}

func (s *strided) DType() DType { return Float64 }
func (s *strided) Shape() []int { return slices.Clone(s.shape) }

// strip is how many columns of a transposed matrix are read at once. Down the
// rows each of them is contiguous in memory; more of them than a first-level cache
// has ways would evict each other where their distance is a power of two.
const strip = 8

func (s *strided) Encode(dst []byte, first int) error {
	n, err := checkRange(len(dst), first, s.rows*s.cols, Float64)
	if err != nil {
		return err
	}
	for i, j := first/s.cols, first%s.cols; n > 0; j = 0 {
		rows, run := 1, min(s.cols-j, n)
		if s.col == 1 {
			at := i*s.row + j
			encode(dst[:8*run], s.data[at:at+run])
		} else {
			if j == 0 && run == s.cols {
				rows = n / s.cols
			}
			for k := 0; k < run; k += strip {
				s.encodeStrip(dst[8*k:], i, j+k, rows, min(strip, run-k))
			}
		}
		dst, n, i = dst[8*rows*run:], n-rows*run, i+rows
	}
	return nil
}

// encodeStrip writes rows×cols elements from (i, j) on to dst, which holds whole
// rows of s if rows is not 1.
func (s *strided) encodeStrip(dst []byte, i, j, rows, cols int) {
	for r := range rows {
		at := (i+r)*s.row + j*s.col
		out := dst[8*r*s.cols:]
		out = out[:8*cols]
		for ; len(out) >= 8; out = out[8:] {
			le.PutUint64(out, math.Float64bits(s.data[at]))
			at += s.col
		}
	}
}
