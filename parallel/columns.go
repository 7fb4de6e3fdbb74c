package parallel

import (
	"context"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// rowsBase is how many rows are added up one after the other in a column; more are
// halved. Changing it changes bits.
const rowsBase = 64

// ColumnSums returns the sum of each column of m, nil if m is empty.
//
// It is pairwise over the rows, so that the error grows with the logarithm of
// their number, and has the same bits on each architecture and for any number of
// workers. Options.Grain is the number of rows of a block that is added up in one
// go; it decides the bits, and 0 means the larger of what a [RowBlocks] block has
// and a 256th of all. A nil m is [ErrInvalid].
func ColumnSums(ctx context.Context, o *Options, m *mat.Dense) ([]float64, error) {
	return overColumns(ctx, o, m, func(part blas64.General) []float64 {
		sums := make([]float64, part.Cols)
		columnSums(part, sums, nil)
		return sums
	}, func(a, b []float64) []float64 {
		addTo(a, b)
		return a
	})
}

// ColumnMeans returns the mean of each column of m: [ColumnSums] by the number of
// rows.
func ColumnMeans(ctx context.Context, o *Options, m *mat.Dense) ([]float64, error) {
	means, err := ColumnSums(ctx, o, m)
	if err != nil {
		return nil, err
	}
	rows, _ := m.Dims()
	for j := range means {
		means[j] /= float64(rows)
	}
	return means, nil
}

// overColumns merges what f makes of blocks of rows, in the fixed tree.
func overColumns[A any](ctx context.Context, o *Options, m *mat.Dense, f func(part blas64.General) A, merge func(a, b A) A) (A, error) {
	var none A
	if err := checkMatrix(m); err != nil {
		return none, err
	}
	raw := m.RawMatrix()
	if raw.Rows == 0 || raw.Cols == 0 {
		_, err := o.resolve(ctx, false)
		return none, err
	}
	rows := 0
	if o != nil {
		rows = o.Grain
	}
	if rows == 0 {
		rows = max(blockBytes/8/raw.Cols, (raw.Rows-1)/maxGrains+1)
	}
	return overGrains(ctx, o, raw.Rows, rows, func(lo, hi int) A { return f(partOf(raw, lo, hi)) }, merge)
}

// partOf returns the rows [lo, hi) of m, at least one.
func partOf(m blas64.General, lo, hi int) blas64.General {
	m.Data = m.Data[lo*m.Stride : (hi-1)*m.Stride+m.Cols]
	m.Rows = hi - lo
	return m
}

// columnSums sets dst to the sums of the columns of m. scratch is room that it may
// use, one slice for each level of halving, and returns for its next call.
func columnSums(m blas64.General, dst []float64, scratch [][]float64) [][]float64 {
	if m.Rows <= rowsBase {
		clear(dst)
		addRows(m, dst)
		return scratch
	}
	half := m.Rows / 2 &^ 7
	scratch = columnSums(partOf(m, 0, half), dst, scratch)
	var other []float64
	if last := len(scratch) - 1; last >= 0 {
		other, scratch = scratch[last], scratch[:last]
	} else {
		other = make([]float64, len(dst))
	}
	scratch = columnSums(partOf(m, half, m.Rows), other, scratch)
	addTo(dst, other)
	return append(scratch, other)
}

// addRows adds the rows of m to dst, eight at a time: there is one addition in
// eight that waits for the one before.
func addRows(m blas64.General, dst []float64) {
	i, n := 0, len(dst)
	for ; i+8 <= m.Rows; i += 8 {
		a, b, c, d := rowOf(m, i)[:n], rowOf(m, i+1)[:n], rowOf(m, i+2)[:n], rowOf(m, i+3)[:n]
		e, f, g, h := rowOf(m, i+4)[:n], rowOf(m, i+5)[:n], rowOf(m, i+6)[:n], rowOf(m, i+7)[:n]
		for j := range dst {
			dst[j] += ((a[j] + b[j]) + (c[j] + d[j])) + ((e[j] + f[j]) + (g[j] + h[j]))
		}
	}
	for ; i < m.Rows; i++ {
		addTo(dst, rowOf(m, i))
	}
}

func addTo(dst, x []float64) {
	x = x[:len(dst)]
	for j := range dst {
		dst[j] += x[j]
	}
}
