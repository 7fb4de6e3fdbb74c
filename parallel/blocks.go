package parallel

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// MapBlocks makes a matrix with as many rows as m and the given number of columns,
// and calls f once for each row block of m to fill it: dst is a view of the rows of
// the result that have the block's numbers, all zeros. It is [MapRows] for
// functions that gonum does on many rows at once.
//
// Options.Grain is the number of rows of a block; 0 is automatic, as in
// [RowBlocks]. f must not change b.Rows. Errors are those of [ForEachBlock]. The
// result belongs to the caller; on error it is nil, but with Options.CollectErrors.
// A result without elements is [ErrInvalid], as in MapRows.
func MapBlocks(ctx context.Context, o *Options, m *mat.Dense, cols int, f func(ctx context.Context, b RowBlock, dst *mat.Dense) error) (*mat.Dense, error) {
	s, err := o.resolve(ctx, f == nil)
	if err != nil {
		return nil, err
	}
	blocks, err := RowBlocks(m, s.grain)
	if err != nil {
		return nil, err
	}
	out, err := resultOf("MapBlocks", m, cols)
	if err != nil {
		return nil, err
	}
	rows, _ := blocks[0].Rows.Dims()
	views, err := RowBlocks(out, rows)
	if err != nil {
		return nil, err
	}
	kept, err := s.overBlocks(ctx, m, blocks, func(ctx context.Context, k int) error { return f(ctx, blocks[k], views[k].Rows) })
	if !kept {
		return nil, err
	}
	return out, err
}

// ReduceBlocks calls f on every row block of m and merges the results in the fixed
// tree of [Reduce]: the bits are the same for any number of workers. It is
// [MapReduce] over [RowBlocks] for those who cannot call generic functions.
//
// Options.Grain is the number of rows of a block; 0 is automatic, as in RowBlocks.
// What f returns belongs to ReduceBlocks: it must not be the block itself, and merge
// may change a or b, and return it. Errors are those of [ForEachBlock]; on error the
// result is nil. An empty m has no blocks, and is an error that matches
// [ErrInvalid].
func ReduceBlocks(ctx context.Context, o *Options, m *mat.Dense, f func(ctx context.Context, b RowBlock) (*mat.Dense, error), merge func(a, b *mat.Dense) *mat.Dense) (*mat.Dense, error) {
	s, err := o.resolve(ctx, f == nil || merge == nil)
	if err != nil {
		return nil, err
	}
	s.collect = false
	blocks, err := RowBlocks(m, s.grain)
	if err != nil {
		return nil, err
	}
	if len(blocks) == 0 {
		return nil, invalid("ReduceBlocks: the matrix is empty")
	}
	rows, _ := blocks[0].Rows.Dims()
	t := newTree(merge)
	_, err = s.overBlocks(ctx, m, blocks, func(ctx context.Context, k int) (err error) {
		acc, err := f(ctx, blocks[k])
		if err != nil {
			return err
		}
		t.put(k, acc, func(int) {})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t.result(len(blocks), rows)
}

// MapFloat64s is [Map] of a []float64 to another, for those who cannot call generic
// functions.
func MapFloat64s(ctx context.Context, o *Options, xs []float64, f func(ctx context.Context, x float64) (float64, error)) ([]float64, error) {
	return Map(ctx, o, xs, f)
}
