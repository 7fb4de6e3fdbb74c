package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

var errBoom = errors.New("boom")

// failingDoors runs item i of n behind every door of the package.
func failingDoors(o *parallel.Options, n int, task func(i int) error) map[string]error {
	perRow := &parallel.Options{Workers: o.Workers, Grain: 1}
	perTen := &parallel.Options{Workers: o.Workers, Grain: 10}
	m := mat.NewDense(n, 2, nil)
	_, mapErr := parallel.Map(bg, o, ints(n), func(_ context.Context, i int) (int, error) { return i, task(i) })
	_, rowErr := parallel.MapRows(bg, o, m, 1, func(_ context.Context, i int, _, _ []float64) error { return task(i) })
	return map[string]error{
		"Map":     mapErr,
		"MapRows": rowErr,
		"ForEach": parallel.ForEach(bg, o, ints(n), func(_ context.Context, i int) error { return task(i) }),
		"ForRange": parallel.ForRange(bg, perRow, n, func(_ context.Context, lo, _ int) error {
			return task(lo)
		}),
		"ForRange naming": parallel.ForRange(bg, o, n, func(_ context.Context, lo, hi int) error {
			for i := lo; i < hi; i++ {
				if err := parallel.Protect(func() error { return task(i) }); err != nil {
					return &parallel.Error{Index: i, Err: err}
				}
			}
			return nil
		}),
		"ForEachBlock": parallel.ForEachBlock(bg, perRow, m, func(_ context.Context, b parallel.RowBlock) error {
			return task(b.Start)
		}),
		"ForEachBlock naming": parallel.ForEachBlock(bg, perTen, m, func(_ context.Context, b parallel.RowBlock) error {
			r, _ := b.Rows.Dims()
			for i := b.Start; i < b.Start+r; i++ {
				if err := parallel.Protect(func() error { return task(i) }); err != nil {
					return &parallel.Error{Index: i, Err: err}
				}
			}
			return nil
		}),
	}
}

func TestErrorNamesTheItem(t *testing.T) {
	for _, workers := range []int{1, 2, 7, 64} {
		for _, bad := range []int{0, 37, 99} {
			task := func(i int) error {
				if i == bad {
					return errBoom
				}
				return nil
			}
			for door, err := range failingDoors(&parallel.Options{Workers: workers}, 100, task) {
				var e *parallel.Error
				if !errors.As(err, &e) || e.Index != bad || e.Err != errBoom {
					t.Errorf("%s, %d workers: got %v, want item %d", door, workers, err, bad)
					continue
				}
				if want := fmt.Sprintf("parallel: item %d: boom", bad); err.Error() != want {
					t.Errorf("%s: text %q, want %q", door, err, want)
				}
			}
		}
	}
}

func TestPanicBecomesErrorWithStack(t *testing.T) {
	for _, workers := range []int{1, 2, 64} {
		task := func(i int) error {
			if i == 41 {
				explode(i)
			}
			return nil
		}
		for door, err := range failingDoors(&parallel.Options{Workers: workers}, 100, task) {
			var e *parallel.Error
			var p *parallel.PanicError
			if !errors.As(err, &e) || e.Index != 41 || !errors.As(err, &p) {
				t.Errorf("%s, %d workers: %v", door, workers, err)
				continue
			}
			var re runtime.Error
			if !errors.As(err, &re) || !strings.Contains(err.Error(), "index out of range") {
				t.Errorf("%s: %v does not lead to the runtime's error", door, err)
			}
			if !strings.Contains(string(p.Stack), "parallel_test.explode") {
				t.Errorf("%s: the stack does not show the function:\n%s", door, p.Stack)
			}
		}
	}
}

//go:noinline
func explode(i int) { _ = []int{}[i] }

func TestPanicValues(t *testing.T) {
	for _, v := range []any{"text", 7, errBoom, fmt.Errorf("wrapped: %w", errBoom)} {
		err := parallel.Protect(func() error { panic(v) })
		p, ok := err.(*parallel.PanicError)
		if !ok || p.Value != v || err.Error() != fmt.Sprint("parallel: panic: ", v) {
			t.Errorf("panic(%v): %v", v, err)
			continue
		}
		if _, isErr := v.(error); errors.Is(err, errBoom) != isErr {
			t.Errorf("panic(%v): errors.Is is %v", v, !isErr)
		}
	}
	var nilPanic *runtime.PanicNilError
	if err := parallel.Protect(func() error { panic(nil) }); !errors.As(err, &nilPanic) {
		t.Errorf("panic(nil): %v", err)
	}
	if err := parallel.Protect(func() error { return errBoom }); err != errBoom {
		t.Errorf("error: %v", err)
	}
	if err := parallel.Protect(func() error { return nil }); err != nil {
		t.Errorf("no error: %v", err)
	}
}

