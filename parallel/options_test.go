package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// indices returns the items that err names.
func indices(err error) (all []int) {
	var one *parallel.Error
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			if errors.As(e, &one) {
				all = append(all, one.Index)
			}
		}
	}
	return all
}

// With CollectErrors all items run, all errors come back in order, and the results
// of the others are kept.
func TestCollectErrors(t *testing.T) {
	const n = 100
	var want []int
	for i := range n {
		if i%7 == 3 || i%11 == 4 {
			want = append(want, i)
		}
	}
	item := func(i int) error {
		switch {
		case i%7 == 3 && i%2 == 0:
			panic(errBoom)
		case i%7 == 3 || i%11 == 4:
			return errBoom
		}
		return nil
	}
	m := mat.NewDense(n, 1, nil)
	for _, workers := range []int{1, 2, 7} {
		for _, grain := range []int{0, 1, 9} {
			o := &parallel.Options{Workers: workers, Grain: grain, CollectErrors: true}
			perItem := &parallel.Options{Workers: workers, Grain: 1, CollectErrors: true}
			mapper := func(_ context.Context, i int) (int, error) { return i + 1, item(i) }
			check := func(door string, err error, results []int) {
				t.Helper()
				if got := indices(err); !slices.Equal(got, want) || !errors.Is(err, errBoom) {
					t.Errorf("%s %+v: items %v, want %v", door, o, got, want)
				}
				for i, y := range results {
					if bad := slices.Contains(want, i); !bad && y != i+1 || bad && y != 0 {
						t.Errorf("%s %+v: result %d is %d", door, o, i, y)
					}
				}
			}
			ys, err := parallel.Map(bg, o, ints(n), mapper)
			check("Map", err, ys)
			ys, err = parallel.Map(bg, o, upTo(n, nil), mapper)
			check("Map of a sequence", err, ys)
			check("ForEach", parallel.ForEach(bg, o, ints(n), func(_ context.Context, i int) error { return item(i) }), nil)
			check("ForEach of a sequence", parallel.ForEach(bg, o, upTo(n, nil), func(_ context.Context, i int) error { return item(i) }), nil)
			check("ForRange", parallel.ForRange(bg, perItem, n, func(_ context.Context, lo, _ int) error { return item(lo) }), nil)
			check("ForEachBlock", parallel.ForEachBlock(bg, perItem, m, func(_ context.Context, b parallel.RowBlock) error { return item(b.Start) }), nil)
			y, err := parallel.MapRows(bg, o, m, 1, func(_ context.Context, i int, _, dst []float64) error {
				if err := item(i); err != nil {
					return err
				}
				dst[0] = float64(i + 1)
				return nil
			})
			if y == nil {
				t.Fatalf("MapRows %+v: no matrix", o)
			}
			check("MapRows", err, nil)
			for i := range n {
				if got := y.At(i, 0); got != 0 == slices.Contains(want, i) {
					t.Errorf("MapRows %+v: row %d is %v", o, i, got)
				}
			}
		}
	}
}

func TestCollectErrorsGoexit(t *testing.T) {
	for _, o := range []*parallel.Options{{Workers: 3}, {Workers: 3, Grain: 10}} {
		o.CollectErrors = true
		for name, err := range map[string]error{
			"slice": parallel.ForEach(bg, o, ints(100), func(_ context.Context, i int) error {
				if i%10 == 5 {
					runtime.Goexit()
				}
				return nil
			}),
			"sequence": parallel.ForEach(bg, o, upTo(100, nil), func(_ context.Context, i int) error {
				if i%10 == 5 {
					runtime.Goexit()
				}
				return nil
			}),
		} {
			if got := indices(err); len(got) != 10 || got[0] != 5 || got[9] != 95 || !errors.Is(err, parallel.ErrGoexit) {
				t.Errorf("%s %+v: %v", name, o, got)
			}
		}
	}
}

// The end of the context is no error of an item, and the results are not kept.
func TestCollectErrorsCancelled(t *testing.T) {
	for _, workers := range []int{1, 3} {
		o := &parallel.Options{Workers: workers, Grain: 1, CollectErrors: true}
		for _, slice := range []bool{true, false} {
			ctx, cancel := context.WithCancel(bg)
			defer cancel()
			f := func(own context.Context, i int) (int, error) {
				if i == 10 {
					cancel()
				}
				if i > 10 {
					<-own.Done() // else others may do all the rest before item 10 gets to it
				}
				if i == 2 {
					return 0, errBoom
				}
				return i, nil
			}
			call := func() ([]int, error) { return parallel.Map(ctx, o, upTo(1000, nil), f) }
			if slice {
				call = func() ([]int, error) { return parallel.Map(ctx, o, ints(1000), f) }
			}
			ys, err := call()
			if ys != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("slice %t, %d workers: %d results, %v", slice, workers, len(ys), err)
			}
		}
	}
}

