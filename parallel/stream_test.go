package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/parallel"
)

// upTo yields 0 to n-1, and counts what it has yielded.
func upTo(n int, taken *atomic.Int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if taken != nil {
				taken.Add(1)
			}
			if !yield(i) {
				return
			}
		}
	}
}

// pairs makes one slice of a stream: its results, and the error that ended it.
func pairs[Y any](ys iter.Seq2[Y, error]) (all []Y, err error) {
	for y, e := range ys {
		if err != nil {
			return all, errors.New("a pair behind the error")
		}
		if err = e; e == nil {
			all = append(all, y)
		}
	}
	return all, err
}

// Any function, any worker count, grain and window: the stream is what the serial
// loop gives, down to the results before an error, and which error it is.
func TestStreamEqualsSerialLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		n, bad := rng.IntN(300), rng.IntN(600)
		f := func(_ context.Context, x int) (int, error) {
			if x >= bad {
				if x%3 == 0 {
					panic(errBoom)
				}
				return 0, errBoom
			}
			if x%7 == 0 {
				runtime.Gosched()
			}
			return x * x, nil
		}
		for _, workers := range []int{1, 2, 7} {
			o := &parallel.Options{Workers: workers, Grain: rng.IntN(2) * rng.IntN(40), Window: rng.IntN(2) * rng.IntN(40)}
			for name, ys := range map[string]iter.Seq2[int, error]{
				"slice":    parallel.Stream(bg, o, ints(n), f),
				"sequence": parallel.Stream(bg, o, upTo(n, nil), f),
			} {
				got, err := pairs(ys)
				if len(got) != min(n, bad) {
					t.Fatalf("%s, n=%d bad=%d %+v: %d results", name, n, bad, o, len(got))
				}
				for i, y := range got {
					if y != i*i {
						t.Fatalf("%s, n=%d bad=%d %+v: result %d is %d", name, n, bad, o, i, y)
					}
				}
				var e *parallel.Error
				if bad >= n && err != nil || bad < n && (!errors.As(err, &e) || e.Index != bad || !errors.Is(err, errBoom)) {
					t.Fatalf("%s, n=%d bad=%d %+v: error %v", name, n, bad, o, err)
				}
			}
		}
	}
}

func TestStreamUnordered(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		for _, window := range []int{0, 1, 3, 100} {
			o := &parallel.Options{Workers: workers, Window: window, Unordered: true}
			got, err := pairs(parallel.Stream(bg, o, upTo(1000, nil), func(_ context.Context, x int) (int, error) { return x, nil }))
			slices.Sort(got)
			if err != nil || !slices.Equal(got, ints(1000)) {
				t.Errorf("%+v: %d results, %v", o, len(got), err)
			}
		}
	}
	// The first item is the slowest: it comes last.
	synctest.Test(t, func(t *testing.T) {
		o := &parallel.Options{Workers: 2, Grain: 1, Unordered: true}
		got, err := pairs(parallel.Stream(t.Context(), o, ints(4), func(_ context.Context, x int) (int, error) {
			if x == 0 {
				time.Sleep(time.Hour)
			}
			time.Sleep(time.Second)
			return x, nil
		}))
		if err != nil || !slices.Equal(got, []int{1, 2, 3, 0}) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// Where nobody consumes, exactly the window is taken, and never more is anywhere
// between the source and the loop.
func TestStreamBackpressure(t *testing.T) {
	for _, o := range []*parallel.Options{
		{Workers: 2, Window: 5}, {Workers: 7, Window: 1}, {Workers: 2, Window: 200, Grain: 10}, {Workers: 3},
		{Workers: 2, Window: 5, Unordered: true}, {Workers: 2, Window: 64, Unordered: true, Grain: 8}, {Workers: 1},
	} {
		window := o.Window
		switch {
		case o.Workers == 1:
			window = 1
		case window == 0:
			window = 2 * o.Workers // in a bubble all is quick, and then the batches grow
		}
		t.Run(fmt.Sprintf("%+v", *o), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var taken atomic.Int64
				consumed := 0
				for _, err := range parallel.Stream(t.Context(), o, upTo(1000, &taken), func(_ context.Context, x int) (int, error) {
					time.Sleep(time.Second)
					return x, nil
				}) {
					if err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					time.Sleep(time.Hour) // everybody has done all that may be done
					if held := int(taken.Load()) - consumed; held > window {
						t.Fatalf("%d items held, the window is %d", held, window)
					}
					if consumed == 0 && taken.Load() != int64(window) {
						t.Fatalf("%d items taken, the window is %d", taken.Load(), window)
					}
					consumed++
				}
				if consumed != 1000 {
					t.Errorf("%d results", consumed)
				}
			})
		})
	}
}

