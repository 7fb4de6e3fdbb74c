package npy

import (
	"sync"

	"github.com/numcache/numcache/array"
)

// A matrix in Fortran order is read in tiles that fit the second-level cache:
// parts of some columns are read into a tile, whose rows are written where they
// belong. So neither the file nor the matrix passes through memory twice.

const (
	// tileBytes is the size of a tile.
	tileBytes = 1 << 19
	// tileWidth is how many columns a tile has at least: their rows are then long
	// enough that writing them, which is what takes the time, is mostly in order.
	tileWidth = 128
)

// readTransposed reads elements in Fortran order of shape (rows, cols), and of
// extents 1 anywhere, into C order.
func (e *body) readTransposed(rows, cols int) (array.Any, error) {
	a, err := array.Uninitialized(e.DType, e.Shape...)
	if err != nil {
		return nil, err
	}
	if err := cOrderOf(a).readTiles(e, rows, cols); err != nil {
		return nil, err
	}
	return a, nil
}

// readTiles reads all tiles of e into dst.
func (dst cOrder[T]) readTiles(e *body, rows, cols int) error {
	wide := min(cols, tileWidth)
	high := min(rows, tileBytes/e.ItemSize/wide)
	wide = min(cols, tileBytes/e.ItemSize/high)
	across := (cols + wide - 1) / wide
	down := (rows + high - 1) / high
	var idle sync.Pool // tiles that no range uses
	return inParallel(across*down, func(lo, hi int) error {
		t, ok := idle.Get().(*tile[T])
		if !ok {
			t = newTile[T](e, high*wide)
		}
		defer idle.Put(t)
		for i := lo; i < hi; i++ {
			r, c := i/across*high, i%across*wide
			height, width := min(high, rows-r), min(wide, cols-c)
			if err := t.read(r, c, height, width, rows); err != nil {
				return err
			}
			scatter(dst.Data()[r*cols+c:], cols, t.data, height, height, width)
		}
		return nil
	})
}

// tile holds parts of columns, one behind the other.
type tile[T array.Element] struct {
	from   *body
	data   []T
	array  *array.Array[T] // of data
	bytes  []byte          // what is read into: data's memory, or
	decode bool            // a buffer that is decoded into it
}

func newTile[T array.Element](from *body, n int) *tile[T] {
	t := &tile[T]{from: from, data: make([]T, n)}
	t.array, _ = array.FromSlice(t.data) // without a shape there is none to be wrong
	b, direct := t.array.Bytes()
	if t.decode = !direct || from.DType == array.Bool; t.decode {
		b = make([]byte, n*from.ItemSize)
	}
	t.bytes = b
	return t
}

// read reads height elements from row r on, of width columns from c on. The
// columns have rows elements each.
func (t *tile[T]) read(r, c, height, width, rows int) error {
	size := int64(t.from.ItemSize)
	b := t.bytes[:int64(height*width)*size]
	step := int64(height) * size
	if height == rows {
		step = int64(len(b)) // they lie one behind the other in the file, too
	}
	for at := int64(0); at < int64(len(b)); at += step {
		column := c + int(at/size)/height
		if err := t.from.readAt(b[at:at+step], (int64(column)*int64(rows)+int64(r))*size); err != nil {
			return err
		}
	}
	if t.decode {
		return t.array.Decode(0, b)
	}
	return nil
}
