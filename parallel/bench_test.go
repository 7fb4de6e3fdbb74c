package parallel_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// task takes about 50 ns: a dependent chain that no compiler shortens.
//
//go:noinline
func task(x uint64) uint64 {
	for range 56 {
		x ^= x << 13
		x ^= x >> 7
	}
	return x
}

// BenchmarkTask50ns shows what each way to run short items adds to a plain loop.
// cpu-ns/item is wall time times workers: the plain loop's figure is the work,
// the rest is overhead.
func BenchmarkTask50ns(b *testing.B) {
	procs := runtime.GOMAXPROCS(0)
	for _, n := range []int{1000, 100_000} {
		xs := make([]uint64, n)
		for i := range xs {
			xs[i] = uint64(i) + 1
		}
		ys := make([]uint64, n)
		ways := []struct {
			name    string
			workers int
			run     func(o *parallel.Options) error
		}{
			{"plain", 1, func(*parallel.Options) error {
				for i, x := range xs {
					ys[i] = task(x)
				}
				return nil
			}},
			{"Map1", 1, mapTask(xs)},
			{"Map", procs, mapTask(xs)},
			{"ForRange", procs, func(o *parallel.Options) error {
				return parallel.ForRange(bg, o, n, func(_ context.Context, lo, hi int) error {
					for i := lo; i < hi; i++ {
						ys[i] = task(xs[i])
					}
					return nil
				})
			}},
			{"errgroup", procs, func(o *parallel.Options) error {
				g, _ := errgroup.WithContext(bg)
				g.SetLimit(o.Workers)
				for i, x := range xs {
					g.Go(func() error {
						ys[i] = task(x)
						return nil
					})
				}
				return g.Wait()
			}},
		}
		for _, way := range ways {
			b.Run(fmt.Sprintf("%s/%d", way.name, n), func(b *testing.B) {
				b.ReportAllocs()
				o := &parallel.Options{Workers: way.workers}
				for b.Loop() {
					if err := way.run(o); err != nil {
						b.Fatal(err)
					}
				}
				perItem := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n)
				b.ReportMetric(perItem, "ns/item")
				b.ReportMetric(perItem*float64(way.workers), "cpu-ns/item")
			})
		}
	}
}

func mapTask(xs []uint64) func(o *parallel.Options) error {
	return func(o *parallel.Options) error {
		_, err := parallel.Map(bg, o, xs, func(_ context.Context, x uint64) (uint64, error) { return task(x), nil })
		return err
	}
}

// BenchmarkSum adds up 8 MB: element by element, and with gonum's kernel over row
// blocks beside the best a hand-written loop of one goroutine a CPU does.
func BenchmarkSum(b *testing.B) {
	const rows, cols = 8192, 128
	xs := make([]float64, rows*cols)
	for i := range xs {
		xs[i] = 1
	}
	m := mat.NewDense(rows, cols, xs)
	blocks, err := parallel.RowBlocks(m, 0)
	if err != nil {
		b.Fatal(err)
	}
	foldBlock := func(acc float64, blk parallel.RowBlock) float64 {
		return acc + floats.Sum(blk.Rows.RawMatrix().Data)
	}
	ways := []struct {
		name string
		sum  func() float64
	}{
		{"plain", func() (sum float64) {
			for _, x := range xs {
				sum += x
			}
			return sum
		}},
		{"floats.Sum", func() float64 { return floats.Sum(xs) }},
		{"goroutines", func() (sum float64) {
			part := make([]float64, runtime.GOMAXPROCS(0))
			var wg sync.WaitGroup
			for w := range part {
				wg.Go(func() { part[w] = floats.Sum(xs[w*len(xs)/len(part) : (w+1)*len(xs)/len(part)]) })
			}
			wg.Wait()
			return floats.Sum(part)
		}},
		{"Reduce", func() float64 {
			sum, _ := parallel.Reduce(bg, nil, xs, 0, plus, plus)
			return sum
		}},
		{"ReduceBlocks", func() float64 {
			sum, _ := parallel.Reduce(bg, nil, blocks, 0, foldBlock, plus)
			return sum
		}},
	}
	for _, way := range ways {
		b.Run(way.name+"/8MB", func(b *testing.B) {
			b.SetBytes(8 * rows * cols)
			b.ReportAllocs()
			for b.Loop() {
				if sum := way.sum(); sum != rows*cols {
					b.Fatal(sum)
				}
			}
		})
	}
}

// BenchmarkMapRows is bound by computation: the distances of each row to all.
func BenchmarkMapRows(b *testing.B) {
	const n, cols = 600, 64
	m := mat.NewDense(n, cols, wild(n*cols))
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprintf("distances/600x64/workers=%d", workers), func(b *testing.B) {
			o := &parallel.Options{Workers: workers}
			for b.Loop() {
				_, err := parallel.MapRows(bg, o, m, n, func(_ context.Context, _ int, row, dst []float64) error {
					for j := range dst {
						dst[j] = floats.Distance(row, m.RawRowView(j), 2)
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCall is the price of a call that has next to nothing to do.
func BenchmarkCall(b *testing.B) {
	for _, tc := range []struct{ items, workers int }{{1, 2}, {100, 1}, {100, 2}, {100, 64}} {
		b.Run(fmt.Sprintf("items=%d/workers=%d", tc.items, tc.workers), func(b *testing.B) {
			b.ReportAllocs()
			o := &parallel.Options{Workers: tc.workers}
			for b.Loop() {
				if err := parallel.ForRange(bg, o, tc.items, func(context.Context, int, int) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