// An item is handed on though the source keeps everybody waiting for the next:
// no batch is waited for.
func TestStreamOfASlowSource(t *testing.T) {
	for _, o := range []*parallel.Options{{Workers: 2}, {Workers: 2, Grain: 100}, {Workers: 2, Unordered: true}} {
		synctest.Test(t, func(t *testing.T) {
			start, i := time.Now(), 0
			slow := func(yield func(int) bool) {
				for i := range 1000 {
					if i >= 900 {
						time.Sleep(time.Minute)
					}
					if !yield(i) {
						return
					}
				}
			}
			for range parallel.Stream(t.Context(), o, slow, func(_ context.Context, x int) (int, error) { return x, nil }) {
				if i++; i >= 900 && time.Since(start) != time.Duration(i-900)*time.Minute {
					t.Fatalf("%+v: result %d came after %v", o, i, time.Since(start))
				}
			}
		})
	}
}

// Each way out of the loop stops the work and leaves no goroutine behind: in a
// bubble one would be a deadlock.
func TestStreamLeaksNothing(t *testing.T) {
	type out struct {
		name string
		loop func(ctx context.Context, ys iter.Seq2[int, error])
	}
	outs := []out{
		{"break", func(_ context.Context, ys iter.Seq2[int, error]) {
			for range ys {
				break
			}
		}},
		{"panic", func(_ context.Context, ys iter.Seq2[int, error]) {
			defer func() {
				if v := recover(); v != "mine" {
					panic(fmt.Sprint("the loop's panic became ", v))
				}
			}()
			for range ys {
				panic("mine")
			}
		}},
		{"goexit", func(_ context.Context, ys iter.Seq2[int, error]) {
			var wg sync.WaitGroup
			wg.Go(func() {
				for range ys {
					runtime.Goexit()
				}
			})
			wg.Wait()
		}},
		{"pull", func(_ context.Context, ys iter.Seq2[int, error]) {
			next, stop := iter.Pull2(ys)
			next()
			stop()
		}},
		{"unused", func(context.Context, iter.Seq2[int, error]) {}},
	}
	for _, out := range outs {
		for _, o := range []*parallel.Options{{Workers: 1}, {Workers: 3}, {Workers: 3, Unordered: true}, {Workers: 8, Window: 100, CollectErrors: true}} {
			t.Run(fmt.Sprintf("%s/%+v", out.name, *o), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var running, ended atomic.Int64
					source := func(yield func(int) bool) {
						defer ended.Add(1)
						upTo(1_000_000, nil)(yield)
					}
					out.loop(t.Context(), parallel.Stream(t.Context(), o, source, func(ctx context.Context, x int) (int, error) {
						running.Add(1)
						defer running.Add(-1)
						if x > 0 {
							<-ctx.Done() // only the end of the loop ends these
						}
						return x, ctx.Err()
					}))
					if running.Load() != 0 || ended.Load() != 1 && out.name != "unused" {
						t.Errorf("%d items running, the source has ended %d times", running.Load(), ended.Load())
					}
				})
			})
		}
	}
}

