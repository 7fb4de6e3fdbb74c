package parallel

import (
	"context"
	"sync"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

const (
	// gramPanel is how many rows are multiplied at a time: a panel of them is
	// copied column by column, so that both sides of a product lie in a row.
	// Changing it, like the other two, changes bits.
	gramPanel = 128

	// A block is to have gramBlocks for the workers to share, but not so few
	// rows that merging the results takes the longer.
	gramBlocks  = 64
	minGramRows = 256
)

// Gram returns XᵀX, the products of the columns of m with each other.
//
// Sums are taken over blocks of rows, and these merged pairwise, so that the bits
// are the same on each architecture and for any number of workers, and the error
// stays near that of the panel of 128 rows which is added up in one go.
// Options.Grain is the number of rows of a block; it decides the bits, and 0 means
// the larger of 256 and a 64th of all. A result is held for each block in work, and
// a few more. An empty or nil m is [ErrInvalid], for gonum has no empty matrices.
func Gram(ctx context.Context, o *Options, m *mat.Dense) (*mat.SymDense, error) {
	if err := checkMatrix(m); err != nil {
		return nil, err
	}
	raw := m.RawMatrix()
	c := raw.Cols
	if raw.Rows == 0 || c == 0 {
		return nil, invalid("Gram: the matrix is empty")
	}
	if c > maxElements/c {
		return nil, invalid("Gram: a %d×%d result does not fit in memory", c, c)
	}
	rows := 0
	if o != nil {
		rows = o.Grain
	}
	if rows == 0 {
		rows = max((raw.Rows-1)/gramBlocks+1, minGramRows)
	}
	idle := sync.Pool{New: func() any { return new([]float64) }} // results that were merged into another
	panels := sync.Pool{New: func() any { p := make([]float64, tiled(c)*gramPanel); return &p }}
	sum, err := overGrains(ctx, o, raw.Rows, rows, func(lo, hi int) *[]float64 {
		out := idle.Get().(*[]float64)
		if *out == nil {
			*out = make([]float64, c*c)
		} else {
			clear(*out)
		}
		panel := panels.Get().(*[]float64)
		defer panels.Put(panel)
		for ; lo < hi; lo += gramPanel {
			part := partOf(raw, lo, min(lo+gramPanel, hi))
			if hasTiles && c >= tileCols {
				addTiles(part, *panel, *out)
			} else {
				pack(part, *panel)
				addProducts(*panel, part.Rows, c, *out)
			}
		}
		return out
	}, func(a, b *[]float64) *[]float64 {
		for i := range c { // the upper triangle
			addTo((*a)[i*c+i:(i+1)*c], (*b)[i*c+i:(i+1)*c])
		}
		idle.Put(b)
		return a
	})
	if err != nil {
		return nil, err
	}
	return mat.NewSymDense(c, *sum), nil
}

// Four columns by eight are multiplied at a time where the processor has the registers.
// The sums are of the same products in the same order, so that the bits are the same.
const tileRows, tileCols = 4, 8

// tiled is the width of a row that is filled up to whole tiles.
func tiled(c int) int { return (c + tileCols - 1) / tileCols * tileCols }

// addTiles adds to the upper triangle of out the products of the columns of m, which
// it copies into a panel with rows of whole tiles. What fills them up is multiplied too,
// whatever it is, and what comes of it left out.
func addTiles(m blas64.General, panel, out []float64) {
	c, width := m.Cols, tiled(m.Cols)
	for k := range m.Rows {
		copy(panel[k*width:], rowOf(m, k))
	}
	var s [tileRows * tileCols]float64
	for i := 0; i < c; i += tileRows {
		// Below the diagonal this writes what nobody reads.
		for j := i / tileCols * tileCols; j < c; j += tileCols {
			tile(panel, i, j, width, m.Rows, &s)
			for r := range min(tileRows, c-i) {
				sums := s[r*tileCols : (r+1)*tileCols]
				addTo(out[(i+r)*c+j:(i+r)*c+min(j+tileCols, c)], sums[:min(tileCols, c-j)])
			}
		}
	}
}

// pack writes the columns of m one after the other.
func pack(m blas64.General, dst []float64) {
	n := m.Rows
	for i := range n {
		row := rowOf(m, i)
		for j, v := range row {
			dst[j*n+i] = v
		}
	}
}

// addProducts adds to the upper triangle of out, c×c, the products of the columns
// of a panel, n long each. Two columns by four others are multiplied at a time, as
// many sums as registers hold.
func addProducts(panel []float64, n, c int, out []float64) {
	col := func(j int) []float64 { return panel[j*n : (j+1)*n : (j+1)*n] }
	i := 0
	for ; i+2 <= c; i += 2 {
		a, b := col(i), col(i+1)
		up, down := out[i*c:(i+1)*c], out[(i+1)*c:(i+2)*c]
		j := i
		for ; j+4 <= c; j += 4 {
			// Below the diagonal this writes what nobody reads.
			var s [8]float64
			products(a, b, col(j), col(j+1), col(j+2), col(j+3), &s)
			addTo(up[j:j+4], s[:4])
			addTo(down[j:j+4], s[4:])
		}
		for ; j < c; j++ {
			up[j] += product(a, col(j))
			down[j] += product(b, col(j))
		}
	}
	if i < c {
		out[i*c+i] += product(col(i), col(i))
	}
}

// products sets s to the sums of a by p, q, r, t, and of b by these.
func products(a, b, p, q, r, t []float64, s *[8]float64) {
	n := len(a)
	b, p, q, r, t = b[:n], p[:n], q[:n], r[:n], t[:n]
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for k, x := range a {
		y, v := b[k], p[k]
		s0 += float64(x * v)
		s4 += float64(y * v)
		v = q[k]
		s1 += float64(x * v)
		s5 += float64(y * v)
		v = r[k]
		s2 += float64(x * v)
		s6 += float64(y * v)
		v = t[k]
		s3 += float64(x * v)
		s7 += float64(y * v)
	}
	*s = [8]float64{s0, s1, s2, s3, s4, s5, s6, s7}
}

// product is one of products: the same terms in the same order.
func product(a, p []float64) (s float64) {
	p = p[:len(a)]
	for k, x := range a {
		s += float64(x * p[k])
	}
	return s
}
