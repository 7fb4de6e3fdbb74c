package memo

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// The tests here are the behaviours that CPython's test_functools.py checks of
// functools.lru_cache, and boltons' test_cacheutils.py of LRU, LRI and cached.

// openLRU opens a memory-only cache as functools.lru_cache makes one.
func openLRU(t testing.TB, maxsize int) *Cache {
	t.Helper()
	return openMemory(t, Memory{Policy: LRU, MaxEntries: maxsize})
}

// checkInfo compares with what cache_info() says in Python.
func checkInfo(t *testing.T, c *Cache, hits, misses, currsize int64) {
	t.Helper()
	if s := c.Stats(); s.Hits != hits || s.MemoryHits != hits || s.Misses != misses || s.MemoryEntries != currsize {
		t.Errorf("%+v, want %d hits, %d misses and %d entries", s, hits, misses, currsize)
	}
}

// TestLRU is test_lru.
func TestLRU(t *testing.T) {
	c := openLRU(t, 20)
	f, err := Func(c, Spec{Name: "f"}, func(x, y int) int { return 3*x + y })
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if x, y := random.IntN(5), random.IntN(5); f.Call(x, y) != 3*x+y {
			t.Error(x, y, f.Call(x, y))
		}
	}
	s := c.Stats()
	if s.Hits <= s.Misses || s.Hits+s.Misses != 1000 || s.MemoryEntries != 20 || s.MemoryEvicted != s.Misses-20 {
		t.Errorf("%+v", s)
	}
	if n, err := f.Clear(t.Context()); n != 20 || err != nil {
		t.Error(n, err)
	}
	f.Call(1, 2)
	checkInfo(t, c, s.Hits, s.Misses+1, 1)

	one := openLRU(t, 1)
	g, err := Func(one, Spec{Name: "g"}, func() int { return 20 })
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if g.Call() != 20 {
			t.Error(g.Call())
		}
	}
	checkInfo(t, one, 4, 1, 1)

	two := openLRU(t, 2)
	computed := 0
	h, err := Func(two, Spec{Name: "h"}, func(x int) int { computed++; return x * 10 })
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []int{7, 9, 7, 9, 7, 9, 8, 8, 8, 9, 9, 9, 8, 8, 8, 7} {
		if h.Call(x) != x*10 {
			t.Error(h.Call(x))
		}
	}
	if computed != 4 {
		t.Errorf("computed %d times", computed)
	}
	checkInfo(t, two, 12, 4, 2)
}

// TestDisabledLikeMaxsizeZero is lru_cache(maxsize=0), which never caches: a cache
// with neither folder nor memory.
func TestDisabledLikeMaxsizeZero(t *testing.T) {
	c := openQuiet(t, "")
	computed := 0
	for range 5 {
		if n, err := Do(t.Context(), c, NewKey("f", ""), func(context.Context) (int, error) { computed++; return 20, nil }); n != 20 || err != nil {
			t.Error(n, err)
		}
	}
	if computed != 5 {
		t.Errorf("computed %d times", computed)
	}
	checkInfo(t, c, 0, 5, 0)
}

// TestTyped is test_lru_cache_typed: always on where the difference can be seen.
// An int and an int64 are the same integer.
func TestTyped(t *testing.T) {
	c := openLRU(t, 0)
	echo := func(x any) {
		t.Helper()
		if _, err := Do(t.Context(), c, NewKey("echo", "").Add(x), func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Error(err)
		}
	}
	for _, x := range []any{1, 1.0, true, "1", []byte("1"), complex(1, 0), []int{1}, []float64{1}} {
		echo(x)
		echo(x)
	}
	checkInfo(t, c, 8, 8, 8)
	for _, x := range []any{int8(1), int64(1), uint(1)} {
		echo(x)
	}
	checkInfo(t, c, 11, 8, 8)
}

