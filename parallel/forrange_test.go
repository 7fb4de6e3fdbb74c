package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/parallel"
)

var bg = context.Background()

var workerCounts = []int{1, 2, 7, 64, 0, -1, -2, -1000, 1_000_000}

// cover runs ForRange and checks that every index came exactly once.
func cover(t *testing.T, o *parallel.Options, n int) (ranges [][2]int) {
	t.Helper()
	seen := make([]atomic.Int32, n)
	var mu sync.Mutex
	err := parallel.ForRange(bg, o, n, func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			seen[i].Add(1)
		}
		mu.Lock()
		defer mu.Unlock()
		ranges = append(ranges, [2]int{lo, hi})
		return nil
	})
	if err != nil {
		t.Fatalf("%+v, n=%d: %v", o, n, err)
	}
	for i := range seen {
		if c := seen[i].Load(); c != 1 {
			t.Fatalf("%+v, n=%d: index %d came %d times", o, n, i, c)
		}
	}
	return ranges
}

func TestForRangeCoversEachIndexOnce(t *testing.T) {
	cover(t, nil, 100)
	for _, w := range workerCounts {
		for _, grain := range []int{0, 1, 3, 1000, math.MaxInt} {
			for _, n := range []int{0, 1, 2, 3, 16, 17, 1000, 4097} {
				for _, r := range cover(t, &parallel.Options{Workers: w, Grain: grain}, n) {
					size := r[1] - r[0]
					if size < 1 || grain > 0 && size != min(grain, n-r[0]) {
						t.Fatalf("workers %d, grain %d, n %d: range %v", w, grain, n, r)
					}
				}
			}
		}
	}
}

func FuzzForRange(f *testing.F) {
	f.Add(0, 0, uint16(0))
	f.Add(-2, 5, uint16(17))
	f.Add(math.MaxInt, math.MaxInt, uint16(1000))
	f.Fuzz(func(t *testing.T, workers, grain int, n uint16) {
		if grain < 0 {
			grain = -(grain + 1)
		}
		cover(t, &parallel.Options{Workers: workers, Grain: grain}, int(n))
	})
}

func TestForRangeAutomaticRangesShrink(t *testing.T) {
	const n, workers = 10_000, 4
	ranges := cover(t, &parallel.Options{Workers: workers}, n)
	if len(ranges) > n/20 {
		t.Errorf("%d ranges for %d items: too many to be cheap", len(ranges), n)
	}
	largest, last := 0, 0
	for _, r := range ranges {
		largest = max(largest, r[1]-r[0])
		if r[1] == n {
			last = r[1] - r[0]
		}
	}
	if largest > n/workers/4 {
		t.Errorf("a range of %d items leaves nothing to balance", largest)
	}
	if last != 1 {
		t.Errorf("the last range has %d items, want 1", last)
	}
}

// A million workers must not mean a million goroutines.
func TestGoroutinesAreBoundedByItems(t *testing.T) {
	for _, tc := range []struct{ n, grain, want int }{{5, 0, 5}, {5, 2, 3}, {64, 8, 8}} {
		t.Run(fmt.Sprintf("n=%d/grain=%d", tc.n, tc.grain), func(t *testing.T) {
			child := " in " + goroutineID() + "\n" // in the "created by" of those that this one starts
			var all sync.WaitGroup
			all.Add(tc.want)
			var most atomic.Int64
			o := &parallel.Options{Workers: 1_000_000, Grain: tc.grain}
			err := parallel.ForRange(bg, o, tc.n, func(_ context.Context, lo, _ int) error {
				all.Done()
				all.Wait() // they only go on when all are running at once
				if lo == 0 {
					buf := make([]byte, 1<<20)
					traces := string(buf[:runtime.Stack(buf, true)]) + "\n"
					most.Store(int64(strings.Count(traces, child)))
				}
				return nil
			})
			if n := most.Load(); err != nil || n < 1 || n > int64(tc.want) {
				t.Errorf("%d goroutines, want at most %d, error %v", n, tc.want, err)
			}
		})
	}
}

