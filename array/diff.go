package array

import (
	"fmt"
	"slices"
)

// RowRange is the rows Lo ≤ i < Hi of an array: its parts along axis 0.
type RowRange struct{ Lo, Hi int }

// Diff returns which blocks of rows of two arrays differ, by nothing but their
// chunk tables: every row in which an element differs is in a block. As a chunk is
// what a table can tell apart, a block reaches over all rows that a differing chunk
// has a part of, and a row longer than a chunk is a block if any of its chunks
// differs. The blocks are in order, and no two of them touch. Equal arrays have
// none; a 0-d array counts as one row.
//
// Arrays of different element types are [ErrDType], of different shapes
// [ErrShape]; a nil Table is [ErrNil].
func Diff(a, b *Table) ([]RowRange, error) {
	switch {
	case a == nil || b == nil:
		return nil, fmt.Errorf("%w *array.Table", ErrNil)
	case a.dtype != b.dtype:
		return nil, fmt.Errorf("%w: %v and %v are not compared", ErrDType, a.dtype, b.dtype)
	case !slices.Equal(a.shape, b.shape):
		return nil, fmt.Errorf("%w: %s and %s are not compared", ErrShape, FormatShape(a.shape), FormatShape(b.shape))
	}
	var blocks []RowRange
	row := a.size // bytes
	if len(a.shape) > 0 && a.size > 0 {
		row /= a.shape[0]
	}
	for i := range a.sums {
		if a.sums[i] == b.sums[i] {
			continue
		}
		offset, length := a.Chunk(i)
		lo, hi := offset/row, (offset+length-1)/row+1
		if last := len(blocks) - 1; last >= 0 && lo <= blocks[last].Hi {
			blocks[last].Hi = hi
		} else {
			blocks = append(blocks, RowRange{lo, hi})
		}
	}
	return blocks, nil
}
