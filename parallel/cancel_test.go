package parallel_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// Tests in this file run in a synctest bubble, where time passes only while all
// goroutines wait: a call that returns late shows in the clock, and a goroutine
// that stays behind is a deadlock that fails the test.

// waitingDoors calls every door with functions that wait for their context.
func waitingDoors(o *parallel.Options, wait func(context.Context) error) map[string]func(context.Context) error {
	xs, m := ints(100), mat.NewDense(100, 1, nil)
	perRow := &parallel.Options{Workers: o.Workers, Grain: 1}
	return map[string]func(context.Context) error{
		"Map": func(ctx context.Context) error {
			ys, err := parallel.Map(ctx, o, xs, func(ctx context.Context, _ int) (int, error) { return 0, wait(ctx) })
			if ys != nil {
				return errors.New("results in spite of the error")
			}
			return err
		},
		"ForEach": func(ctx context.Context) error {
			return parallel.ForEach(ctx, o, xs, func(ctx context.Context, _ int) error { return wait(ctx) })
		},
		"ForRange": func(ctx context.Context) error {
			return parallel.ForRange(ctx, o, len(xs), func(ctx context.Context, _, _ int) error { return wait(ctx) })
		},
		"ForEachBlock": func(ctx context.Context) error {
			return parallel.ForEachBlock(ctx, perRow, m, func(ctx context.Context, _ parallel.RowBlock) error { return wait(ctx) })
		},
		"MapRows": func(ctx context.Context) error {
			y, err := parallel.MapRows(ctx, o, m, 1, func(ctx context.Context, _ int, _, _ []float64) error { return wait(ctx) })
			if y != nil {
				return errors.New("a matrix in spite of the error")
			}
			return err
		},
		"Reduce": func(ctx context.Context) error {
			// fold has no context, so it waits for the caller's. That one ends
			// a moment before the call's own: the sleep lets the moment pass.
			sum, err := parallel.Reduce(ctx, o, xs, 0, func(a, x int) int {
				_ = wait(ctx)
				time.Sleep(time.Nanosecond)
				return a + x
			}, add)
			if sum != 0 {
				return errors.New("a sum in spite of the error")
			}
			return err
		},
	}
}

func TestCancelReturnsPromptly(t *testing.T) {
	waits := map[string]func(context.Context) error{
		"passes it on": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"wraps it":     func(ctx context.Context) error { <-ctx.Done(); return errors.Join(errBoom, ctx.Err()) },
		"gives cause":  func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
		"ignores it":   func(ctx context.Context) error { <-ctx.Done(); return nil },
	}
	for how, wait := range waits {
		for _, workers := range []int{1, 2, 64} {
			for door, call := range waitingDoors(&parallel.Options{Workers: workers}, wait) {
				t.Run(door+" "+how, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := context.WithCancel(t.Context())
						time.AfterFunc(time.Second, cancel)
						start := time.Now()
						if err := call(ctx); err != context.Canceled {
							t.Errorf("%d workers: %v", workers, err)
						}
						if d := time.Since(start).Truncate(time.Microsecond); d != time.Second {
							t.Errorf("%d workers: returned after %v", workers, d)
						}
					})
				})
			}
		}
	}
}

func TestCancelCauses(t *testing.T) {
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, workers := range []int{1, 4} {
		for door, call := range waitingDoors(&parallel.Options{Workers: workers}, wait) {
			t.Run(door, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					deadline, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					if err := call(deadline); err != context.DeadlineExceeded {
						t.Errorf("deadline: %v", err)
					}
					ctx, stop := context.WithCancelCause(t.Context())
					time.AfterFunc(time.Minute, func() { stop(errBoom) })
					err := call(ctx)
					var e *parallel.Error
					if !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) || errors.As(err, &e) {
						t.Errorf("cause: %v", err)
					}
				})
			})
		}
	}
}

