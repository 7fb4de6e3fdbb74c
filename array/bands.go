package array

import (
	"fmt"
	"slices"
)

// band is a diagonal band of a matrix: its elements (i, j) with
// -below ≤ j-i ≤ above, each at data[base+i·row+j·col]. All that gonum keeps in
// memory are bands: a whole matrix is the widest one, a triangle reaches from the
// diagonal to a corner.
type band[T Element] struct {
	data           []T
	base, row, col int
	below, above   int
}

// transposed returns the band of the transposed matrix.
func (b band[T]) transposed() band[T] {
	return band[T]{b.data, b.base, b.col, b.row, b.above, b.below}
}

// bands is a rows×cols matrix, or a vector as one row, of bands that have no
// element in common. What lies in none of them is 0.
type bands[T Element] struct {
	shape      []int
	rows, cols int
	list       []band[T]
	full       bool // the bands leave nothing out
	conjugate  bool // of complex128
}

// viewBands returns the matrix that the bands make: the array that it is, where
// the elements lie in order and without gaps. Whoever uses gonum's SetRaw methods
// can give a matrix any data, so it is checked that no element lies outside.
func viewBands[T Element](shape []int, rows, cols int, list []band[T]) (Source, error) {
	n, err := Elements([]int{rows, cols}, dtypeOf[T]().Size())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return &Array[T]{shape: shape}, nil
	}
	diagonals := 0
	for i := range list {
		b := &list[i]
		b.below, b.above = min(b.below, rows-1), min(b.above, cols-1)
		if !b.inside(rows, cols) {
			return nil, fmt.Errorf("%w: %s with strides %d and %d reaches outside of its %d elements",
				ErrShape, FormatShape([]int{rows, cols}), b.row, b.col, len(b.data))
		}
		diagonals += b.below + b.above + 1
	}
	m := &bands[T]{shape: shape, rows: rows, cols: cols, list: list, full: diagonals == rows+cols-1}
	if b := &m.list[0]; len(list) == 1 && m.full {
		if cols == 1 { // one row, whose elements are read in one go
			*b = b.transposed()
			m.rows, m.cols = cols, rows
		}
		if (m.cols == 1 || b.col == 1) && (m.rows == 1 || b.row == m.cols) {
			return &Array[T]{data: b.data[b.base : b.base+n : b.base+n], shape: shape}, nil
		}
	}
	return m, nil
}

// inside reports whether every element that b has of a rows×cols matrix lies in
// its data.
func (b *band[T]) inside(rows, cols int) bool {
	first, last := max(0, -b.above), min(rows-1, cols-1+b.below)
	if first > last {
		return true
	}
	if b.base < 0 || b.row < 0 || b.col < 0 {
		return false
	}
	// The greatest index is that of a corner of the band.
	for _, corner := range []int{last, cols - 1 - b.above} {
		i := min(max(corner, first), last)
		j := min(cols-1, i+b.above)
		rest := len(b.data) - 1 - b.base
		if rest < 0 || i > 0 && b.row > rest/i {
			return false
		}
		if rest -= i * b.row; j > 0 && b.col > rest/j {
			return false
		}
	}
	return true
}

func (m *bands[T]) DType() DType { return dtypeOf[T]() }
func (m *bands[T]) Shape() []int { return slices.Clone(m.shape) }

func (m *bands[T]) Encode(dst []byte, first int) error {
	n, err := checkRange(len(dst), first, m.rows*m.cols, m.DType())
	if err != nil {
		return err
	}
	if !m.full {
		clear(dst)
	}
	for rest, i, j := dst, first/m.cols, first%m.cols; n > 0; j = 0 {
		rows, cols := 1, min(m.cols-j, n)
		if cols == m.cols {
			rows = n / cols
		}
		for k := range m.list {
			m.list[k].encode(rest, i, j, rows, cols)
		}
		rest, n, i = rest[rows*cols*m.DType().Size():], n-rows*cols, i+rows
	}
	if m.conjugate {
		for k := 15; k < len(dst); k += 16 { // the byte with the sign of the imaginary part
			dst[k] ^= 0x80
		}
	}
	return nil
}

// strip is how many columns are read at once where a row is not contiguous in
// memory, but a column may be. More of them than a first-level cache has ways would
// evict each other where their distance is a power of two.
const strip = 8

// encode writes the elements that b has in the rows×cols block from (i0, j0) on to
// their places in dst, which holds that block.
func (b *band[T]) encode(dst []byte, i0, j0, rows, cols int) {
	size := dtypeOf[T]().Size()
	lo, hi := max(j0, i0-b.below), min(j0+cols, i0+rows+b.above)
	width := strip
	if rows == 1 || b.col == 1 || b.below+b.above < strip {
		width = cols
	}
	for ; lo < hi; lo += width {
		end := min(lo+width, hi)
		for i := max(i0, lo-b.above); i < min(i0+rows, end+b.below); i++ {
			j, stop := max(lo, i-b.below), min(end, i+b.above+1)
			at := (i-i0)*cols + j - j0
			gather(dst[at*size:(at+stop-j)*size], b.data, b.base+i*b.row+j*b.col, b.col)
		}
	}
}

// gather fills dst with the elements of data at the index at, at+step, ….
func gather[T Element](dst []byte, data []T, at, step int) {
	n := len(dst) / dtypeOf[T]().Size()
	if step == 1 {
		encode(dst, data[at:at+n])
		return
	}
	if out, ok := viewElementsOf[T](dst); ok {
		for i := range out {
			out[i] = data[at]
			at += step
		}
		return
	}
	var buffer [64]T
	for n > 0 {
		part := buffer[:min(n, len(buffer))]
		for i := range part {
			part[i] = data[at]
			at += step
		}
		encode(dst[:len(dst)/n*len(part)], part)
		dst, n = dst[len(dst)/n*len(part):], n-len(part)
	}
}