// Whether a goroutine was started shows in the stack of the task.
func TestSingleRangeRunsInTheCallersGoroutine(t *testing.T) {
	for _, tc := range []struct {
		o *parallel.Options
		n int
	}{
		{&parallel.Options{Workers: 1}, 100},
		{&parallel.Options{Workers: 8, Grain: 100}, 100},
		{&parallel.Options{Workers: 8}, 1},
	} {
		id := goroutineID()
		err := parallel.ForRange(bg, tc.o, tc.n, func(context.Context, int, int) error {
			if got := goroutineID(); got != id {
				t.Errorf("%+v: ran in %s, called from %s", tc, got, id)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// goroutineID returns the "goroutine 7" that a stack trace starts with.
func goroutineID() string {
	buf := make([]byte, 64)
	buf = buf[:runtime.Stack(buf, false)]
	for i, c := range buf {
		if c == '[' {
			return string(buf[:i-1])
		}
	}
	return string(buf)
}

func TestNestedCalls(t *testing.T) {
	var total atomic.Int64
	err := parallel.ForRange(bg, nil, 20, func(ctx context.Context, lo, hi int) error {
		for range hi - lo {
			err := parallel.ForRange(ctx, nil, 30, func(_ context.Context, lo, hi int) error {
				total.Add(int64(hi - lo))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || total.Load() != 600 {
		t.Errorf("%d inner items, error %v", total.Load(), err)
	}
}

// Uneven work: one worker is held by item 0 until the others have done the
// rest, so a static split would never end.
func TestTailIsBalanced(t *testing.T) {
	var rest sync.WaitGroup
	rest.Add(99)
	o := &parallel.Options{Workers: 2, Grain: 1}
	err := parallel.ForRange(bg, o, 100, func(_ context.Context, lo, _ int) error {
		if lo == 0 {
			rest.Wait()
		} else {
			rest.Done()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Ranges have grown on quick items when those come that take a second: what one
// worker has claimed of them, others run, too.
func TestSlowItemsAreGivenBack(t *testing.T) {
	const n, slow = 4000, 96
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := parallel.ForEach(t.Context(), &parallel.Options{Workers: 2}, ints(n), func(_ context.Context, i int) error {
			if i >= 1000 && i < 1000+slow {
				time.Sleep(time.Second)
			}
			return nil
		})
		// 48 s is the least; one worker alone would take 96 s.
		if took := time.Since(start); err != nil || took > 65*time.Second {
			t.Errorf("%v, %v", took, err)
		}
	})
}

// Any function, any worker count, any grain equals the serial loop: its results
// if it succeeds, one of its errors if it fails.
func TestEqualsSerialLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := rng.IntN(500)
		xs := make([]uint64, n)
		for i := range xs {
			xs[i] = rng.Uint64()
		}
		mul, add, failing := rng.Uint64(), rng.Uint64(), rng.Uint64N(4)*rng.Uint64N(64)
		errFail := errors.New("fails")
		f := func(_ context.Context, x uint64) (uint64, error) {
			if failing > 0 && x%1024 < failing {
				return 0, errFail
			}
			return x*mul + add, nil
		}
		serial := make([]uint64, n)
		failures := map[int]bool{}
		for i, x := range xs {
			y, err := f(bg, x)
			if serial[i] = y; err != nil {
				failures[i] = true
			}
		}
		for _, workers := range []int{1, 2, 7, 64} {
			o := &parallel.Options{Workers: workers, Grain: rng.IntN(4) * rng.IntN(n+2)}
			ys, err := parallel.Map(bg, o, xs, f)
			each := parallel.ForEach(bg, o, xs, func(ctx context.Context, x uint64) error {
				_, err := f(ctx, x)
				return err
			})
			if len(failures) > 0 {
				for _, err := range []error{err, each} {
					var e *parallel.Error
					if !errors.As(err, &e) || !errors.Is(err, errFail) || !failures[e.Index] || ys != nil {
						t.Fatalf("%+v, n=%d: %v does not name one of the items %v", o, n, err, failures)
					}
				}
				continue
			}
			if err != nil || each != nil {
				t.Fatalf("%+v, n=%d: %v, %v", o, n, err, each)
			}
			for i := range ys {
				if ys[i] != serial[i] {
					t.Fatalf("%+v, n=%d: item %d is %d, want %d", o, n, i, ys[i], serial[i])
				}
			}
		}
	}
}

// Negative counts are joblib's: -1 is all, -2 all but one, and never none.
func TestWorkersCountLikeJoblib(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for workers, want := range map[int]int{0: 3, -1: 3, -2: 2, -3: 1, -4: 1, math.MinInt: 1, 1: 1, 5: 5} {
		// Each worker holds its item until as many run as are wanted; one more
		// would then be seen in running.
		var running, most atomic.Int64
		var met sync.WaitGroup
		met.Add(want)
		err := parallel.ForRange(bg, &parallel.Options{Workers: workers, Grain: 1}, 50*want, func(_ context.Context, lo, _ int) error {
			now := running.Add(1)
			defer running.Add(-1)
			for {
				m := most.Load()
				if now <= m || most.CompareAndSwap(m, now) {
					break
				}
			}
			if lo < want {
				met.Done()
				met.Wait()
			}
			runtime.Gosched()
			return nil
		})
		if err != nil || most.Load() != int64(want) {
			t.Errorf("Workers %d: %d at once, want %d (%v)", workers, most.Load(), want, err)
		}
	}
}
