package parallel

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// Sum and Dot cut their slices into runs of runLength elements, or of
// Options.Grain, and each run into halves down to at most pairwiseBase, which
// are added up in eight lanes. Changing either changes bits.
const (
	runLength    = 32768
	pairwiseBase = 512
)

// Sum returns the sum of xs, 0 if it is empty.
//
// It is pairwise all the way down, as numpy.sum is: the relative error grows with
// the logarithm of len(xs) and not with its number. Every step is the same on
// each architecture and for any number of workers, and so are the bits.
// Options.Grain is the number of elements that are added up in one go; it decides
// the bits, and 0 means 32768. Options.CollectErrors and Timeout change nothing,
// here and in all ready-made reductions. Errors are the end of ctx and
// [ErrInvalid].
func Sum(ctx context.Context, o *Options, xs []float64) (float64, error) {
	return overRuns(ctx, o, len(xs), func(lo, hi int) float64 { return sum(xs[lo:hi]) }, plus)
}

// Dot returns the sum of the products of x and y, element by element. Slices of
// different lengths are [ErrInvalid]. Otherwise it is like [Sum].
func Dot(ctx context.Context, o *Options, x, y []float64) (float64, error) {
	if len(x) != len(y) {
		return 0, invalid("Dot: the slices have %d and %d elements", len(x), len(y))
	}
	return overRuns(ctx, o, len(x), func(lo, hi int) float64 { return dot(x[lo:hi], y[lo:hi]) }, plus)
}

func plus(a, b float64) float64 { return a + b }

// overRuns merges what f makes of the runs of [0, n), in the fixed tree.
func overRuns[A any](ctx context.Context, o *Options, n int, f func(lo, hi int) A, merge func(a, b A) A) (A, error) {
	grain := 0
	if o != nil {
		grain = o.Grain
	}
	if grain == 0 {
		grain = runLength
	}
	return overGrains(ctx, o, n, grain, f, merge)
}

// overGrains is overRuns with a grain that is the caller's affair: the reduction
// that every ready-made one is.
func overGrains[A any](ctx context.Context, o *Options, n, grain int, f func(lo, hi int) A, merge func(a, b A) A) (A, error) {
	var none A
	s, err := o.resolve(ctx, false)
	if err != nil || n == 0 {
		return none, err
	}
	s.collect, s.grain = false, grain
	t := newTree(merge)
	_, err = s.run(ctx, n, inRanges, func(_ context.Context, lo, hi int, at *int) error {
		t.put(lo/grain, f(lo, hi), func(leaf int) { *at = leaf * grain })
		return nil
	})
	if err != nil {
		return none, err
	}
	return t.result((n-1)/grain+1, grain)
}

// sum adds up x pairwise.
func sum(x []float64) float64 {
	if len(x) > pairwiseBase {
		half := len(x) / 2 &^ 15
		return sum(x[:half]) + sum(x[half:])
	}
	var s [8]float64
	lanes := len(x) &^ 15
	sumLanes(x[:lanes], &s)
	for _, v := range x[lanes:] {
		s[0] += v
	}
	return mergeLanes(&s)
}

// dot is sum of the products.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	if len(x) > pairwiseBase {
		half := len(x) / 2 &^ 7
		return dot(x[:half], y[:half]) + dot(x[half:], y[half:])
	}
	var s [8]float64
	lanes := len(x) &^ 7
	dotLanes(x[:lanes], y[:lanes], &s)
	for i, v := range x[lanes:] {
		s[0] += float64(v * y[lanes+i])
	}
	return mergeLanes(&s)
}

// RowSums returns the sum of each row of m, of which Options.Grain are taken at a
// time. Each is that of a [Sum] in one run. An empty m has no rows; a nil one is
// [ErrInvalid].
func RowSums(ctx context.Context, o *Options, m *mat.Dense) ([]float64, error) {
	return overRows(ctx, o, m, sum)
}

// RowMeans returns the mean of each row of m; otherwise it is [RowSums].
func RowMeans(ctx context.Context, o *Options, m *mat.Dense) ([]float64, error) {
	return overRows(ctx, o, m, func(row []float64) float64 { return sum(row) / float64(len(row)) })
}

// overRows returns what f makes of each row of m.
func overRows[A any](ctx context.Context, o *Options, m *mat.Dense, f func(row []float64) A) ([]A, error) {
	s, err := o.resolve(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := checkMatrix(m); err != nil {
		return nil, err
	}
	raw := m.RawMatrix()
	out := make([]A, raw.Rows)
	_, err = s.run(ctx, raw.Rows, inRanges, func(_ context.Context, lo, hi int, _ *int) error {
		for i := lo; i < hi; i++ {
			out[i] = f(rowOf(raw, i))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