// TestErrorsAreNotKept is test_lru_with_exceptions; panics are not kept either.
func TestErrorsAreNotKept(t *testing.T) {
	c := openLRU(t, 0)
	broken := errors.New("index out of range")
	computed := 0
	f, err := Func(c, Spec{Name: "f"}, func(i int) (byte, error) {
		computed++
		if i < 0 {
			panic(broken)
		}
		if i > 2 {
			return 0, broken
		}
		return "abc"[i], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if b, err := f.Call(0); b != 'a' || err != nil {
			t.Error(b, err)
		}
		if _, err := f.Call(15); !errors.Is(err, broken) {
			t.Error(err)
		}
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, broken) {
					t.Error(err)
				}
			}()
			_, _ = f.Call(-1)
		}()
	}
	if s := c.Stats(); computed != 5 || s.Hits != 1 || s.MemoryEntries != 1 {
		t.Errorf("computed %d times, %+v", computed, s)
	}
}

// TestRecursion is fib in test_lru_with_maxsize_none and _maxsize_negative: the
// function calls its memoized self.
func TestRecursion(t *testing.T) {
	c := openLRU(t, 0)
	var fib func(context.Context, int) (int, error)
	f, err := Func(c, Spec{Name: "fib"}, func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		a, err := fib(ctx, n-1)
		if err != nil {
			return 0, err
		}
		b, err := fib(ctx, n-2)
		return a + b, err
	})
	if err != nil {
		t.Fatal(err)
	}
	fib = f.Call
	want := []int{0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610}
	for n := range want {
		if got, err := fib(t.Context(), n); got != want[n] || err != nil {
			t.Error(n, got, err)
		}
	}
	checkInfo(t, c, 28, 16, 16)
	if got, err := fib(t.Context(), 40); got != 102334155 || err != nil {
		t.Error(got, err)
	}
}

// TestThreads is test_lru_cache_threaded and _threaded2: as many computations as
// keys, which functools does not promise.
func TestThreads(t *testing.T) {
	for _, policy := range tierPolicies {
		c := openMemory(t, Memory{Policy: policy, MaxEntries: 100})
		var computed atomic.Int64
		f, err := Func(c, Spec{Name: "f"}, func(x, y int) int { computed.Add(1); return 3*x + y })
		if err != nil {
			t.Fatal(err)
		}
		const threads, keys, rounds = 8, 11, 50
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for range threads {
			wg.Go(func() {
				<-begin
				for i := range rounds * keys {
					if got := f.Call(i%keys, i); got != 3*(i%keys)+i {
						t.Error(i, got)
					}
					if got := f.Call(i%keys, 0); got != 3*(i%keys) {
						t.Error(i, got)
					}
				}
			})
		}
		close(begin)
		wg.Wait()
		s := c.Stats()
		if s.Hits+s.Misses+s.Shared != 2*threads*rounds*keys || s.MemoryEntries > 100 || s.Misses != computed.Load() {
			t.Errorf("%v: computed %d times, %+v", policy, computed.Load(), s)
		}
	}
	c := openLRU(t, 0)
	var computed atomic.Int64
	f, err := Func(c, Spec{Name: "f"}, func(x int) int { computed.Add(1); return x })
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				if f.Call(i) != i {
					t.Error(i)
				}
			}
		})
	}
	if wg.Wait(); computed.Load() != 100 {
		t.Errorf("computed %d times for 100 keys", computed.Load())
	}
}

// polygon has a memoized method, as in test_lru_method.
type polygon struct {
	Sides int
	drawn *int `memo:"-"`
}

func (p polygon) diagonals(per int) int {
	*p.drawn++
	return p.Sides * (p.Sides - 3) / 2 * per
}

// TestMethods: the receiver is an argument like any other, so equal receivers share
// results, and none is kept alive by the cache.
func TestMethods(t *testing.T) {
	c := openLRU(t, 0)
	f, err := Func(c, Spec{Name: "polygon.diagonals"}, polygon.diagonals)
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	for range 2 {
		for _, sides := range []int{5, 6} {
			if got := f.Call(polygon{sides, &drawn}, 2); got != sides*(sides-3) {
				t.Error(sides, got)
			}
		}
	}
	if drawn != 2 {
		t.Errorf("computed %d times", drawn)
	}
	checkInfo(t, c, 2, 2, 2)
}