func TestStreamCancelled(t *testing.T) {
	for _, o := range []*parallel.Options{{Workers: 1}, {Workers: 4}, {Workers: 4, Unordered: true}, {Workers: 4, CollectErrors: true}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			start := time.Now()
			got, err := pairs(parallel.Stream(ctx, o, upTo(20_000, nil), func(ctx context.Context, x int) (int, error) {
				if x == 3 {
					<-ctx.Done()
					return 0, ctx.Err()
				}
				return x, nil
			}))
			if err != context.Canceled || time.Since(start) != time.Second || len(got) < 1 {
				t.Errorf("%+v: %d results, %v after %v", o, len(got), err, time.Since(start))
			}
		})
		ctx, cancel := context.WithCancel(bg)
		cancel()
		got, err := pairs(parallel.Stream(ctx, o, ints(10), func(context.Context, int) (int, error) { panic("called") }))
		if err != context.Canceled || len(got) != 0 {
			t.Errorf("%+v, ended before: %v, %v", o, got, err)
		}
	}
}

func TestStreamCollectsErrors(t *testing.T) {
	for _, o := range []*parallel.Options{{Workers: 1}, {Workers: 3}, {Workers: 3, Unordered: true}, {Workers: 2, Grain: 7}} {
		o.CollectErrors = true
		good, bad := map[int]bool{}, map[int]bool{}
		for y, err := range parallel.Stream(bg, o, upTo(100, nil), func(_ context.Context, x int) (int, error) {
			switch x % 5 {
			case 0:
				panic("boom")
			case 1:
				return 0, errBoom
			}
			return x, nil
		}) {
			var e *parallel.Error
			if errors.As(err, &e) {
				bad[e.Index] = true
			} else {
				good[y] = true
			}
		}
		if len(good) != 60 || len(bad) != 40 || !bad[0] || !bad[96] || !good[99] {
			t.Errorf("%+v: %d results, %d errors", o, len(good), len(bad))
		}
	}
}

// What goes wrong in the source ends every call over it, after the items before.
func TestSourceThatFails(t *testing.T) {
	sources := map[string]iter.Seq2[int, error]{
		"error": func(yield func(int, error) bool) {
			for i := range 50 {
				if !yield(i, nil) {
					return
				}
			}
			yield(0, errBoom)
		},
		"panic": func(yield func(int, error) bool) {
			for i := range 50 {
				if !yield(i, nil) {
					return
				}
			}
			panic(errBoom)
		},
	}
	square := func(_ context.Context, x int) (int, error) { return x * x, nil }
	for name, source := range sources {
		for _, workers := range []int{1, 2, 7} {
			o := &parallel.Options{Workers: workers, Grain: 7}
			got, err := pairs(parallel.Stream(bg, o, source, square))
			if !errors.Is(err, errBoom) || len(got) != 50 {
				t.Errorf("Stream, %s, %d workers: %d results, %v", name, workers, len(got), err)
			}
			ys, err := parallel.Map(bg, o, source, square)
			if !errors.Is(err, errBoom) || ys != nil {
				t.Errorf("Map, %s: %v, %v", name, ys, err)
			}
			if err := parallel.ForEach(bg, o, source, func(context.Context, int) error { return nil }); !errors.Is(err, errBoom) {
				t.Errorf("ForEach, %s: %v", name, err)
			}
			if sum, err := parallel.Reduce(bg, o, source, 0, add, add); !errors.Is(err, errBoom) || sum != 0 {
				t.Errorf("Reduce, %s: %v, %v", name, sum, err)
			}
			if sum, err := parallel.MapReduce(bg, o, source, square, add); !errors.Is(err, errBoom) || sum != 0 {
				t.Errorf("MapReduce, %s: %v, %v", name, sum, err)
			}
		}
	}
}

