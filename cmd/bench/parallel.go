package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// parallelTable measures package parallel.
func parallelTable(ctx context.Context, w io.Writer, o options) error {
	banner(w)
	p, err := newPeers(ctx, w)
	if err != nil {
		return err
	}
	defer p.close()
	for _, makePart := range []func(options, *peers) (part, error){tasks, rows, sum, gram, stream} {
		part, err := makePart(o, p)
		if err != nil {
			return err
		}
		if o.only != "" && o.only != part.name {
			continue
		}
		if err := part.measure(ctx, w, o.rounds); err != nil {
			return err
		}
	}
	return nil
}

// work takes about 50 ns: a dependent chain that no compiler shortens.
//
//go:noinline
func work(x uint64) uint64 {
	for range 56 {
		x ^= x << 13
		x ^= x >> 7
	}
	return x
}

// tasks are many items of about 50 ns.
func tasks(o options, p *peers) (part, error) {
	n := 2_000_000
	if o.quick {
		n = 20_000
	}
	xs, ys := make([]uint64, n), make([]uint64, n)
	for i := range xs {
		xs[i] = uint64(i) + 1
	}
	cpus := runtime.GOMAXPROCS(0)
	f := func(_ context.Context, x uint64) (uint64, error) { return work(x), nil }
	mapped := func(workers int) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			_, err := parallel.Map(ctx, &parallel.Options{Workers: workers}, xs, f)
			return err
		}
	}
	all := []contestant{
		timed("plain loop", func(context.Context) error {
			for i, x := range xs {
				ys[i] = work(x)
			}
			return nil
		}),
		timed("Map, one worker", mapped(1)),
		timed("Map", mapped(0)),
		timed("ForRange", func(ctx context.Context) error {
			return parallel.ForRange(ctx, nil, n, func(_ context.Context, lo, hi int) error {
				for i := lo; i < hi; i++ {
					ys[i] = work(xs[i])
				}
				return nil
			})
		}),
		timed("Stream", func(ctx context.Context) error {
			i := 0
			for y, err := range parallel.Stream(ctx, nil, xs, f) {
				if err != nil {
					return err
				}
				ys[i] = y
				i++
			}
			return nil
		}),
		timed("errgroup, a goroutine each", func(ctx context.Context) error {
			g, _ := errgroup.WithContext(ctx)
			g.SetLimit(cpus)
			for i, x := range xs {
				g.Go(func() error {
					ys[i] = work(x)
					return nil
				})
			}
			return g.Wait()
		}),
		timed("conc/iter.Map", func(context.Context) error {
			iter.Map(xs, func(x *uint64) uint64 { return work(*x) })
			return nil
		}),
		timed("conc/pool", func(context.Context) error {
			g := pool.New().WithMaxGoroutines(cpus)
			for i, x := range xs {
				g.Go(func() { ys[i] = work(x) })
			}
			g.Wait()
			return nil
		}),
	}
	// A Python call takes longer than the item; there are fewer of them, by n.
	few := n / 100
	all = append(all, p.joblib("tasks", "threading", few, n)...)
	all = append(all, p.joblib("tasks", "loky", few, n)...)
	return part{
		name: "tasks", what: fmt.Sprintf("%d items of about 50 ns", n), contestants: all, reference: "plain loop",
		unit: "ns an item", figure: func(d time.Duration) float64 { return float64(d) / float64(n) },
	}, nil
}

// rows are bound by computation: the distances of each row to all others.
func rows(o options, p *peers) (part, error) {
	n, cols := 1500, 64
	if o.quick {
		n = 100
	}
	m := randomDense(n, cols)
	distances := func(row, dst []float64) {
		for j := range dst {
			dst[j] = floats.Distance(row, m.RawRowView(j), 2)
		}
	}
	mapRows := func(workers int) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			_, err := parallel.MapRows(ctx, &parallel.Options{Workers: workers}, m, n, func(_ context.Context, _ int, row, dst []float64) error {
				distances(row, dst)
				return nil
			})
			return err
		}
	}
	out := mat.NewDense(n, n, nil)
	halves := func(context.Context) error {
		return twoGoroutines(n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				distances(m.RawRowView(i), out.RawRowView(i))
			}
		})
	}
	return part{
		name: "rows", what: fmt.Sprintf("distances of %d rows of %d to each other", n, cols),
		contestants: []contestant{
			timed("plain loop", func(context.Context) error {
				for i := range n {
					distances(m.RawRowView(i), out.RawRowView(i))
				}
				return nil
			}),
			timed("MapRows, one worker", mapRows(1)),
			timed("MapRows", mapRows(0)),
			timed("a goroutine each CPU", halves),
		},
		reference: "plain loop", unit: "µs a row", figure: func(d time.Duration) float64 { return float64(d) / float64(n) / 1000 },
	}, nil
}

