package parallel_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

func ints(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

func TestMapKeepsOrder(t *testing.T) {
	for _, w := range workerCounts {
		for _, n := range []int{1, 2, 100, 1000} {
			ys, err := parallel.Map(bg, &parallel.Options{Workers: w}, ints(n), func(_ context.Context, x int) (string, error) {
				return strings.Repeat("x", x), nil
			})
			if err != nil || len(ys) != n {
				t.Fatalf("workers %d, n %d: %d results, error %v", w, n, len(ys), err)
			}
			for i, y := range ys {
				if len(y) != i {
					t.Fatalf("workers %d, n %d: result %d is %d's", w, n, i, len(y))
				}
			}
		}
	}
}

func TestNoItems(t *testing.T) {
	ended, cancel := context.WithCancel(bg)
	cancel()
	for _, ctx := range []context.Context{bg, ended} {
		ys, err := parallel.Map(ctx, nil, []int(nil), func(context.Context, int) (int, error) { panic("called") })
		if ys == nil || len(ys) != 0 || err != nil {
			t.Errorf("Map: %v, %v", ys, err)
		}
		if err := parallel.ForEach(ctx, nil, []int{}, func(context.Context, int) error { panic("called") }); err != nil {
			t.Errorf("ForEach: %v", err)
		}
		if err := parallel.ForRange(ctx, nil, 0, func(context.Context, int, int) error { panic("called") }); err != nil {
			t.Errorf("ForRange: %v", err)
		}
		if sum, err := parallel.Reduce(ctx, nil, []int{}, 7, add, add); sum != 7 || err != nil {
			t.Errorf("Reduce: %v, %v", sum, err)
		}
	}
}

func add(a, b int) int { return a + b }

func TestForEachWritesDistinctElements(t *testing.T) {
	type cell struct{ in, out int }
	cells := make([]*cell, 1000)
	for i := range cells {
		cells[i] = &cell{in: i}
	}
	err := parallel.ForEach(bg, nil, cells, func(_ context.Context, c *cell) error {
		c.out = c.in * c.in
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cells {
		if c.out != i*i {
			t.Fatalf("cell %d is %d", i, c.out)
		}
	}
}

// Every door refuses the same mistakes, without running anything and whether or
// not there is work.
func TestInvalidArguments(t *testing.T) {
	var nilCtx context.Context
	bad := &parallel.Options{Grain: -1}
	m := mat.NewDense(3, 2, nil)
	var called atomic.Bool
	item := func(context.Context, int) error { called.Store(true); return nil }
	mapper := func(context.Context, int) (int, error) { called.Store(true); return 0, nil }
	rng := func(context.Context, int, int) error { called.Store(true); return nil }
	block := func(context.Context, parallel.RowBlock) error { called.Store(true); return nil }
	row := func(context.Context, int, []float64, []float64) error { called.Store(true); return nil }
	sum := func(a, b int) int { called.Store(true); return a + b }
	short := new(mat.Dense)
	raw := m.RawMatrix()
	raw.Data = raw.Data[:5]
	short.SetRawMatrix(raw)
	flat := new(mat.Dense)
	raw = m.RawMatrix()
	raw.Stride = 1
	flat.SetRawMatrix(raw)

	second := func(_ any, err error) error { return err }
	for _, xs := range [][]int{nil, {1, 2, 3}} {
		n := len(xs)
		for name, err := range map[string]error{
			"Map context":          second(parallel.Map(nilCtx, nil, xs, mapper)),
			"Map function":         second(parallel.Map[int, int](bg, nil, xs, nil)),
			"Map grain":            second(parallel.Map(bg, bad, xs, mapper)),
			"ForEach context":      parallel.ForEach(nilCtx, nil, xs, item),
			"ForEach function":     parallel.ForEach[int](bg, nil, xs, nil),
			"ForEach grain":        parallel.ForEach(bg, bad, xs, item),
			"ForRange context":     parallel.ForRange(nilCtx, nil, n, rng),
			"ForRange function":    parallel.ForRange(bg, nil, n, nil),
			"ForRange grain":       parallel.ForRange(bg, bad, n, rng),
			"ForRange n":           parallel.ForRange(bg, nil, -1, rng),
			"Reduce context":       second(parallel.Reduce(nilCtx, nil, xs, 0, sum, sum)),
			"Reduce fold":          second(parallel.Reduce[int](bg, nil, xs, 0, nil, sum)),
			"Reduce merge":         second(parallel.Reduce(bg, nil, xs, 0, sum, nil)),
			"Reduce grain":         second(parallel.Reduce(bg, bad, xs, 0, sum, sum)),
			"RowBlocks matrix":     second(parallel.RowBlocks(nil, 0)),
			"RowBlocks rows":       second(parallel.RowBlocks(m, -1)),
			"RowBlocks short":      second(parallel.RowBlocks(short, 0)),
			"RowBlocks stride":     second(parallel.RowBlocks(flat, 0)),
			"ForEachBlock context": parallel.ForEachBlock(nilCtx, nil, m, block),
			"ForEachBlock matrix":  parallel.ForEachBlock(bg, nil, nil, block),
			"ForEachBlock func":    parallel.ForEachBlock(bg, nil, m, nil),
			"ForEachBlock grain":   parallel.ForEachBlock(bg, bad, m, block),
			"MapRows context":      second(parallel.MapRows(nilCtx, nil, m, 1, row)),
			"MapRows matrix":       second(parallel.MapRows(bg, nil, nil, 1, row)),
			"MapRows func":         second(parallel.MapRows(bg, nil, m, 1, nil)),
			"MapRows grain":        second(parallel.MapRows(bg, bad, m, 1, row)),
			"MapRows short":        second(parallel.MapRows(bg, nil, short, 1, row)),
			"MapRows empty":        second(parallel.MapRows(bg, nil, new(mat.Dense), 1, row)),
			"MapRows no columns":   second(parallel.MapRows(bg, nil, m, 0, row)),
			"MapRows negative":     second(parallel.MapRows(bg, nil, m, -1, row)),
			"MapRows huge":         second(parallel.MapRows(bg, nil, m, math.MaxInt, row)),
			"Protect":              parallel.Protect(nil),
		} {
			if !errors.Is(err, parallel.ErrInvalid) || !strings.HasPrefix(err.Error(), "parallel: ") {
				t.Errorf("%s, %d items: %v", name, n, err)
			}
		}
	}
	if called.Load() {
		t.Error("a function was called in spite of an invalid argument")
	}
}
