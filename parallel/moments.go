package parallel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Moments are the number, the mean and the spread of some values. The zero value is
// that of no values, and Moments of parts merge into those of the whole, so that
// they can be the accumulator of a [Reduce]:
//
//	m, err := parallel.Reduce(ctx, nil, xs, parallel.Moments{}, parallel.Moments.Add, parallel.Moments.Merge)
type Moments struct {
	N    int
	Mean float64
	M2   float64 // the sum of the squared distances from the mean
}

// Add returns the moments with one more value: Welford's update.
func (m Moments) Add(x float64) Moments { return m.Merge(Moments{N: 1, Mean: x}) }

// Merge returns the moments of two parts together, by the pairwise update of Chan,
// Golub and LeVeque (1979), which loses no digits to a mean that is large beside the
// spread. An infinite value makes the mean infinite, or NaN beside its opposite, and
// M2 NaN, as in NumPy.
func (m Moments) Merge(other Moments) Moments {
	switch {
	case m.N == 0:
		return other
	case other.N == 0:
		return m
	}
	a, b, n := float64(m.N), float64(other.N), float64(m.N+other.N)
	out := Moments{N: m.N + other.N}
	if math.IsInf(m.Mean, 0) || math.IsInf(other.Mean, 0) {
		out.Mean, out.M2 = m.Mean+other.Mean, math.NaN()
		return out
	}
	d := other.Mean - m.Mean
	out.Mean = m.Mean + float64(d*(b/n))
	out.M2 = (m.M2 + other.M2) + float64(float64(d*d)*(a*(b/n)))
	return out
}

// Sum returns N times the mean.
func (m Moments) Sum() float64 { return float64(m.N) * m.Mean }

// Variance returns the variance of the values with ddof degrees of freedom taken off,
// as numpy.var counts them: 0 for that of a whole population, 1 for the unbiased
// estimate from a sample, which gonum's stat.Variance is. It is NaN if no more than
// ddof values are there.
func (m Moments) Variance(ddof int) float64 {
	if m.N <= ddof {
		return math.NaN()
	}
	return m.M2 / float64(m.N-ddof)
}

// StdDev returns the square root of the variance.
func (m Moments) StdDev(ddof int) float64 { return math.Sqrt(m.Variance(ddof)) }

// MomentsOf returns the moments of xs. Each run is gone through twice, for its mean
// and for the distances from it, and runs are merged pairwise. The grain, errors and
// what the bits depend on are those of [Sum].
func MomentsOf(ctx context.Context, o *Options, xs []float64) (Moments, error) {
	return overRuns(ctx, o, len(xs), func(lo, hi int) Moments { return momentsOf(xs[lo:hi]) }, Moments.Merge)
}

// RowMoments returns the moments of each row of m; otherwise it is [RowSums].
func RowMoments(ctx context.Context, o *Options, m *mat.Dense) ([]Moments, error) {
	return overRows(ctx, o, m, momentsOf)
}

// ColumnMoments returns the moments of each column of m. Blocks of rows are gone
// through twice, for the means and for the distances from them, and merged
// pairwise. The grain, errors and what the bits depend on are those of [ColumnSums].
func ColumnMoments(ctx context.Context, o *Options, m *mat.Dense) ([]Moments, error) {
	return overColumns(ctx, o, m, func(part blas64.General) []Moments {
		// A grain may be of any size: what is gone through twice should be in
		// the cache the second time.
		rows := max(blockBytes/8/part.Cols, 1)
		all := blockMoments(partOf(part, 0, min(rows, part.Rows)))
		for lo := rows; lo < part.Rows; lo += rows {
			mergeMoments(all, blockMoments(partOf(part, lo, min(lo+rows, part.Rows))))
		}
		return all
	}, mergeMoments)
}

func mergeMoments(a, b []Moments) []Moments {
	for j := range a {
		a[j] = a[j].Merge(b[j])
	}
	return a
}

// momentsOf returns the moments of a run. What rounding has left of the sum of the
// distances corrects both.
func momentsOf(x []float64) Moments {
	if len(x) == 0 {
		return Moments{}
	}
	n := float64(len(x))
	mean := sum(x) / n
	d, d2 := distances(x, mean)
	return moments(len(x), mean, d, d2)
}

// moments returns those of n values, of whose distances from about the mean d is
// the sum and d2 that of the squares.
func moments(n int, mean, d, d2 float64) Moments {
	if math.IsInf(mean, 0) {
		return Moments{N: n, Mean: mean, M2: math.NaN()}
	}
	off := d / float64(n)
	return Moments{N: n, Mean: mean + off, M2: max(d2-float64(d*off), 0)}
}

// distances adds up x - mean and its square, pairwise.
func distances(x []float64, mean float64) (d, d2 float64) {
	if len(x) > pairwiseBase {
		half := len(x) / 2 &^ 7
		d1, s1 := distances(x[:half], mean)
		d2, s2 := distances(x[half:], mean)
		return d1 + d2, s1 + s2
	}
	var a, b, c, e, a2, b2, c2, e2 float64
	for len(x) >= 4 {
		p, q, r, s := x[0]-mean, x[1]-mean, x[2]-mean, x[3]-mean
		a += p
		b += q
		c += r
		e += s
		a2 += float64(p * p)
		b2 += float64(q * q)
		c2 += float64(r * r)
		e2 += float64(s * s)
		x = x[4:]
	}
	for _, v := range x {
		a += v - mean
		a2 += float64((v - mean) * (v - mean))
	}
	return (a + b) + (c + e), (a2 + b2) + (c2 + e2)
}

// blockMoments returns the moments of the columns of m.
func blockMoments(m blas64.General) []Moments {
	c := m.Cols
	room := make([]float64, 5*c)
	mean, d, d2, part, part2 := room[:c], room[c:2*c], room[2*c:3*c], room[3*c:4*c], room[4*c:]
	columnSums(m, mean, nil)
	for j := range mean {
		mean[j] /= float64(m.Rows)
	}
	for lo := 0; lo < m.Rows; lo += rowsBase {
		clear(part)
		clear(part2)
		for i := lo; i < min(lo+rowsBase, m.Rows); i++ {
			addDistances(rowOf(m, i), mean, part, part2)
		}
		addTo(d, part)
		addTo(d2, part2)
	}
	all := make([]Moments, c)
	for j := range all {
		all[j] = moments(m.Rows, mean[j], d[j], d2[j])
	}
	return all
}

func addDistances(row, mean, d, d2 []float64) {
	mean, d, d2 = mean[:len(row)], d[:len(row)], d2[:len(row)]
	for j, v := range row {
		x := v - mean[j]
		d[j] += x
		d2[j] += float64(x * x)
	}
}
