package memo_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// TestRefresh computes again through every door, and what was computed last is what
// a call finds.
func TestRefresh(t *testing.T) {
	var computed atomic.Int64
	next := func() *mat.Dense { return mat.NewDense(1, 1, []float64{float64(computed.Add(1))}) }
	for name, door := range map[string]func(t *testing.T, c *memo.Cache) (call, refresh func(context.Context) (*mat.Dense, error)){
		"Func": func(t *testing.T, c *memo.Cache) (call, refresh func(context.Context) (*mat.Dense, error)) {
			f := memoize(t, c, memo.Spec{Name: "f"}, func(context.Context) (*mat.Dense, error) { return next(), nil })
			return f.Call, f.Refresh
		},
		"Func without error": func(t *testing.T, c *memo.Cache) (call, refresh func(context.Context) (*mat.Dense, error)) {
			f := memoize(t, c, memo.Spec{Name: "f"}, next)
			return func(context.Context) (*mat.Dense, error) { return f.Call(), nil },
				func(context.Context) (*mat.Dense, error) { return f.Refresh(), nil }
		},
		"Memoize": func(t *testing.T, c *memo.Cache) (call, refresh func(context.Context) (*mat.Dense, error)) {
			m := must(c.Memoize(memo.Spec{Name: "f"}, func(context.Context) (*mat.Dense, error) { return next(), nil }))(t)
			return m.CallFunc().(func(context.Context) (*mat.Dense, error)), m.RefreshFunc().(func(context.Context) (*mat.Dense, error))
		},
		"Do": func(t *testing.T, c *memo.Cache) (call, refresh func(context.Context) (*mat.Dense, error)) {
			compute := func(context.Context) (*mat.Dense, error) { return next(), nil }
			return func(ctx context.Context) (*mat.Dense, error) { return memo.Do(ctx, c, key(1), compute) },
				func(ctx context.Context) (*mat.Dense, error) { return memo.Refresh(ctx, c, key(1), compute) }
		},
		"Dense": func(t *testing.T, c *memo.Cache) (call, refresh func(context.Context) (*mat.Dense, error)) {
			compute := func(context.Context) (*mat.Dense, error) { return next(), nil }
			return func(ctx context.Context) (*mat.Dense, error) { return c.Dense(ctx, key(1), compute) },
				func(ctx context.Context) (*mat.Dense, error) { return c.RefreshDense(ctx, key(1), compute) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			computed.Store(0)
			now := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
			c := openIn(t, t.TempDir(), &memo.Options{Now: func() time.Time { return now }})
			call, refresh := door(t, c)
			for i, step := range []struct {
				f    func(context.Context) (*mat.Dense, error)
				want float64
			}{{refresh, 1}, {call, 1}, {call, 1}, {refresh, 2}, {refresh, 3}, {call, 3}} {
				now = now.Add(time.Hour)
				got, err := step.f(t.Context())
				if err != nil || got.At(0, 0) != step.want {
					t.Errorf("step %d: %v, %v; want %v", i, got, err, step.want)
					continue
				}
				got.Set(0, 0, -1) // it is the caller's own
			}
			checkCounts(t, c, 3, 3, 0)
			for r, err := range c.Records(t.Context()) {
				if err != nil || !r.Created.Equal(now.Add(-time.Hour)) {
					t.Errorf("created %v, %v; want the time of the last refresh", r.Created, err)
				}
			}
		})
	}
}

