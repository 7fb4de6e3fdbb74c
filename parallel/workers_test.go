package parallel_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// gauge counts what runs at a time.
type gauge struct{ now, most atomic.Int64 }

func (g *gauge) enter() {
	now := g.now.Add(1)
	for {
		most := g.most.Load()
		if now <= most || g.most.CompareAndSwap(most, now) {
			return
		}
	}
}

func (g *gauge) leave() { g.now.Add(-1) }

// goroutines returns how many there are with a function in their stack.
func goroutines(of string) int {
	buf := make([]byte, 1<<20)
	n := 0
	for _, trace := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(trace, of) {
			n++
		}
	}
	return n
}

// Calls in calls in calls have the workers of the outermost one together, in each
// way in which they can be made; and all of these at any moment that they can use.
func TestNestedCallsShareOneBudget(t *testing.T) {
	type door = func(ctx context.Context, o *parallel.Options, n int, f func(context.Context, int) error) error
	doors := map[string]door{
		"slice": func(ctx context.Context, o *parallel.Options, n int, f func(context.Context, int) error) error {
			return parallel.ForEach(ctx, o, ints(n), f)
		},
		"sequence": func(ctx context.Context, o *parallel.Options, n int, f func(context.Context, int) error) error {
			return parallel.ForEach(ctx, o, upTo(n, nil), f)
		},
		"stream": func(ctx context.Context, o *parallel.Options, n int, f func(context.Context, int) error) error {
			_, err := pairs(parallel.Stream(ctx, o, ints(n), func(ctx context.Context, i int) (int, error) { return i, f(ctx, i) }))
			return err
		},
	}
	const workers = 4
	for outer, outerDoor := range doors {
		for inner, innerDoor := range doors {
			t.Run(inner+" in "+outer, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var running gauge
					var most, items atomic.Int64
					before := runtime.NumGoroutine()
					err := outerDoor(t.Context(), &parallel.Options{Workers: workers}, 12, func(ctx context.Context, _ int) error {
						// An explicit number is bounded, too.
						return innerDoor(ctx, &parallel.Options{Workers: 100, Grain: 1}, 12, func(ctx context.Context, _ int) error {
							return parallel.ForEach(ctx, &parallel.Options{Grain: 1}, ints(3), func(context.Context, int) error {
								running.enter()
								defer running.leave()
								items.Add(1)
								time.Sleep(time.Second)
								if n := int64(runtime.NumGoroutine() - before); n > most.Load() {
									most.Store(n)
								}
								return nil
							})
						})
					})
					if err != nil || items.Load() != 12*12*3 || running.most.Load() != workers {
						t.Errorf("%d items, %d at once, %v; want 432, %d at once", items.Load(), running.most.Load(), err, workers)
					}
					// Beside the workers: feeders of the sequences, one a call, and what starts
					// or ends at the moment.
					if most.Load() > 4*workers {
						t.Errorf("%d goroutines for %d workers", most.Load(), workers)
					}
				})
			})
		}
	}
}

// A call inside an item gets the workers that the outer call needs no more.
func TestNestedCallTakesWhatBecomesFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := parallel.ForEach(t.Context(), &parallel.Options{Workers: 4, Grain: 1}, ints(4), func(ctx context.Context, i int) error {
			if i > 0 {
				time.Sleep(time.Second)
				return nil
			}
			return parallel.ForEach(ctx, &parallel.Options{Grain: 1}, ints(41), func(context.Context, int) error {
				time.Sleep(time.Second)
				return nil
			})
		})
		// One second alone, then 40 items of a second on four workers.
		if took := time.Since(start); err != nil || took > 12*time.Second {
			t.Errorf("took %v, %v; want 11s or 12s", took, err)
		}
	})
}

// Several calls at once inside one item, each of which would take all places.
func TestNestedCallsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running gauge
		err := parallel.ForEach(t.Context(), &parallel.Options{Workers: 3, Grain: 1}, ints(3), func(ctx context.Context, _ int) error {
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					_ = parallel.ForEach(ctx, nil, ints(20), func(context.Context, int) error {
						running.enter()
						defer running.leave()
						time.Sleep(time.Millisecond)
						return nil
					})
				})
			}
			wg.Wait()
			return nil
		})
		// Each of the 15 goroutines is the caller's own; no worker comes on top.
		if err != nil || running.most.Load() > 15 {
			t.Errorf("%d at once, %v", running.most.Load(), err)
		}
	})
}

// gonum's product starts goroutines of its own, GOMAXPROCS of them at the most,
// for each product that runs: never the square of the workers.
func TestNestedAroundGonum(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const workers, inner = 4, 4
	x := mat.NewDense(200, 200, wild(200*200))
	var most atomic.Int64
	err := parallel.ForEach(bg, &parallel.Options{Workers: workers, Grain: 1}, ints(8), func(ctx context.Context, _ int) error {
		return parallel.ForEach(ctx, &parallel.Options{Workers: inner, Grain: 1}, ints(8), func(context.Context, int) error {
			var y mat.Dense
			y.Mul(x, x)
			if n := int64(goroutines("parallel_test.TestNestedAroundGonum.")); n > most.Load() {
				most.Store(n)
			}
			return nil
		})
	})
	// A stack with this function is one of the test, its workers, or what they start.
	if err != nil || most.Load() > 1+workers {
		t.Errorf("%d goroutines for %d workers, %v", most.Load(), workers, err)
	}
}

func TestWithWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6))
	atOnce := func(ctx context.Context, o *parallel.Options) int64 {
		var running gauge
		synctest.Test(t, func(*testing.T) {
			err := parallel.ForEach(ctx, o, ints(50), func(context.Context, int) error {
				running.enter()
				defer running.leave()
				time.Sleep(time.Second)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		return running.most.Load()
	}
	for _, tc := range []struct {
		set, asked int
		want       int64
	}{{3, 0, 3}, {-2, 0, 5}, {0, 0, 6}, {3, 2, 2}, {2, 9, 9}, {2, -1, 6}} {
		ctx := parallel.WithWorkers(bg, tc.set)
		if got := atOnce(ctx, &parallel.Options{Workers: tc.asked, Grain: 1}); got != tc.want {
			t.Errorf("WithWorkers %d, Workers %d: %d at once, want %d", tc.set, tc.asked, got, tc.want)
		}
	}
	if got := atOnce(parallel.WithWorkers(parallel.WithWorkers(bg, 3), 2), nil); got != 2 {
		t.Errorf("the inner of two: %d", got)
	}
	if got := atOnce(parallel.WithWorkers(parallel.WithWorkers(bg, 3), 0), nil); got != 6 {
		t.Errorf("taken back: %d", got)
	}
	var nilCtx context.Context
	if parallel.WithWorkers(nilCtx, 2) != nil {
		t.Error("a nil context became one")
	}
}
