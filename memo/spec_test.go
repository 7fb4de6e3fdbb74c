package memo_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// TestIgnoredByPosition: an ignored argument decides nothing, may be of any type, and
// reaches the function as it is.
func TestIgnoredByPosition(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	var seen []string
	log := func(s string) { seen = append(seen, s) }
	f := memoize(t, c, memo.Spec{Name: "f", Ignore: []int{1, 2, 3, 5}}, func(_ context.Context, x *mat.Dense, log func(string), done chan<- int, l *slog.Logger, by float64, workers int) float64 {
		log("computed")
		done <- workers
		return by * x.At(0, 1)
	})
	done := make(chan int, 10)
	x := dense(1, 2)
	if got := f.Call(t.Context(), x, log, done, nil, 2, 8); got != 2 || len(seen) != 1 || <-done != 8 {
		t.Errorf("%v, %q", got, seen)
	}
	if got := f.Call(t.Context(), x, nil, nil, slog.Default(), 2, 1); got != 2 || len(seen) != 1 {
		t.Errorf("with other ignored arguments: %v, %q", got, seen)
	}
	if got := f.Call(t.Context(), x, log, done, nil, 3, 8); got != 3 || len(seen) != 2 || <-done != 8 {
		t.Errorf("with another argument: %v, %q", got, seen)
	}
	// Verbs take all arguments, nil for ignored ones included.
	for _, args := range [][]any{{x, log, done, nil, 2, 8}, {x, nil, nil, nil, 2, 1}, {t.Context(), x, func(string) {}, make(chan int), slog.Default(), 2.0, -1}} {
		checkHas(t, f, true, args...)
		if k := must(f.Key(args...))(t); k.Digest() != memo.NewKey("f", "").Add(x).Add(2.0).Digest() {
			t.Errorf("key of %v: %v", args, k)
		}
	}
	for _, args := range [][]any{{x, 2}, {x, log, done, nil, 2}, {x, "log", done, nil, 2, 8}, {x, log, nil, nil, nil, 8}, {x, log, done, nil, 2, 8, 9}} {
		if _, err := f.Has(args...); !errors.Is(err, memo.ErrArguments) {
			t.Errorf("Has(%v): %v", args, err)
		}
	}
	if got := f.Refresh(t.Context(), x, log, done, nil, 2, 4); got != 2 || len(seen) != 3 || <-done != 4 {
		t.Errorf("refreshed: %v, %q", got, seen)
	}
	if err := f.Forget(x, nil, nil, nil, 2, 0); err != nil {
		t.Error(err)
	}
	checkHas(t, f, false, x, log, done, nil, 2, 8)
}

// TestIgnoredVariadic: the position of the variadic parameter is all of it.
func TestIgnoredVariadic(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f", Ignore: []int{1}}, func(x int, options ...func() int) int {
		for _, o := range options {
			x += o()
		}
		return x
	})
	one := func() int { return 1 }
	for _, got := range []int{f.Call(1, one, one), f.Call(1), f.Call(1, nil)} {
		if got != 3 {
			t.Errorf("got %d", got)
		}
	}
	checkHas(t, f, true, 1)
	checkHas(t, f, true, 1, one, nil)
	checkHas(t, f, false, 2)
	if _, err := f.Has(1, 2); !errors.Is(err, memo.ErrArguments) {
		t.Error(err)
	}
	checkCounts(t, c, 2, 1, 0)
}

// TestIgnoredByTag: a struct's field with the tag "-" decides nothing, wherever the
// struct is, and may be of any type; a tag's name is the field's.
func TestIgnoredByTag(t *testing.T) {
	type options struct {
		Tolerance float64 `memo:"tol"`
		Log       func()  `memo:"-"`
		workers   int     `memo:"-"`
	}
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(o options, more map[string][]*options) (float64, error) {
		return o.Tolerance, nil
	})
	with := func(log func(), workers int, inner float64) (options, map[string][]*options) {
		return options{0.5, log, workers}, map[string][]*options{"x": {nil, {inner, log, workers}}}
	}
	for _, call := range []struct {
		log     func()
		workers int
		inner   float64
		hit     bool
	}{{nil, 0, 1, false}, {func() {}, 8, 1, true}, {nil, 8, 2, false}, {func() {}, 0, 2, true}} {
		o, more := with(call.log, call.workers, call.inner)
		checkHas(t, f, call.hit, o, more)
		if got, err := f.Call(o, more); got != 0.5 || err != nil {
			t.Error(got, err)
		}
	}
	checkCounts(t, c, 2, 2, 0)
	k := memo.NewKey("f", "").Add(map[string]float64{"tol": 0.5}).Add(map[string]any{"x": []any{nil, map[string]any{"tol": 1.0}}})
	if ok, err := c.Has(t.Context(), k); !ok || err != nil {
		t.Error(ok, err)
	}
}