// The sum of streams of streams, with each kind of source.
func TestSources(t *testing.T) {
	type named []int
	type sequence func(yield func(int) bool)
	plusOne := func(_ context.Context, x int) (int, error) { return x + 1, nil }
	sum := func(door string, got int, err error, want int) {
		t.Helper()
		if got != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", door, got, err, want)
		}
	}
	for _, workers := range []int{1, 2} {
		o := &parallel.Options{Workers: workers}
		got, err := parallel.Reduce(bg, o, named(ints(100)), 0, add, add)
		sum("a named slice", got, err, 4950)
		got, err = parallel.Reduce(bg, o, slices.Values(ints(100)), 0, add, add)
		sum("iter.Seq", got, err, 4950)
		got, err = parallel.Reduce(bg, o, sequence(upTo(100, nil)), 0, add, add)
		sum("a named sequence", got, err, 4950)
		got, err = parallel.Reduce(bg, o, func(yield func(int) bool) { upTo(100, nil)(yield) }, 0, add, add)
		sum("a function", got, err, 4950)
		got, err = parallel.Reduce(bg, o, parallel.Stream(bg, o, parallel.Stream(bg, o, ints(100), plusOne), plusOne), 0, add, add)
		sum("a stream of a stream", got, err, 5150)
		got, err = parallel.Reduce(bg, o, iter.Seq[int](nil), 7, add, add)
		sum("nil", got, err, 7)
		got, err = parallel.MapReduce(bg, o, iter.Seq2[int, error](nil), plusOne, add)
		sum("nil with errors", got, err, 0)
	}
	for range 3 { // a stream may be looped over again
		all := parallel.Stream(bg, nil, ints(10), plusOne)
		for range 2 {
			if got, err := pairs(all); len(got) != 10 || err != nil {
				t.Errorf("%v, %v", got, err)
			}
		}
	}
}

// A sequence of any length is worked through in the memory of its window.
func TestStreamMemoryIsConstant(t *testing.T) {
	const n = 50_000
	type large [1 << 10]float64 // 8 KB: all together 400 MB
	source := func(yield func(*large) bool) {
		for i := range n {
			if !yield(&large{float64(i)}) {
				return
			}
		}
	}
	var most uint64
	i := 0
	for y, err := range parallel.Stream(bg, &parallel.Options{Workers: 2}, source, func(_ context.Context, x *large) (*large, error) { return x, nil }) {
		if err != nil || y[0] != float64(i) {
			t.Fatalf("result %d is %v, %v", i, y[0], err)
		}
		if i++; i%5000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	if i != n || most > 64<<20 {
		t.Errorf("%d results, %d MB in use", i, most>>20)
	}
}

func TestStreamRefuses(t *testing.T) {
	f := func(context.Context, int) (int, error) { panic("called") }
	var nilCtx context.Context
	for name, ys := range map[string]iter.Seq2[int, error]{
		"context":  parallel.Stream(nilCtx, nil, ints(3), f),
		"function": parallel.Stream[int, int](bg, nil, ints(3), nil),
		"grain":    parallel.Stream(bg, &parallel.Options{Grain: -1}, ints(3), f),
		"window":   parallel.Stream(bg, &parallel.Options{Window: -1}, ints(3), f),
		"timeout":  parallel.Stream(bg, &parallel.Options{Timeout: -1}, ints(3), f),
		"progress": parallel.Stream(bg, &parallel.Options{ProgressInterval: -1}, ints(3), f),
	} {
		if got, err := pairs(ys); len(got) != 0 || !errors.Is(err, parallel.ErrInvalid) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// An item that ends its goroutine is an error, and the flow has another one.
func TestStreamGoexit(t *testing.T) {
	for _, o := range []*parallel.Options{{Workers: 2}, {Workers: 3, Grain: 10}, {Workers: 2, CollectErrors: true}, {Workers: 2, Unordered: true}} {
		results, failures := 0, 0
		for _, err := range parallel.Stream(bg, o, upTo(100, nil), func(_ context.Context, x int) (int, error) {
			if x%10 == 5 {
				runtime.Goexit()
			}
			return x, nil
		}) {
			if errors.Is(err, parallel.ErrGoexit) {
				failures++
			} else if err == nil {
				results++
			}
		}
		switch {
		case o.CollectErrors && (results != 90 || failures != 10),
			!o.CollectErrors && failures != 1,
			!o.CollectErrors && !o.Unordered && results != 5:
			t.Errorf("%+v: %d results, %d failures", o, results, failures)
		}
	}
}
