package parallel_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// wild returns floats of very different size, whose sum shows every regrouping.
func wild(n int) []float64 {
	rng := rand.New(rand.NewPCG(3, 4))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = rng.NormFloat64() * math.Pow(10, float64(rng.IntN(24)-12))
	}
	return xs
}

func plus(a, b float64) float64 { return a + b }

// byLevels is Reduce as its comment tells it, in one goroutine.
func byLevels[X, A any](xs []X, grain int, zero A, fold func(A, X) A, merge func(A, A) A) A {
	if len(xs) == 0 {
		return zero
	}
	if grain == 0 {
		grain = (len(xs) + 255) / 256
	}
	var level []A
	for c := range slices.Chunk(xs, grain) {
		acc := zero
		for _, x := range c {
			acc = fold(acc, x)
		}
		level = append(level, acc)
	}
	for len(level) > 1 {
		var up []A
		for p := range slices.Chunk(level, 2) {
			if len(p) == 2 {
				up = append(up, merge(p[0], p[1]))
			} else {
				up = append(up, p[0])
			}
		}
		level = up
	}
	return level[0]
}

func TestReduceHasTheSameBits(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(procs)
	for _, n := range []int{1, 2, 3, 255, 256, 257, 1000, 100_003} {
		xs := wild(n)
		for _, grain := range []int{0, 1, 7, 1000, math.MaxInt} {
			want := byLevels(xs, grain, 0.0, plus, plus)
			for _, p := range []int{1, 2, 5} {
				runtime.GOMAXPROCS(p)
				for _, workers := range []int{0, 1, 2, 7, 64} {
					o := &parallel.Options{Workers: workers, Grain: grain}
					got, err := parallel.Reduce(bg, o, xs, 0.0, plus, plus)
					if err != nil || math.Float64bits(got) != math.Float64bits(want) {
						t.Fatalf("n=%d GOMAXPROCS=%d %+v: %v (%v), want %v", n, p, o, got, err, want)
					}
				}
			}
		}
	}
}

// The test above proves nothing if the sum has one value however it is grouped.
func TestGrainIsPartOfTheBits(t *testing.T) {
	xs := wild(1000)
	a, _ := parallel.Reduce(bg, &parallel.Options{Grain: 1}, xs, 0.0, plus, plus)
	b, _ := parallel.Reduce(bg, &parallel.Options{Grain: 1000}, xs, 0.0, plus, plus)
	if a == b {
		t.Error("sums of grain 1 and 1000 agree; the data does not tell groupings apart")
	}
}

// A merge that is associative but does not commute sees any swapped pair.
func TestReduceKeepsOrder(t *testing.T) {
	for _, n := range []int{1, 5, 300, 1023} {
		for _, workers := range []int{1, 3, 64} {
			got, err := parallel.Reduce(bg, &parallel.Options{Workers: workers}, ints(n), []int(nil),
				func(acc []int, x int) []int { return append(acc, x) },
				func(a, b []int) []int { return append(a, b...) })
			if err != nil || !slices.Equal(got, ints(n)) {
				t.Fatalf("n=%d, %d workers: %v (%v)", n, workers, got, err)
			}
		}
	}
}

// The shape itself, written out by the merges.
func TestReduceShape(t *testing.T) {
	got, err := parallel.Reduce(bg, &parallel.Options{Workers: 4, Grain: 2}, ints(9), "",
		func(acc string, x int) string { return acc + fmt.Sprint(x) },
		func(a, b string) string { return "(" + a + " " + b + ")" })
	if want := "(((01 23) (45 67)) 8)"; got != want || err != nil {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestReduceCountsItemsOnce(t *testing.T) {
	var folds, merges atomic.Int64
	got, err := parallel.Reduce(bg, nil, ints(1000), 0,
		func(a, x int) int { folds.Add(1); return a + x },
		func(a, b int) int { merges.Add(1); return a + b })
	// ceil(1000/256) = 4 items a grain make 250 grains.
	if got != 499_500 || err != nil || folds.Load() != 1000 || merges.Load() != 249 {
		t.Errorf("sum %d, %d folds, %d merges, error %v", got, folds.Load(), merges.Load(), err)
	}
}

func TestReduceOverRowBlocks(t *testing.T) {
	m := mat.NewDense(1999, 33, wild(1999*33))
	gram := func(workers, rows int) *mat.Dense {
		blocks, err := parallel.RowBlocks(m, rows)
		if err != nil {
			t.Fatal(err)
		}
		g, err := parallel.Reduce(bg, &parallel.Options{Workers: workers}, blocks, (*mat.Dense)(nil),
			func(acc *mat.Dense, b parallel.RowBlock) *mat.Dense {
				var g mat.Dense
				g.Mul(b.Rows.T(), b.Rows)
				if acc != nil {
					g.Add(acc, &g)
				}
				return &g
			},
			func(a, b *mat.Dense) *mat.Dense { a.Add(a, b); return a })
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, rows := range []int{0, 1, 50} {
		want := gram(1, rows)
		for _, workers := range []int{2, 7, 64} {
			if got := gram(workers, rows); !mat.Equal(got, want) {
				t.Errorf("%d workers, %d rows a block: the Gram matrix differs", workers, rows)
			}
		}
	}
}

// Accumulators are merged as they come and not kept for the end: a single
// worker leaves at most one open run of grains on each of the 8 levels.
func TestReduceKeepsFewAccumulators(t *testing.T) {
	alive, most := 0, 0
	type acc struct{ sum int }
	got, err := parallel.Reduce(bg, &parallel.Options{Workers: 1}, ints(256), (*acc)(nil),
		func(_ *acc, x int) *acc {
			alive++
			most = max(most, alive)
			return &acc{x}
		},
		func(a, b *acc) *acc { alive--; a.sum += b.sum; return a })
	if err != nil || got.sum != 255*128 || alive != 1 || most > 9 {
		t.Errorf("sum %v, error %v, %d accumulators left, %d at a time", got, err, alive, most)
	}
}

func TestReduceUnderContext(t *testing.T) {
	ctx, cancel := context.WithCancel(bg)
	sum, err := parallel.Reduce(ctx, nil, ints(1000), 0, func(a, x int) int { cancel(); return a + x }, add)
	if sum != 0 || err != context.Canceled {
		t.Errorf("%d, %v", sum, err)
	}
}