// sum adds up 256 MB.
func sum(o options, p *peers) (part, error) {
	n := 32 << 20
	if o.quick {
		n = 1 << 16
	}
	xs := randomDense(1, n).RawMatrix().Data
	want := floats.Sum(xs)
	check := func(got float64) error {
		if math.Abs(got-want) > 1e-9*math.Abs(want)+1e-6*float64(n) {
			return fmt.Errorf("the sum is %v, want %v", got, want)
		}
		return nil
	}
	all := []contestant{
		timed("Sum", func(ctx context.Context) error {
			s, err := parallel.Sum(ctx, nil, xs)
			if err != nil {
				return err
			}
			return check(s)
		}),
		timed("a goroutine each CPU", func(context.Context) error {
			var mu sync.Mutex
			s := 0.0
			err := twoGoroutines(n, func(lo, hi int) {
				part := floats.Sum(xs[lo:hi])
				mu.Lock()
				defer mu.Unlock()
				s += part
			})
			if err != nil {
				return err
			}
			return check(s)
		}),
		timed("plain loop", func(context.Context) error {
			s := 0.0
			for _, x := range xs {
				s += x
			}
			return check(s)
		}),
	}
	all = append(all, p.openMP("sum", n, 1)...)
	all = append(all, p.joblib("sum", "threading", n, n)...)
	return part{
		name: "sum", what: fmt.Sprintf("the sum of %d MB of float64", n>>17), contestants: all, reference: "a goroutine each CPU",
		unit: "GB/s", figure: func(d time.Duration) float64 { return 8 * float64(n) / float64(d) },
	}, nil
}

// gram multiplies the columns of 256 MB with each other.
func gram(o options, p *peers) (part, error) {
	r, c := 256<<10, 128
	if o.quick {
		r, c = 2000, 32
	}
	m := randomDense(r, c)
	all := []contestant{
		timed("Gram", func(ctx context.Context) error {
			_, err := parallel.Gram(ctx, nil, m)
			return err
		}),
		timed("a goroutine each CPU, Dsyrk", func(context.Context) error {
			var mu sync.Mutex
			sum := mat.NewSymDense(c, nil)
			return twoGoroutines(r, func(lo, hi int) {
				part := mat.NewSymDense(c, nil)
				blas64.Syrk(blas.Trans, 1, m.Slice(lo, hi, 0, c).(*mat.Dense).RawMatrix(), 0, part.RawSymmetric())
				mu.Lock()
				defer mu.Unlock()
				sum.AddSym(sum, part)
			})
		}),
		timed("gonum, Mul", func(context.Context) error {
			var g mat.Dense
			g.Mul(m.T(), m)
			return nil
		}),
	}
	all = append(all, p.openMP("gram", r, c)...)
	flops := float64(r) * float64(c) * float64(c+1)
	return part{
		name: "gram", what: fmt.Sprintf("XᵀX of %d×%d, %d MB", r, c, r*c>>17), contestants: all, reference: "a goroutine each CPU, Dsyrk",
		unit: "Gflop/s", figure: func(d time.Duration) float64 { return flops / float64(d) },
	}, nil
}

// stream is a sequence of many items, of which a few are in memory at a time.
func stream(o options, p *peers) (part, error) {
	n := 10_000_000
	if o.quick {
		n = 20_000
	}
	source := func(yield func(uint64) bool) {
		for i := range n {
			if !yield(uint64(i)) {
				return
			}
		}
	}
	f := func(_ context.Context, x uint64) (uint64, error) { return work(x), nil }
	var heap uint64
	consume := func(workers int, unordered bool) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			var before, now runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			i := 0
			for _, err := range parallel.Stream(ctx, &parallel.Options{Workers: workers, Unordered: unordered}, source, f) {
				if err != nil {
					return err
				}
				if i++; i%(n/10) == 0 {
					runtime.ReadMemStats(&now)
					heap = max(heap, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
				}
			}
			if heap > 16<<20 {
				return fmt.Errorf("%d MB of heap in use: the memory of a stream is to be constant", heap>>20)
			}
			return nil
		}
	}
	return part{
		name: "stream", what: fmt.Sprintf("%d items of about 50 ns from a sequence", n),
		contestants: []contestant{
			timed("plain loop", func(context.Context) error {
				var last uint64
				for x := range source {
					last = work(x)
				}
				runtime.KeepAlive(last)
				return nil
			}),
			timed("Stream, one worker", consume(1, false)),
			timed("Stream", consume(0, false)),
			timed("Stream, unordered", consume(0, true)),
		},
		reference: "plain loop", unit: "ns an item", figure: func(d time.Duration) float64 { return float64(d) / float64(n) },
	}, nil
}

// twoGoroutines is the loop by hand: each CPU has its even share of [0, n).
func twoGoroutines(n int, f func(lo, hi int)) error {
	var wg sync.WaitGroup
	cpus := runtime.GOMAXPROCS(0)
	for w := range cpus {
		wg.Go(func() { f(w*n/cpus, (w+1)*n/cpus) })
	}
	wg.Wait()
	return nil
}

func randomDense(r, c int) *mat.Dense {
	m := mat.NewDense(r, c, nil)
	x := uint64(88172645463325252)
	for i := range m.RawMatrix().Data {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		m.RawMatrix().Data[i] = float64(x>>11) / (1 << 53)
	}
	return m
}