func TestCancelledBeforeTheCall(t *testing.T) {
	ctx, cancel := context.WithCancel(bg)
	cancel()
	var called atomic.Bool
	wait := func(context.Context) error { called.Store(true); return nil }
	for _, workers := range []int{1, 64} {
		for door, call := range waitingDoors(&parallel.Options{Workers: workers}, wait) {
			if err := call(ctx); err != context.Canceled {
				t.Errorf("%s: %v", door, err)
			}
		}
	}
	if called.Load() {
		t.Error("an item began under an ended context")
	}
}

// The context is looked at between the items of a range, too.
func TestCancelBetweenItems(t *testing.T) {
	for _, workers := range []int{1, 2} {
		ctx, cancel := context.WithCancel(bg)
		var begun atomic.Int64
		err := parallel.ForEach(ctx, &parallel.Options{Workers: workers, Grain: 1000}, ints(10_000), func(context.Context, int) error {
			begun.Add(1)
			cancel()
			return nil
		})
		if err != context.Canceled || begun.Load() > int64(workers) {
			t.Errorf("%d workers: %d items begun, error %v", workers, begun.Load(), err)
		}
	}
}

// All the work was done: that the context ended meanwhile takes nothing away.
func TestCancelDuringTheLastItem(t *testing.T) {
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancel(bg)
		ys, err := parallel.Map(ctx, &parallel.Options{Workers: workers, Grain: 1}, ints(1), func(context.Context, int) (int, error) {
			cancel()
			return 7, nil
		})
		if err != nil || len(ys) != 1 || ys[0] != 7 {
			t.Errorf("%d workers: %v, %v", workers, ys, err)
		}
	}
}

// An item that fails on its own is reported even if it comes after the caller's
// cancellation and after items that only passed that on.
func TestErrorBesideCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := parallel.ForEach(ctx, &parallel.Options{Workers: 2, Grain: 1}, ints(2), func(ctx context.Context, i int) error {
			<-ctx.Done()
			if i == 1 {
				return ctx.Err()
			}
			time.Sleep(time.Second)
			return errBoom
		})
		var e *parallel.Error
		if !errors.As(err, &e) || e.Index != 0 || e.Err != errBoom {
			t.Errorf("got %v, want item 0", err)
		}
	})
}

// A task's own deadline is an error of the item, not an end of the call's context.
func TestTimeoutOfATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := parallel.ForEach(t.Context(), &parallel.Options{Workers: 4, Grain: 1}, ints(4), func(ctx context.Context, i int) error {
			ctx, cancel := context.WithTimeout(ctx, time.Duration(1+i)*time.Second)
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		})
		var e *parallel.Error
		if !errors.As(err, &e) || e.Index != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// The call waits for what is still running, on every way out.
func TestNoGoroutineOutlivesTheCall(t *testing.T) {
	outs := map[string]func(){
		"error": nil,
		"panic": func() { panic("boom") },
	}
	for name, out := range outs {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running atomic.Int64
				err := parallel.ForEach(t.Context(), &parallel.Options{Workers: 8, Grain: 1}, ints(100), func(ctx context.Context, i int) error {
					running.Add(1)
					defer running.Add(-1)
					time.Sleep(time.Duration(i) * time.Second)
					if i == 3 {
						if out != nil {
							out()
						}
						return errBoom
					}
					<-ctx.Done()
					time.Sleep(time.Minute) // slow to clean up
					return ctx.Err()
				})
				if err == nil || running.Load() != 0 {
					t.Errorf("%d still running, error %v", running.Load(), err)
				}
			})
		})
	}
}

// What a task leaves behind on its context ends with the call.
func TestTaskContextEndsWithTheCall(t *testing.T) {
	for _, workers := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			err := parallel.ForEach(t.Context(), &parallel.Options{Workers: workers}, ints(3), func(ctx context.Context, _ int) error {
				go func() { <-ctx.Done() }()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			synctest.Wait()
		})
	}
}