func TestPanicInReduce(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		o := &parallel.Options{Workers: workers, Grain: 10}
		_, err := parallel.Reduce(bg, o, ints(100), 0, func(a, x int) int {
			if x == 55 {
				panic("fold")
			}
			return a + x
		}, add)
		if want := "parallel: item 55: panic: fold"; err == nil || err.Error() != want {
			t.Errorf("%d workers: %v, want %s", workers, err, want)
		}
		// Of the sums of grains only those of 40…49 and 50…59 make 990.
		_, err = parallel.Reduce(bg, o, ints(100), 0, add, func(a, b int) int {
			if a+b == 990 {
				panic("merge")
			}
			return a + b
		})
		if want := "parallel: item 40: panic: merge"; err == nil || err.Error() != want {
			t.Errorf("%d workers: %v, want %s", workers, err, want)
		}
	}
}

func TestGoexitBecomesError(t *testing.T) {
	task := func(i int) error {
		if i == 41 {
			runtime.Goexit()
		}
		return nil
	}
	for door, err := range failingDoors(&parallel.Options{Workers: 4}, 100, task) {
		var e *parallel.Error
		if !errors.Is(err, parallel.ErrGoexit) || !errors.As(err, &e) {
			t.Errorf("%s: %v", door, err)
			continue
		}
		// ForRange and blocks only know where their range starts.
		if e.Index != 41 && !(strings.HasSuffix(door, "naming") && e.Index < 41) {
			t.Errorf("%s: %v, want item 41", door, err)
		}
	}
}

// With a single worker the item runs in the caller's goroutine, and that is
// what Goexit ends.
func TestGoexitInTheCallersGoroutine(t *testing.T) {
	var returned atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		err := parallel.ForEach(bg, &parallel.Options{Workers: 1}, ints(3), func(context.Context, int) error {
			runtime.Goexit()
			return nil
		})
		t.Log(err)
		returned.Store(true)
	})
	wg.Wait()
	if returned.Load() {
		t.Error("Goexit in the caller's goroutine returned to the caller")
	}
}

// Item 0 fails only after all others are running; they then fail with the
// context they were given. Whatever the order they report in, the first is it.
func TestFirstErrorWins(t *testing.T) {
	for range 200 {
		const n = 8
		var running sync.WaitGroup
		running.Add(n)
		err := parallel.ForEach(bg, &parallel.Options{Workers: n, Grain: 1}, ints(n), func(ctx context.Context, i int) error {
			running.Done()
			running.Wait()
			if i == 0 {
				return errBoom
			}
			<-ctx.Done()
			switch i {
			case 1:
				panic(ctx.Err())
			case 2:
				runtime.Goexit()
			case 3:
				return context.Cause(ctx)
			}
			return ctx.Err()
		})
		var e *parallel.Error
		if !errors.As(err, &e) || e.Index != 0 || e.Err != errBoom {
			t.Fatalf("got %v, want item 0", err)
		}
	}
}

func TestErrorStopsTheRest(t *testing.T) {
	var begun atomic.Int64
	err := parallel.ForEach(bg, &parallel.Options{Workers: 2, Grain: 1}, ints(1_000_000), func(ctx context.Context, i int) error {
		begun.Add(1)
		if i == 0 {
			return errBoom
		}
		<-ctx.Done()
		return nil
	})
	if !errors.Is(err, errBoom) || begun.Load() > 2 {
		t.Errorf("%d items begun, error %v", begun.Load(), err)
	}
}

// An *Error names an index of this call only if the function made it: one that
// an inner call returned counts that call's items.
func TestErrorOfInnerCall(t *testing.T) {
	inner := func(ctx context.Context) error {
		return parallel.ForEach(ctx, nil, ints(10), func(_ context.Context, i int) error {
			if i == 7 {
				return errBoom
			}
			return nil
		})
	}
	outer := parallel.ForRange(bg, &parallel.Options{Grain: 10}, 20, func(ctx context.Context, lo, _ int) error {
		if lo == 0 {
			return inner(ctx)
		}
		return nil
	})
	if want := "parallel: item 0: item 7: boom"; outer == nil || outer.Error() != want {
		t.Errorf("got %v, want %s", outer, want)
	}
	item := parallel.ForEach(bg, &parallel.Options{Grain: 10}, ints(10), func(_ context.Context, i int) error {
		if i == 3 {
			return &parallel.Error{Index: 5, Err: errBoom}
		}
		return nil
	})
	if want := "parallel: item 3: item 5: boom"; item == nil || item.Error() != want {
		t.Errorf("got %v, want %s", item, want)
	}
	stray := parallel.ForRange(bg, &parallel.Options{Grain: 10}, 10, func(context.Context, int, int) error {
		return &parallel.Error{Index: 99, Err: errBoom}
	})
	if want := "parallel: item 0: item 99: boom"; stray == nil || stray.Error() != want {
		t.Errorf("got %v, want %s", stray, want)
	}
	if err := (&parallel.Error{Index: 3}).Error(); err != "parallel: item 3 failed" {
		t.Errorf("no cause: %q", err)
	}
}