// TestSpecIsChecked when a function is memoized, not when it is called.
func TestSpecIsChecked(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	two := func(context.Context, int, ...string) int { return 0 }
	for name, test := range map[string]struct {
		spec memo.Spec
		want error
	}{
		"no name":          {memo.Spec{Version: "1"}, memo.ErrArguments},
		"negative":         {memo.Spec{Name: "f", Ignore: []int{-1}}, memo.ErrArguments},
		"beyond the last":  {memo.Spec{Name: "f", Ignore: []int{0, 2}}, memo.ErrArguments},
		"twice":            {memo.Spec{Name: "f", Ignore: []int{1, 1, 0}}, nil},
		"negative expiry":  {memo.Spec{Name: "f", ExpiresAfter: -1}, memo.ErrArguments},
		"everything":       {memo.Spec{Name: "f", Version: "\x00", Ignore: []int{0}, ExpiresAfter: 1, Valid: func(*memo.Record) bool { return true }}, nil},
		"a long odd name!": {memo.Spec{Name: "../../" + string(make([]byte, 1000))}, nil},
	} {
		for door, err := range map[string]error{
			"Func":    func() error { _, err := memo.Func(c, test.spec, two); return err }(),
			"Wrap":    func() error { _, err := c.Wrap(test.spec, two); return err }(),
			"Memoize": func() error { _, err := c.Memoize(test.spec, two); return err }(),
		} {
			if !errors.Is(err, test.want) {
				t.Errorf("%s: %s: %v, want %v", name, door, err, test.want)
			}
		}
	}
	ignore := []int{0}
	f := memoize(t, c, memo.Spec{Name: "f", Ignore: ignore}, func(a, b int) int { return 10*a + b })
	ignore[0] = 1 // the Spec was the caller's to change
	if f.Call(1, 2) != 12 || f.Call(2, 2) != 12 || f.Call(1, 3) != 13 {
		t.Error("Spec.Ignore is shared with its caller")
	}
}

// TestValidDecides on what a call, Has and Shelve find: by constant, argument,
// duration or age.
func TestValidDecides(t *testing.T) {
	for name, test := range map[string]struct {
		valid func(*memo.Record) bool
		took  map[int]time.Duration // for each argument
		hits  map[int]bool
	}{
		"always": {func(*memo.Record) bool { return true }, nil, map[int]bool{1: true, 2: true}},
		"never":  {func(*memo.Record) bool { return false }, nil, map[int]bool{1: false, 2: false}},
		"slow calls only": {func(r *memo.Record) bool { return r.Duration > time.Second },
			map[int]time.Duration{1: time.Second, 2: time.Second + 1}, map[int]bool{1: false, 2: true}},
		"by argument": {func(r *memo.Record) bool { return r.Args[0].String() == "2" }, nil, map[int]bool{1: false, 2: true}},
		"by result":   {func(r *memo.Record) bool { return r.Results[0].String() != "20" }, nil, map[int]bool{1: true, 2: false}},
		"by age":      {func(r *memo.Record) bool { return time.Since(r.Created) < 2*time.Hour }, nil, map[int]bool{1: false, 2: true}},
		"by size":     {func(r *memo.Record) bool { return r.Size() > 0 && r.Size() < 1000 }, nil, map[int]bool{1: true, 2: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := openIn(t, t.TempDir(), nil)
				computed := map[int]int{}
				f := memoize(t, c, memo.Spec{Name: "f", Version: "1", Valid: test.valid}, func(n int) (int, error) {
					computed[n]++
					time.Sleep(test.took[n])
					return 10 * n, nil
				})
				for n := 1; n <= 2; n++ {
					if got, err := f.Call(n); got != 10*n || err != nil {
						t.Error(got, err)
					}
					time.Sleep(90 * time.Minute)
				}
				for n, hit := range test.hits {
					checkHas(t, f, hit, n)
					if got, err := f.Call(n); got != 10*n || err != nil {
						t.Error(got, err)
					}
					if again := computed[n] == 2; again == hit {
						t.Errorf("argument %d: computed %d times", n, computed[n])
					}
				}
				if s := c.Stats(); s.Faults != 0 {
					t.Errorf("what is not valid counts as a fault: %+v", s)
				}
			})
		})
	}
}

