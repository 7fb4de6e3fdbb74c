package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/numcache/numcache/parallel"
)

// The functions of the pipeline know nothing of the cache. Each returns the same
// bits at any number of workers: rows are independent, and within a row the
// order of the sums is fixed.

// standardise returns x with every column shifted and scaled to mean 0 and
// standard deviation 1. A column that is constant becomes 0.
func standardise(_ context.Context, x *mat.Dense) (*mat.Dense, error) {
	rows, columns := x.Dims()
	if rows == 0 {
		return nil, errors.New("standardise: there are no rows")
	}
	z := mat.NewDense(rows, columns, nil)
	column := make([]float64, rows)
	for j := range columns {
		mat.Col(column, j, x)
		mean, deviation := stat.PopMeanStdDev(column, nil)
		floats.AddConst(-mean, column)
		if deviation > 0 {
			floats.Scale(1/deviation, column)
		}
		z.SetCol(j, column)
	}
	return z, nil
}

// principalComponents returns the scores of the first components of z, whose
// columns have mean 0, and the share of the variance that each one explains.
func principalComponents(_ context.Context, z *mat.Dense, components int) (scores *mat.Dense, explained []float64, err error) {
	rows, columns := z.Dims()
	if components < 1 || components > min(rows, columns) {
		return nil, nil, fmt.Errorf("pca: %d components of a %d×%d matrix; choose 1 to %d", components, rows, columns, min(rows, columns))
	}
	var svd mat.SVD
	if !svd.Factorize(z, mat.SVDThin) {
		return nil, nil, errors.New("pca: the singular value decomposition does not converge")
	}
	var u mat.Dense
	svd.UTo(&u)
	singular := svd.Values(nil)

	// The scores are Z·V = U·Σ, so V is not needed.
	scores = mat.NewDense(rows, components, nil)
	column := make([]float64, rows)
	for j := range components {
		mat.Col(column, j, &u)
		floats.Scale(singular[j]*sign(column), column)
		scores.SetCol(j, column)
	}
	total := floats.Dot(singular, singular)
	for _, s := range singular[:components] {
		explained = append(explained, s*s/total)
	}
	return scores, explained, nil
}

// sign returns 1 or -1, whichever makes the largest element of v positive. The
// decomposition leaves the sign of a component open; this settles it.
func sign(v []float64) float64 {
	if floats.Max(v) < -floats.Min(v) {
		return -1
	}
	return 1
}

// workers is how many goroutines share the rows, as in parallel.Options.
type workers int

func (w workers) options() *parallel.Options { return &parallel.Options{Workers: int(w)} }

// distances returns the Euclidean distances between the rows of x.
func (w workers) distances(ctx context.Context, x *mat.Dense) (*mat.Dense, error) {
	rows, _ := x.Dims()
	return parallel.MapRows(ctx, w.options(), x, rows, func(_ context.Context, _ int, row, dst []float64) error {
		for j := range dst {
			var sum float64
			for k, v := range x.RawRowView(j) {
				d := row[k] - v
				sum += d * d
			}
			dst[j] = math.Sqrt(sum)
		}
		return nil
	})
}

// classify gives each row of a distance matrix the label that most of its nearest
// neighbours have, itself left out, and returns these labels and the share of
// them that are right. Of equally near neighbours those that come first count, of
// labels with equally many votes that of the nearest.
func (w workers) classify(ctx context.Context, distances *mat.Dense, labels []int64, neighbours int) (predicted []int64, accuracy float64, err error) {
	rows, columns := distances.Dims()
	switch {
	case rows != columns || rows != len(labels):
		return nil, 0, fmt.Errorf("knn: %d labels for %d×%d distances", len(labels), rows, columns)
	case neighbours < 1 || neighbours >= rows:
		return nil, 0, fmt.Errorf("knn: %d neighbours of %d points; choose 1 to %d", neighbours, rows, rows-1)
	}
	predicted = make([]int64, rows)
	err = parallel.ForRange(ctx, w.options(), rows, func(ctx context.Context, lo, hi int) error {
		others := make([]int, 0, rows)
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			others = others[:0]
			for j := range rows {
				if j != i {
					others = append(others, j)
				}
			}
			row := distances.RawRowView(i)
			slices.SortFunc(others, func(a, b int) int { return cmp.Or(cmp.Compare(row[a], row[b]), a-b) })
			predicted[i] = vote(others[:neighbours], labels)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	right := 0
	for i, p := range predicted {
		if p == labels[i] {
			right++
		}
	}
	return predicted, float64(right) / float64(rows), nil
}

// vote returns the label that occurs most often among points, of equally
// frequent ones that of the point that comes first.
func vote(points []int, labels []int64) int64 {
	votes := make(map[int64]int, len(points))
	most := 0
	for _, p := range points {
		votes[labels[p]]++
		most = max(most, votes[labels[p]])
	}
	for _, p := range points {
		if votes[labels[p]] == most {
			return labels[p]
		}
	}
	return 0
}
