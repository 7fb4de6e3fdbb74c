package parallel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Extrema are the least and the largest of some values. If one of the values is NaN
// both are, as in numpy.min and numpy.max, and -0 is less than 0.
type Extrema struct{ Min, Max float64 }

// noExtrema are those of no values, which change nothing when merged: +Inf and -Inf.
var noExtrema = Extrema{math.Inf(1), math.Inf(-1)}

// Merge returns the extrema of two parts together.
func (e Extrema) Merge(other Extrema) Extrema {
	return Extrema{min(e.Min, other.Min), max(e.Max, other.Max)}
}

// ExtremaOf returns the extrema of xs. No values have none: an empty xs is an
// error that matches [ErrInvalid], as it is for numpy.min. Other errors are those
// of [Sum].
func ExtremaOf(ctx context.Context, o *Options, xs []float64) (Extrema, error) {
	if len(xs) == 0 {
		return Extrema{}, invalid("ExtremaOf: no values have no extrema")
	}
	return overRuns(ctx, o, len(xs), func(lo, hi int) Extrema { return extremaOf(xs[lo:hi]) }, Extrema.Merge)
}

// RowExtrema returns the extrema of each row of m; otherwise it is [RowSums].
func RowExtrema(ctx context.Context, o *Options, m *mat.Dense) ([]Extrema, error) {
	return overRows(ctx, o, m, extremaOf)
}

// ColumnExtrema returns the extrema of each column of m, nil if m is empty.
// Otherwise it is [ColumnSums], but for the bits, which nothing changes.
func ColumnExtrema(ctx context.Context, o *Options, m *mat.Dense) ([]Extrema, error) {
	return overColumns(ctx, o, m, func(part blas64.General) []Extrema {
		all := make([]Extrema, part.Cols)
		for j := range all {
			all[j] = noExtrema
		}
		for i := range part.Rows {
			row := rowOf(part, i)
			for j := range all {
				all[j].Min = min(all[j].Min, row[j])
				all[j].Max = max(all[j].Max, row[j])
			}
		}
		return all
	}, func(a, b []Extrema) []Extrema {
		for j := range a {
			a[j] = a[j].Merge(b[j])
		}
		return a
	})
}

func extremaOf(x []float64) Extrema {
	a, b := noExtrema, noExtrema
	for len(x) >= 2 {
		a.Min, a.Max = min(a.Min, x[0]), max(a.Max, x[0])
		b.Min, b.Max = min(b.Min, x[1]), max(b.Max, x[1])
		x = x[2:]
	}
	if len(x) > 0 {
		a.Min, a.Max = min(a.Min, x[0]), max(a.Max, x[0])
	}
	return a.Merge(b)
}