// TestValidSeesTheWholeRecord, and is asked only where there is one.
func TestValidSeesTheWholeRecord(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	var asked []memo.Record
	f := memoize(t, c, memo.Spec{Name: "f", Version: "1", Valid: func(r *memo.Record) bool { asked = append(asked, *r); return true }},
		func(x []float64, by string) []float64 { return x })
	f.Call([]float64{1}, "a")
	if len(asked) > 0 {
		t.Errorf("asked about what is not there: %+v", asked)
	}
	f.Call([]float64{1}, "a")
	if len(asked) != 1 {
		t.Fatalf("asked %d times", len(asked))
	}
	r, want := asked[0], must(f.Record([]float64{1}, "a"))(t)
	if r.Key != want.Key || r.Function != "f" || r.Version != "1" || len(r.Args) != 2 || len(r.Results) != 1 || !r.Created.Equal(want.Created) || r.Size() != want.Size() {
		t.Errorf("%+v, want %+v", r, want)
	}
	f.Refresh([]float64{1}, "a") // and not where nobody looks
	if len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestValidIsAskedAtOnce from many goroutines: where it turns everything down, all
// compute, and none waits for ever.
func TestValidIsAskedAtOnce(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	var mu sync.Mutex
	asked := 0
	f := memoize(t, c, memo.Spec{Name: "f", Valid: func(*memo.Record) bool {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return asked%3 == 0
	}}, func(n int) []int { return []int{n} })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 20 {
				if got := f.Call(i % 2); len(got) != 1 || got[0] != i%2 {
					t.Errorf("%v", got)
				}
				if _, err := f.Has(i % 2); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Hits == 0 || s.Misses < 2 || s.Hits+s.Misses+s.Shared != 160 || s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}

// TestExpiresAfter moves the cache's clock: to the last moment, to the exact age, back
// before the entry was made.
func TestExpiresAfter(t *testing.T) {
	made := time.Date(2024, 2, 29, 23, 59, 59, 999999999, time.FixedZone("east", 5*3600))
	now := made
	c := openIn(t, t.TempDir(), &memo.Options{Now: func() time.Time { return now }})
	computed := 0
	f := memoize(t, c, memo.Spec{Name: "f", ExpiresAfter: time.Hour}, func() int { computed++; return computed })
	f.Call()
	for _, test := range []struct {
		now time.Time
		hit bool
	}{
		{made, true},
		{made.Add(time.Hour - 1), true},
		{made.Add(time.Hour), false},
		{made.Add(time.Hour - 1).UTC(), true},
		{made.Add(100 * 365 * 24 * time.Hour), false},
		{made.Add(-1), false}, // from the future
		{made.Add(-time.Hour), false},
		{time.Time{}, false},
	} {
		now = made
		if f.Refresh() != computed {
			t.Fatal("a refresh was not computed")
		}
		now = test.now
		before := computed
		checkHas(t, f, test.hit)
		if got := f.Call(); got != computed || (computed == before) != test.hit {
			t.Errorf("after %v: %d, of %d computed; want a hit: %v", now.Sub(made), got, computed, test.hit)
		}
		// What was computed now is as old as that.
		checkHas(t, f, true)
	}
	if s := c.Stats(); s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}

// TestExpiryLeavesTheEntry to others: a function of the same name that does not expire,
// and those who look at records, still have it.
func TestExpiryLeavesTheEntry(t *testing.T) {
	now := time.Now()
	c := openIn(t, t.TempDir(), &memo.Options{Now: func() time.Time { return now }})
	computed := 0
	count := func() int { computed++; return computed }
	short := memoize(t, c, memo.Spec{Name: "f", ExpiresAfter: time.Hour, Valid: func(r *memo.Record) bool { return r.Results[0].String() != "2" }}, count)
	ever := memoize(t, c, memo.Spec{Name: "f"}, count)
	ref := must(short.Shelve())(t)
	now = now.Add(2 * time.Hour)
	checkHas(t, short, false)
	checkHas(t, ever, true)
	var n int
	if err := ref.Get(t.Context(), &n); n != 1 || err != nil {
		t.Errorf("the reference: %d, %v", n, err)
	}
	if r, err := short.Record(); err != nil || !r.Created.Equal(now.Add(-2*time.Hour)) {
		t.Errorf("the record: %+v, %v", r, err)
	}
	if got := ever.Call(); got != 1 {
		t.Errorf("the function that never expires: %d", got)
	}
	if got := short.Call(); got != 2 {
		t.Errorf("the one that expires: %d", got)
	}
	if got := short.Call(); got != 3 { // in time, but Valid turns it down
		t.Errorf("the one that expires, again: %d", got)
	}
	if got := short.Call(); got != 3 {
		t.Errorf("in time and valid: %d", got)
	}
}
