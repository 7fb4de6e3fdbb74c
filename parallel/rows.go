package parallel

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// blockBytes is about the size of an automatic row block: small enough for the
// second-level cache of one core, large enough that handing it out costs
// nothing. Changing it changes the bits of reductions over blocks.
const blockBytes = 256 << 10

// maxElements is more float64s than any machine can address. Beyond it make
// panics or the product of the dimensions overflows. On 32-bit machines the
// address space is the limit, on 64-bit ones the 47 bits a process has.
const maxElements = math.MaxInt >> (3 + 16*(math.MaxInt>>62))

// A RowBlock is a run of consecutive rows of a matrix.
type RowBlock struct {
	// Start is the number of the block's first row in the matrix.
	Start int

	// Rows is a view of the block's rows: row i of it is row Start+i of the
	// matrix, in the same memory. It cannot grow into the rows behind it.
	Rows *mat.Dense
}

// RowBlocks cuts m into blocks of the given number of consecutive rows, in
// order; the last block may have fewer. With rows = 0 a block is about 256 KiB
// of elements, at least one row: max(1, 262144/(8*columns)) rows. The blocks
// depend on the shape of m alone, so a [Reduce] over them has the same bits on
// every machine.
//
// The blocks share the memory of m, whatever its stride; nothing is copied. An
// empty m has no blocks. A nil m and a negative rows are errors that match
// [ErrInvalid].
func RowBlocks(m *mat.Dense, rows int) ([]RowBlock, error) {
	if err := checkMatrix(m); err != nil {
		return nil, err
	}
	if rows < 0 {
		return nil, invalid("rows is %d; use 0 for automatic or the number of rows of a block", rows)
	}
	raw := m.RawMatrix()
	r, c := raw.Rows, raw.Cols
	if r == 0 || c == 0 {
		return nil, nil
	}
	if rows == 0 {
		rows = max(blockBytes/8/c, 1)
	}
	rows = min(rows, r)
	blocks := make([]RowBlock, 0, (r-1)/rows+1)
	views := make([]mat.Dense, cap(blocks))
	for start := 0; start < r; start += rows {
		k := min(rows, r-start)
		lo, hi := start*raw.Stride, (start+k-1)*raw.Stride+c
		part := raw
		part.Rows = k
		part.Data = raw.Data[lo:hi:hi]
		view := &views[len(blocks)]
		view.SetRawMatrix(part)
		blocks = append(blocks, RowBlock{Start: start, Rows: view})
	}
	return blocks, nil
}

// ForEachBlock calls f on every row block of m. Options.Grain is the number of
// rows of a block; 0 is automatic, as in [RowBlocks], whose blocks these are.
//
// Blocks run concurrently and share the memory of m: f may change the rows of
// its own block. The first f to return an error or to panic stops the call,
// which returns an [*Error] whose Index is the block's first row; f may name
// another row of its block by returning &Error{Index: row, Err: err}. If ctx
// ends first, ForEachBlock returns its error as soon as the running blocks have
// returned. An empty m is no work; a nil m, ctx or f is an error that
// matches [ErrInvalid].
func ForEachBlock(ctx context.Context, o *Options, m *mat.Dense, f func(ctx context.Context, b RowBlock) error) error {
	s, err := o.resolve(ctx, f == nil)
	if err != nil {
		return err
	}
	blocks, err := RowBlocks(m, s.grain)
	if err != nil {
		return err
	}
	_, err = s.overBlocks(ctx, m, blocks, func(ctx context.Context, k int) error { return f(ctx, blocks[k]) })
	return err
}

// overBlocks calls f with the numbers of all blocks. To the engine an item is a
// row and each block a range of its own.
func (s settings) overBlocks(ctx context.Context, m *mat.Dense, blocks []RowBlock, f func(ctx context.Context, k int) error) (kept bool, err error) {
	if len(blocks) == 0 {
		return s.run(ctx, 0, inRanges, nil)
	}
	rows := m.RawMatrix().Rows // f may put anything into the views, so ask before
	s.grain = blocks[0].Rows.RawMatrix().Rows
	return s.run(ctx, rows, inRanges, func(ctx context.Context, lo, hi int, at *int) error {
		err := s.within(ctx, func(ctx context.Context) error { return f(ctx, lo/s.grain) })
		if err != nil {
			return named(err, lo, hi, at)
		}
		return nil
	})
}

// MapRows makes a matrix with as many rows as m and the given number of columns,
// and calls f once for each row i to fill it: row is row i of m, dst is row i of
// the result, cols long and all zeros.
//
// row and dst are views, valid for as long as the matrices are; f must not
// change row. Rows run concurrently. The first f to return an error or to panic
// stops the call, which returns nil and an [*Error] with the row's number.
// If ctx ends first, MapRows returns nil and its error as soon as the running
// rows have returned. The result belongs to the caller and shares nothing with m.
//
// gonum has no matrix without elements, so a result without any is an error
// that matches [ErrInvalid]: an empty m, or cols < 1. So is a nil m, ctx or f.
func MapRows(ctx context.Context, o *Options, m *mat.Dense, cols int, f func(ctx context.Context, i int, row, dst []float64) error) (*mat.Dense, error) {
	s, err := o.resolve(ctx, f == nil)
	if err != nil {
		return nil, err
	}
	out, err := resultOf("MapRows", m, cols)
	if err != nil {
		return nil, err
	}
	if s.timeout > 0 {
		unlimited := f
		f = func(ctx context.Context, i int, row, dst []float64) error {
			return s.within(ctx, func(ctx context.Context) error { return unlimited(ctx, i, row, dst) })
		}
	}
	raw, dst := m.RawMatrix(), out.RawMatrix()
	kept, err := s.run(ctx, raw.Rows, inItems, func(ctx context.Context, lo, hi int, at *int) error {
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			*at = i
			if err := f(ctx, i, rowOf(raw, i), rowOf(dst, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if !kept {
		return nil, err
	}
	return out, err
}

// rowOf returns row i, which cannot grow into the next one.
func rowOf(m blas64.General, i int) []float64 {
	lo, hi := i*m.Stride, i*m.Stride+m.Cols
	return m.Data[lo:hi:hi]
}

// resultOf makes the matrix for the results of the rows of m.
func resultOf(door string, m *mat.Dense, cols int) (*mat.Dense, error) {
	if err := checkMatrix(m); err != nil {
		return nil, err
	}
	r, c := m.Dims()
	if r == 0 || c == 0 || cols < 1 {
		return nil, invalid("%s: %d×%d to %d×%d; gonum needs at least one row and one column", door, r, c, r, cols)
	}
	if cols > maxElements/r {
		return nil, invalid("%s: a %d×%d result does not fit in memory; ask for fewer columns", door, r, cols)
	}
	return mat.NewDense(r, cols, make([]float64, r*cols)), nil
}

// checkMatrix rejects a nil matrix, and one that SetRawMatrix was given with
// fewer elements than its shape needs, which would panic in the middle of work.
func checkMatrix(m *mat.Dense) error {
	if m == nil {
		return invalid("the matrix is nil; pass a *mat.Dense")
	}
	raw := m.RawMatrix()
	if raw.Rows == 0 || raw.Cols == 0 {
		return nil
	}
	if raw.Rows < 0 || raw.Cols < 0 || raw.Stride < raw.Cols || len(raw.Data) < raw.Cols ||
		(len(raw.Data)-raw.Cols)/raw.Stride < raw.Rows-1 {
		return invalid("a %d×%d matrix of stride %d has %d elements; check what was given to SetRawMatrix",
			raw.Rows, raw.Cols, raw.Stride, len(raw.Data))
	}
	return nil
}
