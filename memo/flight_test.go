package memo

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/parallel"
)

// inBubble runs f in a synctest bubble, with a cache in memory: time stands still
// while anything runs, and the test fails if a goroutine is left blocked.
func inBubble(t *testing.T, f func(t *testing.T, c *Cache, s *storetest.Memory)) {
	synctest.Test(t, func(t *testing.T) {
		s := &storetest.Memory{}
		f(t, openOn(t, s), s)
	})
}

const crowd = 64

func TestConcurrentCallsComputeOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, c *Cache, _ *storetest.Memory) {
		var computed atomic.Int64
		release := make(chan struct{})
		f, err := Func(c, Spec{Name: "f"}, func(_ context.Context, x *mat.Dense) (*mat.Dense, []float64, map[string][]int, error) {
			computed.Add(1)
			<-release
			return mat.DenseCopyOf(x), []float64{1, 2}, map[string][]int{"a": {1}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range crowd {
			wg.Go(func() {
				x := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
				m, v, n, err := f.Call(t.Context(), x)
				if err != nil || m.At(1, 1) != 4 || v[1] != 2 || n["a"][0] != 1 {
					t.Error(m, v, n, err)
					return
				}
				// Whoever shares memory with another sees this, and so does the
				// race detector.
				m.Set(1, 1, float64(-i))
				v[1], n["a"][0], n["b"] = float64(-i), -i, nil
				x.Set(0, 0, float64(-i))
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if computed.Load() != 1 {
			t.Errorf("computed %d times", computed.Load())
		}
		if s := c.Stats(); s.Misses != 1 || s.Shared != crowd-1 || s.Faults != 0 {
			t.Errorf("%+v", s)
		}
		m, _, _, err := f.Call(t.Context(), mat.NewDense(2, 2, []float64{1, 2, 3, 4}))
		if err != nil || m.At(1, 1) != 4 || c.Stats().Hits != 1 {
			t.Error("afterwards:", m, err, c.Stats())
		}
	})
}

// TestConcurrentCallsWithoutStandstill is the same without a barrier: callers
// arrive before, while and after the result is stored.
func TestConcurrentCallsWithoutStandstill(t *testing.T) {
	c := openQuiet(t, t.TempDir())
	for round := range 20 {
		var computed atomic.Int64
		var wg sync.WaitGroup
		for range crowd {
			wg.Go(func() {
				got, err := Do(context.Background(), c, NewKey("f", "1").Add(round), func(context.Context) ([]float64, error) {
					computed.Add(1)
					return []float64{1, 2, 3}, nil
				})
				if err != nil || len(got) != 3 || got[2] != 3 {
					t.Error(got, err)
					return
				}
				got[2] = -1
			})
		}
		wg.Wait()
		if computed.Load() != 1 {
			t.Errorf("round %d: computed %d times", round, computed.Load())
		}
	}
}

// waiting is one call under way.
type waiting struct {
	cancel context.CancelFunc
	value  int
	err    error
	done   bool
}

// start calls do in a goroutine and returns when it waits.
func start(t *testing.T, do func(context.Context) (int, error)) *waiting {
	ctx, cancel := context.WithCancel(t.Context())
	w := &waiting{cancel: cancel}
	go func() {
		w.value, w.err = do(ctx)
		w.done = true
	}()
	synctest.Wait()
	return w
}

func TestCallersGiveUpOneByOne(t *testing.T) {
	for _, leaver := range []string{"first", "second"} {
		inBubble(t, func(t *testing.T, c *Cache, _ *storetest.Memory) {
			computed := 0
			release := make(chan struct{})
			f, err := Func(c, Spec{Name: "f"}, func(ctx context.Context, x int) (int, error) {
				computed++
				select {
				case <-release:
					return x + 1, nil
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			call := func(ctx context.Context) (int, error) { return f.Call(ctx, 1) }
			callers := map[string]*waiting{}
			for _, name := range []string{"first", "second", "third"} {
				callers[name] = start(t, call)
			}
			callers[leaver].cancel()
			synctest.Wait()
			if w := callers[leaver]; !w.done || !errors.Is(w.err, context.Canceled) {
				t.Errorf("the %s caller gave up: %+v", leaver, w)
			}
			close(release)
			synctest.Wait()
			for name, w := range callers {
				if name != leaver && (!w.done || w.value != 2 || w.err != nil) {
					t.Errorf("the %s gave up, and the %s got %+v", leaver, name, w)
				}
				w.cancel()
			}
			if got, err := f.Call(t.Context(), 1); got != 2 || err != nil || computed != 1 || c.Stats().Hits != 1 {
				t.Error(got, err, computed, c.Stats())
			}
		})
	}
}

func TestLastCallerEndsTheComputation(t *testing.T) {
	inBubble(t, func(t *testing.T, c *Cache, s *storetest.Memory) {
		var ended error
		do := func(ctx context.Context) (int, error) {
			return Do(ctx, c, NewKey("f", "1"), func(ctx context.Context) (int, error) {
				<-ctx.Done()
				ended = ctx.Err()
				return 1, nil // half of the work, and no error
			})
		}
		first, second := start(t, do), start(t, do)
		first.cancel()
		synctest.Wait()
		if ended != nil || second.done {
			t.Error("the first one gave up, and ended it for the second")
		}
		second.cancel()
		synctest.Wait()
		if ended == nil || !first.done || !second.done {
			t.Error("all gave up, yet the function's context goes on")
		}
		if len(s.Blobs()) > 0 {
			t.Error("what a function returned after it was told to stop was cached")
		}
	})
}

// TestArgumentsOfThoseWhoGaveUp: a caller who gave up uses the memory of the
// arguments for something else, while the function still reads it for another.
func TestArgumentsOfThoseWhoGaveUp(t *testing.T) {
	inBubble(t, func(t *testing.T, c *Cache, s *storetest.Memory) {
		release := make(chan struct{})
		f, err := Func(c, Spec{Name: "f"}, func(_ context.Context, x []int) (int, error) {
			<-release
			return x[0], nil
		})
		if err != nil {
			t.Fatal(err)
		}
		mine := []int{1}
		first := start(t, func(ctx context.Context) (int, error) { return f.Call(ctx, mine) })
		second := start(t, func(ctx context.Context) (int, error) { return f.Call(ctx, []int{1}) })
		first.cancel()
		synctest.Wait()
		mine[0] = 2
		close(release)
		synctest.Wait()
		if !second.done || second.value != 1 || second.err != nil {
			t.Errorf("the other caller got %+v", second)
		}
		if got, err := f.Call(t.Context(), []int{1}); got != 1 || err != nil {
			t.Errorf("WRONG result in the cache: %d, %v", got, err)
		}
		second.cancel()
	})
}

func TestPanicsAndGoexitReachEveryCaller(t *testing.T) {
	for _, how := range []string{"panic", "Goexit"} {
		inBubble(t, func(t *testing.T, c *Cache, s *storetest.Memory) {
			release := make(chan struct{})
			broken := errors.New("broken")
			var panicked, exited, returned atomic.Int64
			var wg sync.WaitGroup
			for range crowd {
				wg.Go(func() {
					normal := false
					defer func() {
						if normal {
							returned.Add(1)
						} else if v := recover(); v == nil {
							exited.Add(1)
						} else if err, ok := v.(error); ok && errors.Is(err, broken) {
							panicked.Add(1)
						}
					}()
					_, _ = Do(t.Context(), c, NewKey("f", "1"), func(context.Context) (int, error) {
						<-release
						if how == "panic" {
							panic(broken)
						}
						runtime.Goexit()
						return 0, nil
					})
					normal = true
				})
			}
			synctest.Wait()
			close(release)
			wg.Wait()
			want := map[string][3]int64{"panic": {crowd, 0, 0}, "Goexit": {0, crowd, 0}}[how]
			checkEqual(t, how+": panicked, exited, returned", [3]int64{panicked.Load(), exited.Load(), returned.Load()}, want)
			if len(s.Blobs()) > 0 {
				t.Error("something was cached")
			}
			if got, err := Do(t.Context(), c, NewKey("f", "1"), func(context.Context) (int, error) { return 3, nil }); got != 3 || err != nil {
				t.Error("the next call:", got, err)
			}
		})
	}
}

func TestPanicTellsWhere(t *testing.T) {
	c := openOn(t, &storetest.Memory{})
	defer func() {
		var p *parallel.PanicError
		v := recover()
		if err, ok := v.(interface{ Unwrap() error }); ok && errors.As(err.Unwrap(), &p) {
			t.Error("wrapped twice")
		}
		if err, ok := v.(error); !ok || len(err.Error()) < 100 {
			t.Errorf("%v says nothing of the stack", v)
		}
	}()
	_, _ = Do(t.Context(), c, NewKey("f", "1"), func(context.Context) (int, error) { panic("here") })
}

// TestErrorsAreShared: waiters get the error, but not what the function returned
// beside it, which is the first caller's.
func TestErrorsAreShared(t *testing.T) {
	inBubble(t, func(t *testing.T, c *Cache, s *storetest.Memory) {
		release := make(chan struct{})
		broken := errors.New("broken")
		f, err := Func(c, Spec{Name: "f"}, func(context.Context) ([]int, error) {
			<-release
			return []int{1}, broken
		})
		if err != nil {
			t.Fatal(err)
		}
		got := make([][]int, crowd)
		var wg sync.WaitGroup
		for i := range crowd {
			wg.Go(func() {
				v, err := f.Call(t.Context())
				if !errors.Is(err, broken) {
					t.Error(v, err)
				}
				got[i] = v
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		with := 0
		for _, v := range got {
			if v != nil {
				with++
			}
		}
		if with != 1 || len(s.Blobs()) > 0 {
			t.Errorf("%d callers got the slice beside the error; %d blobs stored", with, len(s.Blobs()))
		}
	})
}

// TestOneKeyForDifferentFunctions: functions of different types share a name and
// a version by mistake. Each gets what it computes.
func TestOneKeyForDifferentFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T, c *Cache, _ *storetest.Memory) {
		release := make(chan struct{})
		k := NewKey("f", "1")
		broken := errors.New("broken")
		spec := Spec{Name: "f", Version: "1"}
		ints, err1 := Func(c, spec, func(context.Context) (int, error) { <-release; return 1, nil })
		failing, err2 := Func(c, spec, func(context.Context) ([]int, error) { <-release; return []int{1}, broken })
		sure, err3 := Func(c, spec, func(context.Context) string { <-release; return "sure" })
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		calls := []func(){
			func() {
				if v, err := ints.Call(t.Context()); v != 1 || err != nil {
					t.Error("ints:", v, err)
				}
			},
			func() {
				// The error is its own, or it gets what it computed.
				if v, err := failing.Call(t.Context()); !errors.Is(err, broken) {
					t.Error("failing:", v, err)
				}
			},
			func() {
				if v := sure.Call(t.Context()); v != "sure" {
					t.Errorf("sure: %q", v)
				}
			},
			func() {
				v, err := Do(t.Context(), c, k, func(context.Context) (*mat.Dense, error) { <-release; return mat.NewDense(1, 1, []float64{5}), nil })
				if err != nil || v.At(0, 0) != 5 {
					t.Error("Do:", v, err)
				}
			},
		}
		for first := range calls {
			if first == 1 {
				continue // its error would be everybody's, as it should for one function
			}
			release = make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(calls[first])
			synctest.Wait()
			for i, call := range calls {
				if i != first {
					wg.Go(call)
				}
			}
			synctest.Wait()
			close(release)
			wg.Wait()
		}
		// With the failing one first, the function that has no error to return
		// must not return nothing.
		release = make(chan struct{})
		if err := c.Forget(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(calls[1])
		synctest.Wait()
		wg.Go(calls[2])
		synctest.Wait()
		close(release)
		wg.Wait()
	})
}