// TestRefreshThatFails leaves what the cache holds.
func TestRefreshThatFails(t *testing.T) {
	broken := errors.New("broken")
	var giveUp context.CancelFunc
	for name, fail := range map[string]func(context.Context) error{
		"error":   func(context.Context) error { return broken },
		"panic":   func(context.Context) error { panic(broken) },
		"Goexit":  func(context.Context) error { runtime.Goexit(); return nil },
		"context": func(ctx context.Context) error { giveUp(); <-ctx.Done(); return nil }, // half of the work, and no error
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := openIn(t, t.TempDir(), nil)
				failing := false
				f := memoize(t, c, memo.Spec{Name: "f"}, func(ctx context.Context) (string, error) {
					if failing {
						return "new", fail(ctx)
					}
					return "old", nil
				})
				if got, err := f.Call(t.Context()); got != "old" || err != nil {
					t.Fatal(got, err)
				}
				failing = true
				var ctx context.Context
				ctx, giveUp = context.WithCancel(t.Context())
				defer giveUp()
				go func() {
					defer func() { _ = recover() }()
					if _, err := f.Refresh(ctx); err == nil {
						t.Error("a refresh that failed has no error")
					}
				}()
				synctest.Wait() // also for a function that returns after its caller gave up
				if got, err := f.Call(t.Context()); got != "old" || err != nil {
					t.Errorf("afterwards: %q, %v", got, err)
				}
			})
		})
	}
}

// TestRefreshWhileOthersWait: a refresh has a computation of its own, and neither
// ends nor waits for the one that others wait for. Everybody gets what was computed
// for them.
func TestRefreshWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openIn(t, t.TempDir(), &memo.Options{Patience: -1})
		release := []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
		var computed atomic.Int64
		f := memoize(t, c, memo.Spec{Name: "f"}, func() []int64 {
			n := computed.Add(1)
			<-release[n-1]
			return []int64{n}
		})
		var results [4]int64
		start := func(i int, call func() []int64) {
			go func() {
				got := call()
				results[i], got[0] = got[0], -1
			}()
			synctest.Wait()
		}
		start(0, f.Call)
		start(1, f.Call)
		start(2, f.Refresh)
		start(3, f.Refresh)
		if n := computed.Load(); n != 3 {
			t.Fatalf("%d computations run, want that of the calls and one of each refresh", n)
		}
		close(release[1])
		synctest.Wait()
		if results != [4]int64{2: 2} {
			t.Errorf("after the first refresh: %v", results)
		}
		close(release[0])
		synctest.Wait()
		close(release[2])
		synctest.Wait()
		if want := [4]int64{1, 1, 2, 3}; results != want {
			t.Errorf("the callers got %v, want %v", results, want)
		}
		if got := f.Call(); got[0] != 3 {
			t.Errorf("afterwards the cache holds %v, not what was computed last", got)
		}
		if s := c.Stats(); s.Misses != 3 || s.Shared != 1 || s.Hits != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestRefreshWhereNothingIsKept computes like a call.
func TestRefreshWhereNothingIsKept(t *testing.T) {
	closed := openIn(t, t.TempDir(), nil)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	one := func(context.Context) (int, error) { return 1, nil }
	var nilContext context.Context
	for name, c := range map[string]*memo.Cache{"disabled": openIn(t, "", nil), "closed": closed, "zero": new(memo.Cache)} {
		for _, k := range []memo.Key{key(1), key(func() {}), {}} {
			if got, err := memo.Refresh(nilContext, c, k, one); got != 1 || err != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}
	c := openIn(t, t.TempDir(), nil)
	if got, err := memo.Refresh(nilContext, c, key(func() {}), one); got != 1 || err != nil || c.Stats().Faults != 1 {
		t.Errorf("with an invalid key: %v, %v, %+v", got, err, c.Stats())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := memo.Refresh(ended, c, key(1), one); !errors.Is(err, context.Canceled) {
		t.Error("with a context that has ended:", err)
	}
	var none *memo.Cache
	if _, err := memo.Refresh(nilContext, none, key(1), one); !errors.Is(err, memo.ErrNil) {
		t.Error("with a nil cache:", err)
	}
	if _, err := memo.Refresh[int](nilContext, c, key(1), nil); !errors.Is(err, memo.ErrNil) {
		t.Error("with a nil function:", err)
	}
	if _, err := memo.Refresh(nilContext, c, key(1), func(context.Context) (any, error) { return 1, nil }); !errors.Is(err, memo.ErrUnsupported) {
		t.Error("with an interface result:", err)
	}
	if n := c.Stats().Misses; n != 1 {
		t.Errorf("%d computed, want the one with the invalid key", n)
	}
}
