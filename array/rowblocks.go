package array

import "fmt"

// blockBytes is about the size of an automatic row block, as in package parallel:
// small enough for the second-level cache of one core, large enough that handing it
// out costs nothing. Changing it changes the bits of reductions over blocks.
const blockBytes = 256 << 10

// A RowBlock is a run of consecutive rows of an array: a part of it along axis 0.
type RowBlock[T Element] struct {
	Start int       // the row of the array that is row 0 of Rows
	Rows  *Array[T] // which share its memory
}

// RowBlocks cuts a along axis 0 into blocks of the given number of rows, in order;
// the last block may have fewer. With rows = 0 a block is about 256 KiB of elements,
// at least one row. They depend on the type and the shape of a alone, so that a
// reduction over them has the same bits on every machine. Package parallel runs
// functions over them:
//
//	blocks, err := a.RowBlocks(0)
//	sum, err := parallel.MapReduce(ctx, nil, blocks, f, merge)
//
// Nothing is copied. An array without rows has no blocks. A 0-d array and negative
// rows are [ErrShape].
func (a *Array[T]) RowBlocks(rows int) ([]RowBlock[T], error) {
	data, shape := a.parts()
	switch {
	case len(shape) == 0:
		return nil, fmt.Errorf("%w: a 0-d array has no rows", ErrShape)
	case rows < 0:
		return nil, fmt.Errorf("%w: blocks of %d rows; use 0 for automatic", ErrShape, rows)
	case shape[0] == 0:
		return nil, nil
	}
	n := shape[0]
	if rows == 0 {
		rows = max(blockBytes/max(len(data)/n*a.DType().Size(), 1), 1)
	}
	rows = min(rows, n)
	blocks := make([]RowBlock[T], 0, (n-1)/rows+1)
	for start := 0; start < n; start += rows {
		part, err := a.Slice(start, start+min(rows, n-start))
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, RowBlock[T]{start, part})
	}
	return blocks, nil
}
