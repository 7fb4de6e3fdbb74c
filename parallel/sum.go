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
	var a, b, c, d, e, f, g, h float64
	for len(x) >= 16 {
		a += x[0] + x[8]
		b += x[1] + x[9]
		c += x[2] + x[10]
		d += x[3] + x[11]
		e += x[4] + x[12]
		f += x[5] + x[13]
		g += x[6] + x[14]
		h += x[7] + x[15]
		x = x[16:]
	}
	for _, v := range x {
		a += v
	}
	return ((a + b) + (c + d)) + ((e + f) + (g + h))
}

// dot is sum of the products. Each is rounded before it is added, which the
// conversions ask for, so that no architecture fuses the two.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	if len(x) > pairwiseBase {
		half := len(x) / 2 &^ 7
		return dot(x[:half], y[:half]) + dot(x[half:], y[half:])
	}
	var a, b, c, d, e, f, g, h float64
	for len(x) >= 8 && len(y) >= 8 {
		a += float64(x[0] * y[0])
		b += float64(x[1] * y[1])
		c += float64(x[2] * y[2])
		d += float64(x[3] * y[3])
		e += float64(x[4] * y[4])
		f += float64(x[5] * y[5])
		g += float64(x[6] * y[6])
		h += float64(x[7] * y[7])
		x, y = x[8:], y[8:]
	}
	for i, v := range x {
		a += float64(v * y[i])
	}
	return ((a + b) + (c + d)) + ((e + f) + (g + h))
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
