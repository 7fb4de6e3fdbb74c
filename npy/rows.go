package npy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// ReadRows reads the rows lo ≤ i < hi, an array of the file's shape but for its
// first extent, which belongs to the caller. A range outside of axis 0, or a 0-d
// array, is [array.ErrShape]; a file that was cut since it was opened, [ErrFormat].
//
// Of a file in C order it reads the bytes of these rows and no others, in one piece,
// so the cost does not depend on the size of the file. In Fortran order the rows lie
// strewn over the file, a run of each column: each run is one read, or where they
// are less than 4 KiB apart, all from the first to the last is read through a buffer.
// The memory is the rows twice, for they are turned into C order.
func (f *File) ReadRows(lo, hi int) (array.Any, error) {
	a, err := f.readRows(context.Background(), lo, hi)
	return a, onFile("read", f.path, err)
}

// ReadRowsDense is [File.ReadRows] of a 2-d float64 file as a gonum matrix, which
// the caller owns. Another type is [array.ErrDType]; another number of dimensions,
// no rows or no columns are [array.ErrShape], for gonum has no empty matrices.
func (f *File) ReadRowsDense(lo, hi int) (*mat.Dense, error) {
	a, err := f.readRows(context.Background(), lo, hi)
	if err != nil {
		return nil, onFile("read", f.path, err)
	}
	m, err := a.Dense()
	return m, onFile("read", f.path, err)
}

// Block is some rows of a file.
type Block struct {
	First int       // the row of the file that is row 0 of Rows
	Rows  array.Any // which belong to the caller
}

const (
	// blockSize is about how many bytes of rows Blocks reads at a time: enough
	// to make nothing of the cost of a read, and less than processors cache.
	blockSize = 1 << 20
	// fortranBlockSize is that of Fortran order, where longer runs of fewer
	// blocks are read.
	fortranBlockSize = 1 << 22
)

// Blocks yields all rows in order, as blocks of the given number of rows, the last
// one maybe fewer; of about 1 MiB, and in Fortran order 4 MiB, where rows is not
// positive. An array without rows has no blocks. Each block is read by the rules
// of [File.ReadRows] when its turn comes, so that a file larger than memory can be
// walked through.
//
//	for block, err := range f.Blocks(ctx, 0) {
//		if err != nil {
//			return err
//		}
//		… block.First, block.Rows
//	}
//
// An error comes with a zero Block and ends the sequence: those of ReadRows, and
// the error of a ctx that has ended.
func (f *File) Blocks(ctx context.Context, rows int) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		if err := f.blocks(ctx, rows, yield); err != nil {
			yield(Block{}, onFile("read", f.path, err))
		}
	}
}

// blocks returns the error that ends the sequence, or nil where it is over.
func (f *File) blocks(ctx context.Context, rows int, yield func(Block, error) bool) error {
	switch {
	case ctx == nil:
		return errNoContext
	case len(f.h.Shape) == 0:
		return errNoRows
	case rows <= 0:
		rows = f.blockRows()
	}
	for lo := 0; lo < f.Rows(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(rows, f.Rows()-lo)
		a, err := f.readRows(ctx, lo, lo+n)
		if err != nil {
			return err
		}
		if !yield(Block{lo, a}, nil) {
			return nil
		}
		lo += n
	}
	return nil
}

// blockRows returns how many rows make a block, of a file that is not 0-d.
func (f *File) blockRows() int {
	if f.size == 0 {
		return max(f.Rows(), 1)
	}
	size := int64(blockSize)
	if !f.h.inC() {
		size = fortranBlockSize
	}
	return int(max(size/f.rowSize(), 1))
}

// rowSize returns the bytes of one row, 0 of an array without elements.
func (f *File) rowSize() int64 {
	return f.size / int64(max(f.Rows(), 1))
}

var (
	errNoRows    = fmt.Errorf("%w: a 0-d array has no rows; use Read", array.ErrShape)
	errNoContext = fmt.Errorf("%w context", array.ErrNil)
)

func (f *File) readRows(ctx context.Context, lo, hi int) (array.Any, error) {
	if len(f.h.Shape) == 0 {
		return nil, errNoRows
	}
	if lo < 0 || hi < lo || hi > f.Rows() {
		return nil, fmt.Errorf("%w: rows %d to %d of %s", array.ErrShape, lo, hi, array.FormatShape(f.h.Shape))
	}
	part := f.Header()
	part.Shape[0] = hi - lo
	size, err := part.DataSize()
	if err != nil {
		return nil, err
	}
	held := size // by the length of the file when it was opened
	if f.held == unknown {
		held = unknown
	}
	switch {
	case f.h.inC():
		return readData(until{ctx, f.section(int64(lo)*f.rowSize(), size)}, part, held)
	case size == 0 || size == f.size:
		return readData(until{ctx, f.section(0, size)}, part, held)
	}
	return readData(f.columns(ctx, lo, hi), part, held)
}

// columns reads the elements of some rows from a file in Fortran order, in
// Fortran order: runs at a constant distance.
type columns struct {
	r    io.Reader
	skip func(n int64) error // moves r
	run  int64               // bytes of a run
	gap  int64               // bytes between two runs
	left int64               // bytes of the current run
}

// nearby is the gap up to which it is cheaper to read on than to read anew: 0.4
// µs either way. It also is what a disk reads at least.
const nearby = 4096

// columns returns a reader of the rows [lo, hi), which are not all.
func (f *File) columns(ctx context.Context, lo, hi int) *columns {
	item := int64(f.h.ItemSize)
	c := &columns{run: int64(hi-lo) * item, gap: int64(f.Rows()-(hi-lo)) * item}
	c.left = c.run
	section := until{ctx, f.section(int64(lo)*item, f.size-int64(lo)*item)}
	if c.gap <= nearby {
		b := bufio.NewReaderSize(section, array.ChunkSize)
		c.r, c.skip = b, func(n int64) error { _, err := b.Discard(int(n)); return err }
	} else {
		c.r, c.skip = section, func(n int64) error { _, err := section.Seek(n, io.SeekCurrent); return err }
	}
	return c
}

// Read fills p. It is asked for no byte behind the last run.
func (c *columns) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if c.left == 0 {
			if err := c.skip(c.gap); err != nil {
				return n, err
			}
			c.left = c.run
		}
		m, err := io.ReadFull(c.r, p[n:n+int(min(int64(len(p)-n), c.left))])
		n += m
		c.left -= int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
