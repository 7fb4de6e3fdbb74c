package memo

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/parallel"
)

// within runs f, which must not hang.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
}

// TestCallsOfItself has a function call itself with the same key, as its depth is no
// part of that, in each way in which a call can be made.
func TestCallsOfItself(t *testing.T) {
	for name, call := range map[string]func(ctx context.Context, f func() (int, error)) (int, error){
		"directly": func(_ context.Context, f func() (int, error)) (int, error) { return f() },
		"in a goroutine": func(_ context.Context, f func() (n int, err error)) (n int, err error) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				n, err = f()
			}()
			<-done
			return n, err
		},
		"in parallel": func(ctx context.Context, f func() (int, error)) (int, error) {
			ns, err := parallel.Map(ctx, &parallel.Options{Workers: 4}, make([]int, 8), func(context.Context, int) (int, error) { return f() })
			return ns[0], err
		},
	} {
		for _, withContext := range []bool{false, true} {
			for dir, o := range map[string]*Options{t.TempDir(): quiet(), "": {Memory: &Memory{}}} {
				c, err := Open(dir, o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				var calls atomic.Int64
				var f *Function[func(context.Context, int, int) (int, error)]
				f, err = Func(c, Spec{Name: "f", Version: "1", Ignore: []int{1}}, func(ctx context.Context, x, depth int) (int, error) {
					calls.Add(1)
					if depth == 0 {
						return x, nil
					}
					inner := ctx
					if !withContext {
						inner = context.Background()
					}
					n, err := call(ctx, func() (int, error) { return f.Call(inner, x, depth-1) })
					return n + 1, err
				})
				if err != nil {
					t.Fatal(err)
				}
				within(t, func() {
					if n, err := f.Call(t.Context(), 10, 2); n != 12 || err != nil {
						t.Errorf("%s: %d, %v; want 12", name, n, err)
					}
				})
				computed := calls.Load()
				if n, err := f.Call(t.Context(), 10, 5); n != 12 || err != nil || calls.Load() != computed {
					t.Errorf("%s: then %d, %v; want 12 from the cache", name, n, err)
				}
			}
		}
	}
}

// TestCycles has functions of several caches call each other round and round, each
// circle begun everywhere at once.
func TestCycles(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		for range 20 {
			dirs := []string{t.TempDir(), t.TempDir()}
			begun := sync.WaitGroup{}
			begun.Add(n)
			fs := make([]*Function[func(int, int) (int, error)], n)
			for i := range fs {
				c := openQuiet(t, dirs[i%2])
				var err error
				fs[i], err = Func(c, Spec{Name: string(rune('a' + i)), Version: "1", Ignore: []int{1}}, func(x, depth int) (int, error) {
					if depth == 0 {
						begun.Done()
						begun.Wait() // now all of them compute
					}
					if depth > n {
						return x, nil
					}
					return fs[(i+1)%n].Call(x, depth+1)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			within(t, func() {
				var wg sync.WaitGroup
				for i := range fs {
					wg.Go(func() {
						if got, err := fs[i].Call(7, 0); got != 7 || err != nil {
							t.Errorf("%d, %v; want 7", got, err)
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// TestRecursionComputesOnce computes each Fibonacci number once, whoever asks for them.
func TestRecursionComputesOnce(t *testing.T) {
	for dir, o := range map[string]*Options{t.TempDir(): quiet(), "": {Memory: &Memory{}}} {
		c, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var calls atomic.Int64
		var fib *Function[func(int) int]
		fib, err = Func(c, Spec{Name: "fib", Version: "1"}, func(n int) int {
			calls.Add(1)
			if n < 2 {
				return n
			}
			return fib.Call(n-1) + fib.Call(n-2)
		})
		if err != nil {
			t.Fatal(err)
		}
		within(t, func() {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					if n := fib.Call(50 - i); n != []int{12586269025, 7778742049, 4807526976, 2971215073, 1836311903, 1134903170, 701408733, 433494437}[i] {
						t.Errorf("fib(%d) = %d", 50-i, n)
					}
				})
			}
			wg.Wait()
		})
		if n := calls.Load(); n != 51 {
			t.Errorf("%d computations, want 51", n)
		}
	}
}

// TestNestedThroughTwoCaches has a function of one cache call the same function of
// another one on the same folder, whose lock the first one holds.
func TestNestedThroughTwoCaches(t *testing.T) {
	dir := t.TempDir()
	a, b := openQuiet(t, dir), openQuiet(t, dir)
	spec := Spec{Name: "f", Version: "1"}
	inner, err := Func(b, spec, func(x int) int { return x + 1 })
	if err != nil {
		t.Fatal(err)
	}
	outer, err := Func(a, spec, func(x int) int { return inner.Call(x) })
	if err != nil {
		t.Fatal(err)
	}
	within(t, func() {
		if n := outer.Call(1); n != 2 {
			t.Errorf("%d, want 2", n)
		}
	})
}

// TestNestedCallsLosePatience has a nested call wait for a lock whose holder lives: it
// may be another process that waits for this one.
func TestNestedCallsLosePatience(t *testing.T) {
	s := &storetest.Memory{}
	c := openOn(t, s)
	c.options.Patience = 10 * time.Millisecond
	k := NewKey("inner", "1").Add(1)
	unlock, err := s.Lock(t.Context(), keyLock(k.Digest()), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	compute := func(context.Context) (int, error) { return 2, nil }
	within(t, func() {
		n, err := Do(t.Context(), c, NewKey("outer", "1"), func(ctx context.Context) (int, error) { return Do(ctx, c, k, compute) })
		if n != 2 || err != nil {
			t.Errorf("%d, %v; want 2", n, err)
		}
	})
	if s := c.Stats(); s.Misses != 2 || s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}

// TestNestedGoroutines checks what the runtime tells of goroutines.
func TestNestedGoroutines(t *testing.T) {
	self, _ := goroutines()
	if self == 0 || self != currentGoroutine() {
		t.Fatalf("goroutine %d, or %d", self, currentGoroutine())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var deep func(n int)
		deep = func(n int) {
			if n > 0 {
				deep(n - 1)
				return
			}
			if inner, creator := goroutines(); creator != self || inner == self || inner != currentGoroutine() {
				t.Errorf("goroutine %d, started by %d; want %d", inner, creator, self)
			}
		}
		deep(1000)
	}()
	<-done
	nesting.mu.Lock()
	defer nesting.mu.Unlock()
	if n := len(nesting.goroutines); n != 0 || nesting.running.Load() != 0 {
		t.Errorf("%d flights are left", n)
	}
}
