package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/sourcegraph/conc/iter"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/numcache/numcache/parallel"
)

// shortTasks are many that take about 50 ns. A task of joblib takes longer than its work;
// it does one in a hundred.
func shortTasks(_ context.Context, b *bench, _ int) (work, error) {
	n := 2_000_000
	if b.quick {
		n = 20_000
	}
	few := n / 100
	return b.mapping(n, shiftWork,
		b.peers.scaled("joblib, threading", "short_threading", few, 1, float64(n)/float64(few)),
		b.peers.scaled("joblib, loky", "short_loky", few, 1, float64(n)/float64(few))), nil
}

// longTasks take 1 ms of the clock each.
func longTasks(_ context.Context, b *bench, _ int) (work, error) {
	n := 500
	if b.quick {
		n = 20
	}
	return b.mapping(n, spinWork, b.peers.scaled("joblib, threading", "long_threading", n, 1, 1),
		b.peers.scaled("joblib, loky", "long_loky", n, 1, 1)), nil
}

// shiftWork takes about 50 ns: a dependent chain that no compiler shortens.
//
//go:noinline
func shiftWork(x uint64) uint64 {
	for range 56 {
		x ^= x << 13
		x ^= x >> 7
	}
	return x
}

// spinWork takes a millisecond, whatever else the machine does.
func spinWork(x uint64) uint64 {
	for start := time.Now(); time.Since(start) < time.Millisecond; {
	}
	return x
}

// mapping is a task done for n items, by whatever does such a thing.
func (b *bench) mapping(n int, task func(uint64) uint64, others ...*contestant) work {
	xs, ys, want := make([]uint64, n), make([]uint64, n), make([]uint64, n)
	for i := range xs {
		xs[i] = uint64(i) + 1
		want[i] = task(xs[i])
	}
	cpus := runtime.GOMAXPROCS(0)
	var all []*contestant
	add := func(name string, role role, f func(ctx context.Context) ([]uint64, error)) {
		c := timed(name, role, 1, func(ctx context.Context) error {
			_, err := f(ctx)
			return err
		}).saying(func(ctx context.Context) (string, error) {
			clear(ys)
			got, err := f(ctx)
			return fmt.Sprintf("as a plain loop: %t", slices.Equal(got, want)), err
		})
		all = append(all, &c)
	}
	add("parallel.Map", ours, func(ctx context.Context) ([]uint64, error) {
		return parallel.Map(ctx, nil, xs, func(_ context.Context, x uint64) (uint64, error) { return task(x), nil })
	})
	add(plainLoop, peer, func(context.Context) ([]uint64, error) {
		for i, x := range xs {
			ys[i] = task(x)
		}
		return ys, nil
	})
	add("errgroup", peer, func(ctx context.Context) ([]uint64, error) {
		g, _ := errgroup.WithContext(ctx)
		g.SetLimit(cpus)
		for i, x := range xs {
			g.Go(func() error {
				ys[i] = task(x)
				return nil
			})
		}
		return ys, g.Wait()
	})
	add("conc/iter.Map", peer, func(context.Context) ([]uint64, error) {
		return iter.Map(xs, func(x *uint64) uint64 { return task(*x) }), nil
	})
	add("conc/pool", peer, func(context.Context) ([]uint64, error) {
		g := pool.New().WithMaxGoroutines(cpus)
		for i, x := range xs {
			g.Go(func() { ys[i] = task(x) })
		}
		g.Wait()
		return ys, nil
	})
	return b.work(0, n, append(all, others...)...)
}
