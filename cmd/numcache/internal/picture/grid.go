package picture

import (
	"context"
	"math"

	"github.com/numcache/numcache/array"
)

// grid is a matrix of which each element is the mean of a block, or of each channel of
// a block of an image.
type grid struct {
	rows, columns, channels int
	height, width           int       // of the matrix that was reduced
	means                   []float64 // in C order
}

// gridOf reads src, a matrix, as one of at most the given rows and columns. NaNs are
// left out of the means.
func gridOf(ctx context.Context, src array.Source, height, width, channels, rows, columns int) (*grid, error) {
	g := &grid{rows: min(height, rows), columns: min(width, columns), channels: channels, height: height, width: width}
	g.means = make([]float64, g.rows*g.columns*channels)
	counts := make([]int, len(g.means))
	to := make([]int, width) // the column of the grid that one of the matrix goes to
	for j := range to {
		to[j] = int(float64(j) * float64(g.columns) / float64(width))
	}
	line := width * channels
	err := each(ctx, src, func(first int, values []float64) {
		for len(values) > 0 {
			i, at := first/line, first%line
			row := int(float64(i) * float64(g.rows) / float64(height))
			base := row * g.columns * channels
			k := min(len(values), line-at)
			for _, v := range values[:k] {
				if cell := base + to[at/channels]*channels + at%channels; !math.IsNaN(v) {
					g.means[cell] += v
					counts[cell]++
				}
				at++
			}
			values, first = values[k:], first+k
		}
	})
	for i, n := range counts {
		g.means[i] /= float64(n) // 0/0 is NaN, as it should be
	}
	return g, err
}

// at returns the mean of a block.
func (g *grid) at(row, column, channel int) float64 {
	return g.means[(row*g.columns+column)*g.channels+channel]
}

// extent returns the range of the means.
func (g *grid) extent() (e extent) {
	for _, v := range g.means {
		e.add(v)
	}
	return e
}

// isReduced reports whether the grid has fewer elements than the matrix.
func (g *grid) isReduced() bool { return g.rows < g.height || g.columns < g.width }

// position returns where v stands in the range, from 0 to 1: infinities at its ends.
// The range of a single value is that value in the middle.
func (e *extent) position(v float64) float64 {
	switch {
	case math.IsInf(v, 1):
		return 1
	case math.IsInf(v, -1):
		return 0
	case e.hi == e.lo:
		return 0.5
	}
	return (v - e.lo) / (e.hi - e.lo)
}