// An item's context ends after its time, the call's does not.
func TestTimeoutOption(t *testing.T) {
	wait := func(ctx context.Context, i int) error {
		if i != 7 {
			return ctx.Err()
		}
		<-ctx.Done()
		return ctx.Err()
	}
	m := mat.NewDense(20, 1, nil)
	for _, workers := range []int{1, 3} {
		o := &parallel.Options{Workers: workers, Grain: 1, Timeout: time.Minute}
		for door, call := range map[string]func(ctx context.Context) error{
			"Map": func(ctx context.Context) error {
				_, err := parallel.Map(ctx, o, ints(20), func(ctx context.Context, i int) (int, error) { return i, wait(ctx, i) })
				return err
			},
			"ForEach":  func(ctx context.Context) error { return parallel.ForEach(ctx, o, ints(20), wait) },
			"sequence": func(ctx context.Context) error { return parallel.ForEach(ctx, o, upTo(20, nil), wait) },
			"ForRange": func(ctx context.Context) error {
				return parallel.ForRange(ctx, o, 20, func(ctx context.Context, lo, _ int) error { return wait(ctx, lo) })
			},
			"ForEachBlock": func(ctx context.Context) error {
				return parallel.ForEachBlock(ctx, o, m, func(ctx context.Context, b parallel.RowBlock) error { return wait(ctx, b.Start) })
			},
			"MapRows": func(ctx context.Context) error {
				_, err := parallel.MapRows(ctx, o, m, 1, func(ctx context.Context, i int, _, _ []float64) error { return wait(ctx, i) })
				return err
			},
			"Stream": func(ctx context.Context) error {
				_, err := pairs(parallel.Stream(ctx, o, ints(20), func(ctx context.Context, i int) (int, error) { return i, wait(ctx, i) }))
				return err
			},
			"MapReduce": func(ctx context.Context) error {
				_, err := parallel.MapReduce(ctx, o, ints(20), func(ctx context.Context, i int) (int, error) { return i, wait(ctx, i) }, add)
				return err
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := call(t.Context())
				var e *parallel.Error
				if !errors.As(err, &e) || e.Index != 7 || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
					t.Errorf("%s: %v after %v", door, err, time.Since(start))
				}
			})
		}
	}
}

// The callback hears at most once in an interval, in order, and of the end.
func TestProgress(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		for door, call := range map[string]func(ctx context.Context, o *parallel.Options, f func(context.Context, int) error) error{
			"slice": func(ctx context.Context, o *parallel.Options, f func(context.Context, int) error) error {
				return parallel.ForEach(ctx, o, ints(1000), f)
			},
			"sequence": func(ctx context.Context, o *parallel.Options, f func(context.Context, int) error) error {
				return parallel.ForEach(ctx, o, upTo(1000, nil), f)
			},
			"stream": func(ctx context.Context, o *parallel.Options, f func(context.Context, int) error) error {
				_, err := pairs(parallel.Stream(ctx, o, ints(1000), func(ctx context.Context, i int) (int, error) { return i, f(ctx, i) }))
				return err
			},
			"ranges": func(ctx context.Context, o *parallel.Options, f func(context.Context, int) error) error {
				return parallel.ForRange(ctx, o, 1000, func(ctx context.Context, lo, _ int) error { return f(ctx, lo) })
			},
		} {
			t.Run(fmt.Sprintf("%s/workers=%d", door, workers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var told []parallel.Progress
					o := &parallel.Options{
						Workers: workers, Grain: 1, ProgressInterval: 10 * time.Second,
						Progress: func(p parallel.Progress) { told = append(told, p) },
					}
					err := call(t.Context(), o, func(context.Context, int) error { time.Sleep(time.Second); return nil })
					if err != nil {
						t.Fatal(err)
					}
					total := 1000
					if door == "sequence" {
						total = -1
					}
					steps := 1000/workers/10 - 1
					if len(told) < steps || len(told) > steps+2 {
						t.Errorf("told %d times, want about %d", len(told), steps)
					}
					for i, p := range told {
						if p.Total != total || i > 0 && (p.Done < told[i-1].Done || p.Elapsed < told[i-1].Elapsed) {
							t.Errorf("%+v after %+v", p, told[max(i-1, 0)])
						}
						if last := i == len(told)-1; last && p.Done != 1000 || !last && i > 0 && p.Elapsed-told[i-1].Elapsed < 10*time.Second {
							t.Errorf("report %d of %d: %+v", i, len(told), p)
						}
						if want := float64(p.Done) / p.Elapsed.Seconds(); math.Abs(p.Rate-want) > 0.3*want {
							t.Errorf("%d done in %v: rate %v", p.Done, p.Elapsed, p.Rate)
						}
						if left := time.Duration(float64(1000-p.Done) / p.Rate * 1e9); total < 0 && p.ETA != -1 || total > 0 && p.ETA != left {
							t.Errorf("%d done: %v left, want %v", p.Done, p.ETA, left)
						}
					}
				})
			})
		}
	}
}

// Results that come from a cache at once soon count no more in the rate.
func TestProgressRateForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last parallel.Progress
		o := &parallel.Options{Workers: 1, Progress: func(p parallel.Progress) { last = p }}
		err := parallel.ForEach(t.Context(), o, ints(1100), func(_ context.Context, i int) error {
			if i >= 1000 {
				time.Sleep(time.Second)
			}
			return nil
		})
		if err != nil || last.Done != 1100 || last.Rate > 1.1 {
			t.Errorf("%+v, %v", last, err)
		}
	})
}

func TestProgressThatPanics(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for _, collect := range []bool{false, true} {
			o := &parallel.Options{Workers: workers, ProgressInterval: 1, CollectErrors: collect, Progress: func(parallel.Progress) { panic("progress") }}
			f := func(context.Context, int) error { return nil }
			var streamed error
			for _, err := range parallel.Stream(bg, o, ints(100), func(_ context.Context, i int) (int, error) { return i, nil }) {
				streamed = err
			}
			for door, err := range map[string]error{
				"slice":    parallel.ForEach(bg, o, ints(100), f),
				"sequence": parallel.ForEach(bg, o, upTo(100, nil), f),
				"ranges":   parallel.ForRange(bg, o, 100, func(context.Context, int, int) error { return nil }),
				"stream":   streamed,
				"nothing":  parallel.ForEach(bg, o, ints(0), f),
			} {
				var p *parallel.PanicError
				if !errors.As(err, &p) || !strings.Contains(err.Error(), "progress") {
					t.Errorf("%s, %d workers, collect %t: %v", door, workers, collect, err)
				}
			}
		}
	}
}
