package parallel_test

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// matrices returns the same numbers densely, and as a slice of a larger matrix
// whose other elements are NaN, so that a wrong stride shows.
func matrices(r, c int) map[string]*mat.Dense {
	dense := mat.NewDense(r, c, nil)
	outer := mat.NewDense(r+3, c+5, nil)
	outer.Apply(func(int, int, float64) float64 { return math.NaN() }, outer)
	view := outer.Slice(1, r+1, 2, c+2).(*mat.Dense)
	for i := range r {
		for j := range c {
			dense.Set(i, j, float64(i*c+j))
			view.Set(i, j, float64(i*c+j))
		}
	}
	return map[string]*mat.Dense{"dense": dense, "slice": view}
}

func TestRowBlocksAreViews(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {1, 7}, {7, 1}, {10, 3}, {100, 9}} {
		r, c := shape[0], shape[1]
		for name, m := range matrices(r, c) {
			for _, rows := range []int{0, 1, 3, r, r + 1, math.MaxInt} {
				blocks, err := parallel.RowBlocks(m, rows)
				if err != nil {
					t.Fatal(err)
				}
				next := 0
				for k, b := range blocks {
					br, bc := b.Rows.Dims()
					if b.Start != next || bc != c || rows > 0 && br != min(rows, r-next) {
						t.Fatalf("%s %v rows %d: block %d is %d×%d at %d", name, shape, rows, k, br, bc, b.Start)
					}
					if !mat.Equal(b.Rows, m.Slice(b.Start, b.Start+br, 0, c)) {
						t.Fatalf("%s %v rows %d: block %d has other elements", name, shape, rows, k)
					}
					if &b.Rows.RawMatrix().Data[0] != &m.RawMatrix().Data[b.Start*m.RawMatrix().Stride] {
						t.Fatalf("%s %v rows %d: block %d is a copy", name, shape, rows, k)
					}
					next += br
				}
				if next != r {
					t.Fatalf("%s %v rows %d: blocks end at %d", name, shape, rows, next)
				}
			}
		}
	}
}

func TestAutomaticRowBlocks(t *testing.T) {
	for _, tc := range []struct{ r, c, rows, blocks int }{
		{1, 64, 1, 1},
		{512, 64, 512, 1},
		{513, 64, 512, 2},
		{1797, 64, 512, 4},
		{3, 32768, 1, 3},
		{3, 100_000, 1, 3},
	} {
		blocks, err := parallel.RowBlocks(mat.NewDense(tc.r, tc.c, nil), 0)
		if err != nil || len(blocks) != tc.blocks {
			t.Fatalf("%+v: %d blocks, error %v", tc, len(blocks), err)
		}
		if r, _ := blocks[0].Rows.Dims(); r != tc.rows {
			t.Errorf("%+v: %d rows", tc, r)
		}
	}
}

// A block that is emptied and reused has room for its own rows only.
func TestRowBlocksDoNotGrowIntoTheNext(t *testing.T) {
	m := matrices(6, 2)["dense"]
	blocks, err := parallel.RowBlocks(m, 3)
	if err != nil {
		t.Fatal(err)
	}
	blocks[0].Rows.Reset()
	blocks[0].Rows.ReuseAs(6, 2)
	if got := m.At(3, 0); got != 6 {
		t.Errorf("row 3 starts with %v, want 6", got)
	}
}

func TestForEachBlockChangesItsRows(t *testing.T) {
	for _, workers := range []int{1, 2, 64} {
		for _, rows := range []int{0, 1, 4} {
			for name, m := range matrices(50, 3) {
				want := mat.NewDense(50, 3, nil)
				want.Scale(2, m)
				o := &parallel.Options{Workers: workers, Grain: rows}
				err := parallel.ForEachBlock(bg, o, m, func(_ context.Context, b parallel.RowBlock) error {
					b.Rows.Scale(2, b.Rows)
					return nil
				})
				if err != nil || !mat.Equal(m, want) {
					t.Errorf("%s %+v: wrong rows, error %v", name, o, err)
				}
			}
		}
	}
}

func TestMapRowsEqualsSerialLoop(t *testing.T) {
	for _, workers := range []int{1, 2, 7, 64} {
		for _, grain := range []int{0, 1, 9} {
			for name, m := range matrices(41, 5) {
				got, err := parallel.MapRows(bg, &parallel.Options{Workers: workers, Grain: grain}, m, 2,
					func(_ context.Context, i int, row, dst []float64) error {
						if len(row) != 5 || cap(row) != 5 || len(dst) != 2 || cap(dst) != 2 || dst[0] != 0 {
							t.Errorf("row %d: %d of %d, dst %v of %d", i, len(row), cap(row), dst, cap(dst))
						}
						dst[0], dst[1] = float64(i), row[0]+row[4]
						return nil
					})
				if err != nil {
					t.Fatal(err)
				}
				for i := range 41 {
					if got.At(i, 0) != float64(i) || got.At(i, 1) != m.At(i, 0)+m.At(i, 4) {
						t.Fatalf("%s, %d workers, grain %d: row %d is %v", name, workers, grain, i, got.RawRowView(i))
					}
				}
			}
		}
	}
}

func TestEmptyMatrix(t *testing.T) {
	empty := new(mat.Dense)
	if blocks, err := parallel.RowBlocks(empty, 0); len(blocks) != 0 || err != nil {
		t.Errorf("RowBlocks: %v, %v", blocks, err)
	}
	err := parallel.ForEachBlock(bg, nil, empty, func(context.Context, parallel.RowBlock) error { panic("called") })
	if err != nil {
		t.Errorf("ForEachBlock: %v", err)
	}
}
