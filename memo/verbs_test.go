package memo_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// openIn opens a cache in dir, with o where it is not nil and without warnings, and
// closes it with the test.
func openIn(t testing.TB, dir string, o *memo.Options) *memo.Cache {
	t.Helper()
	options := memo.Options{}
	if o != nil {
		options = *o
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := memo.Open(dir, &options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// must returns v, and ends the test where err is not nil.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// memoize is memo.Func for tests, which end where it fails.
func memoize[F any](t testing.TB, c *memo.Cache, spec memo.Spec, fn F) *memo.Function[F] {
	t.Helper()
	return must(memo.Func(c, spec, fn))(t)
}

// checkCounts compares what the cache counted since it was opened.
func checkCounts(t testing.TB, c *memo.Cache, hits, misses, faults int64) {
	t.Helper()
	if s := c.Stats(); s.Hits != hits || s.Misses != misses || s.Faults != faults {
		t.Errorf("%d hits, %d misses, %d faults; want %d, %d, %d", s.Hits, s.Misses, s.Faults, hits, misses, faults)
	}
}

// checkHas demands that Has answers so.
func checkHas(t testing.TB, f interface{ Has(...any) (bool, error) }, want bool, args ...any) {
	t.Helper()
	if ok, err := f.Has(args...); ok != want || err != nil {
		t.Errorf("Has(%v): %v, %v; want %v", args, ok, err, want)
	}
}

// files returns the files in folders of a cache, relative to it.
func files(t testing.TB, dir string, folders ...string) []string {
	t.Helper()
	var found []string
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !e.IsDir() {
				found = append(found, must(filepath.Rel(dir, path))(t))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// spoil overwrites the end of the only file in a folder of a cache, and leaves its
// length as it is.
func spoil(t testing.TB, dir, folder string) (name string) {
	t.Helper()
	found := files(t, dir, folder)
	if len(found) != 1 {
		t.Fatalf("%s has the files %q, not one", folder, found)
	}
	path := filepath.Join(dir, found[0])
	b := must(os.ReadFile(path))(t)
	copy(b[len(b)-4:], "spam")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// triple is a value with a method to memoize.
type triple struct{ By float64 }

func (tr triple) times(x float64) float64 { return tr.By * x }

// TestCallIsLazy calls functions of every form with three arguments, each twice: each
// argument is computed once. A cache that is opened anew computes nothing.
func TestCallIsLazy(t *testing.T) {
	computed := 0
	count := func(x float64) float64 { computed++; return 3 * x }
	type unary func(float64) float64
	for name, form := range map[string]struct {
		fn   any
		call func(t *testing.T, f any, x float64) float64
	}{
		"function":       {count, func(_ *testing.T, f any, x float64) float64 { return f.(func(float64) float64)(x) }},
		"named type":     {unary(count), func(_ *testing.T, f any, x float64) float64 { return f.(unary)(x) }},
		"closure":        {func() func(float64) float64 { by := 3.0; return func(x float64) float64 { computed++; return by * x } }(), func(_ *testing.T, f any, x float64) float64 { return f.(func(float64) float64)(x) }},
		"fixed argument": {func(x float64) float64 { return func(by, x float64) float64 { computed++; return by * x }(3, x) }, func(_ *testing.T, f any, x float64) float64 { return f.(func(float64) float64)(x) }},
		"method": {func(x float64) float64 { computed++; return triple{3}.times(x) },
			func(_ *testing.T, f any, x float64) float64 { return f.(func(float64) float64)(x) }},
		"method expression": {func(tr triple, x float64) float64 { computed++; return triple.times(tr, x) },
			func(_ *testing.T, f any, x float64) float64 { return f.(func(triple, float64) float64)(triple{3}, x) }},
		"error": {func(x float64) (float64, error) { return count(x), nil },
			func(t *testing.T, f any, x float64) float64 { return must(f.(func(float64) (float64, error))(x))(t) }},
		"context": {func(_ context.Context, x float64) float64 { return count(x) },
			func(t *testing.T, f any, x float64) float64 {
				return f.(func(context.Context, float64) float64)(t.Context(), x)
			}},
		"variadic": {func(x ...float64) float64 { return count(x[0]) },
			func(_ *testing.T, f any, x float64) float64 { return f.(func(...float64) float64)(x) }},
		"matrix": {func(x *mat.Dense) *mat.Dense {
			computed++
			var y mat.Dense
			y.Scale(3, x)
			return &y
		}, func(_ *testing.T, f any, x float64) float64 {
			return f.(func(*mat.Dense) *mat.Dense)(mat.NewDense(1, 1, []float64{x})).At(0, 0)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c := openIn(t, dir, nil)
			f := must(c.Wrap(memo.Spec{Name: name, Version: "1"}, form.fn))(t)
			computed = 0
			for i := range 3 {
				for range 2 {
					if got := form.call(t, f, float64(i)); got != float64(3*i) || computed != i+1 {
						t.Errorf("call with %d: %v, computed %d times", i, got, computed)
					}
				}
			}
			checkCounts(t, c, 3, 3, 0)
			later := openIn(t, dir, nil)
			f = must(later.Wrap(memo.Spec{Name: name, Version: "1"}, form.fn))(t)
			if got := form.call(t, f, 2); got != 6 || computed != 3 {
				t.Errorf("from a cache opened anew: %v, computed %d times", got, computed)
			}
		})
	}
}

// TestMethodsShareEntries: a method of two values is one function to the cache,
// which knows it by its name; so are two closures. What tells them apart must be an
// argument.
func TestMethodsShareEntries(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	three := memoize(t, c, memo.Spec{Name: "times"}, triple{3}.times)
	four := memoize(t, c, memo.Spec{Name: "times"}, triple{4}.times)
	if three.Call(2) != 6 || four.Call(2) != 6 {
		t.Error("the receiver of a bound method became part of the key")
	}
	times := memoize(t, c, memo.Spec{Name: "triple.times"}, triple.times)
	if times.Call(triple{3}, 2) != 6 || times.Call(triple{4}, 2) != 8 {
		t.Error("the receiver of a method expression is no part of the key")
	}
}

// TestFunctionThatChangesItsArgument: the key is that of the argument as it was
// given, so the next call with what it has become computes.
func TestFunctionThatChangesItsArgument(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(x *mat.VecDense) float64 {
		x.SetVec(0, x.AtVec(0)+1)
		return x.AtVec(0)
	})
	x := mat.NewVecDense(1, nil)
	for want := 1.0; want <= 3; want++ {
		if got := f.Call(x); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if got := f.Call(mat.NewVecDense(1, nil)); got != 1 {
		t.Errorf("the first call again: %v", got)
	}
	checkCounts(t, c, 1, 3, 0)
}

// TestErrorsComeBackEveryTime: an entry beside them changes nothing, nor do they
// change it.
func TestErrorsComeBackEveryTime(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	broken := errors.New("broken")
	f := memoize(t, c, memo.Spec{Name: "f"}, func(fail bool) (int, error) {
		if fail {
			return 0, broken
		}
		return 1, nil
	})
	for range 3 {
		if _, err := f.Call(true); !errors.Is(err, broken) {
			t.Error(err)
		}
		if got, err := f.Call(false); got != 1 || err != nil {
			t.Error(got, err)
		}
	}
	checkCounts(t, c, 2, 4, 0)
}

// TestHasAgreesWithCall: Has says true just where the next call is a hit.
func TestHasAgreesWithCall(t *testing.T) {
	type function = memo.Function[func(int) []float64]
	for name, test := range map[string]struct {
		spec   memo.Spec
		before func(t *testing.T, c *memo.Cache, f *function)
		want   bool
	}{
		"never called": {want: false},
		"called":       {before: func(_ *testing.T, _ *memo.Cache, f *function) { f.Call(1) }, want: true},
		"called with another argument": {
			before: func(_ *testing.T, _ *memo.Cache, f *function) { f.Call(2) }, want: false},
		"forgotten": {before: func(t *testing.T, _ *memo.Cache, f *function) {
			f.Call(1)
			if err := f.Forget(1); err != nil {
				t.Error(err)
			}
		}, want: false},
		"cleared": {before: func(t *testing.T, c *memo.Cache, f *function) {
			f.Call(1)
			if err := c.Clear(t.Context(), nil); err != nil {
				t.Error(err)
			}
		}, want: false},
		"damaged record": {before: func(t *testing.T, c *memo.Cache, f *function) { f.Call(1); spoil(t, c.Dir(), "calls") }, want: false},
		"missing result": {before: func(t *testing.T, c *memo.Cache, f *function) {
			f.Call(1)
			if err := os.Remove(filepath.Join(c.Dir(), files(t, c.Dir(), "objects")[0])); err != nil {
				t.Error(err)
			}
		}, want: false},
		"valid": {spec: memo.Spec{Valid: func(*memo.Record) bool { return true }},
			before: func(_ *testing.T, _ *memo.Cache, f *function) { f.Call(1) }, want: true},
		"not valid": {spec: memo.Spec{Valid: func(*memo.Record) bool { return false }},
			before: func(_ *testing.T, _ *memo.Cache, f *function) { f.Call(1) }, want: false},
		"expired": {spec: memo.Spec{ExpiresAfter: 1},
			before: func(_ *testing.T, _ *memo.Cache, f *function) { f.Call(1) }, want: false},
		"another version": {before: func(t *testing.T, c *memo.Cache, _ *function) {
			memoize(t, c, memo.Spec{Name: "f", Version: "2"}, func(n int) []float64 { return nil }).Call(1)
		}, want: false},
		"a result of another type": {before: func(t *testing.T, c *memo.Cache, _ *function) {
			memoize(t, c, memo.Spec{Name: "f", Version: "1"}, func(n int) string { return "" }).Call(1)
		}, want: false},
		"elements of another type": {before: func(t *testing.T, c *memo.Cache, _ *function) {
			memoize(t, c, memo.Spec{Name: "f", Version: "1"}, func(n int) []float32 { return []float32{1} }).Call(1)
		}, want: false},
		"an array of another type": {before: func(t *testing.T, c *memo.Cache, _ *function) {
			memoize(t, c, memo.Spec{Name: "f", Version: "1"}, func(n int) *array.Array[float32] { return newArray(t, []float32{1}) }).Call(1)
		}, want: false},
		"more results": {before: func(t *testing.T, c *memo.Cache, _ *function) {
			memoize(t, c, memo.Spec{Name: "f", Version: "1"}, func(n int) ([]float64, int) { return nil, 1 }).Call(1)
		}, want: false},
	} {
		t.Run(name, func(t *testing.T) {
			c := openIn(t, t.TempDir(), nil)
			spec := test.spec
			spec.Name, spec.Version = "f", "1"
			f := memoize(t, c, spec, func(n int) []float64 { return []float64{float64(n)} })
			if test.before != nil {
				test.before(t, c, f)
			}
			before := c.Stats()
			checkHas(t, f, test.want, 1)
			if s := c.Stats(); !reflect.DeepEqual(s, before) {
				t.Errorf("Has counts: %+v, before %+v", s, before)
			}
			f.Call(1)
			if hit := c.Stats().Hits > before.Hits; hit != test.want {
				t.Errorf("the call was a hit: %v", hit)
			}
		})
	}
}

func TestKeyOfACall(t *testing.T) {
	var told memo.Event
	c := openIn(t, t.TempDir(), &memo.Options{OnEvent: func(e memo.Event) { told = e }})
	computed := 0
	f := memoize(t, c, memo.Spec{Name: "f", Version: "7"}, func(x *mat.Dense, by any) int { computed++; return 1 })
	k := must(f.Key(dense(2, 2), "x"))(t)
	if computed != 0 {
		t.Error("Key computed")
	}
	if want := memo.NewKey("f", "7").Add(dense(2, 2)).Add("x"); k.Digest() != want.Digest() || k.Function() != "f" || k.Version() != "7" {
		t.Errorf("key %v, want %v", k, want)
	}
	longer := k.Add(3)
	if want := memo.NewKey("f", "7").Add(dense(2, 2)).Add("x").Add(3); longer.Digest() != want.Digest() {
		t.Errorf("with one more argument the key is %v, want %v", longer, want)
	}
	if f.Call(dense(2, 2), "x"); told.Key != k.Digest() || told.Kind != memo.Miss {
		t.Errorf("the call was %+v", told)
	}
	if ok, err := c.Has(t.Context(), k); !ok || err != nil {
		t.Error(ok, err)
	}
	k, err := f.Key(dense(2, 2), func() {})
	if !errors.Is(err, memo.ErrUnsupported) || !errors.Is(k.Err(), memo.ErrUnsupported) {
		t.Errorf("key of a function as an argument: %v, %v", k, err)
	}
}

func TestRecordOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openIn(t, t.TempDir(), nil)
		f := memoize(t, c, memo.Spec{Name: "f", Version: "7"}, func(x []float64, by string) ([]float64, int) {
			time.Sleep(3 * time.Second)
			return x[:1], len(by)
		})
		if _, err := f.Record([]float64{1, 2}, "by"); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("before the call: %v", err)
		}
		f.Call([]float64{1, 2}, "by")
		now := time.Now()
		time.Sleep(time.Hour)
		f.Call([]float64{1, 2}, "by") // a hit changes nothing in it
		k := must(f.Key([]float64{1, 2}, "by"))(t)
		for _, get := range []func() (*memo.Record, error){
			func() (*memo.Record, error) { return f.Record([]float64{1, 2}, "by") },
			func() (*memo.Record, error) { return f.Record(t.Context(), []float64{1, 2}, "by") },
			func() (*memo.Record, error) { return c.Record(t.Context(), k) },
			func() (*memo.Record, error) { return c.Ref(k).Record(t.Context()) },
		} {
			r := must(get())(t)
			if r.Key != k.Digest() || r.Function != "f" || r.Version != "7" || !strings.HasPrefix(r.Writer, "numcache-go") {
				t.Errorf("%+v", r)
			}
			if r.Duration != 3*time.Second || !r.Created.Equal(now) {
				t.Errorf("took %v, created %v; want 3s, %v", r.Duration, r.Created, now)
			}
			if len(r.Args) != 2 || r.Args[0].String() != "float64(2,)" || r.Args[1].String() != `"by"` {
				t.Errorf("arguments %v", r.Args)
			}
			if len(r.Results) != 2 || r.Results[0].String() != "float64(1,)" || r.Results[1].String() != "2" {
				t.Errorf("results %v", r.Results)
			}
			if written := must(os.Stat(filepath.Join(c.Dir(), files(t, c.Dir(), "calls")[0])))(t).Size(); r.Size() != written+8 {
				t.Errorf("size %d, of a record of %d bytes and one float64", r.Size(), written)
			}
		}
		if _, err := f.Record([]float64{1}, "by"); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("of another call: %v", err)
		}
		spoil(t, c.Dir(), "calls")
		if _, err := f.Record([]float64{1, 2}, "by"); !errors.Is(err, memo.ErrNotFound) || !errors.Is(err, memo.ErrDamaged) {
			t.Errorf("of a damaged record: %v", err)
		}
	})
}

func TestForgetOneCall(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(x float64) []float64 { return []float64{1, 2} }) // an object that entries share
	g := memoize(t, c, memo.Spec{Name: "g"}, func(x float64) []float64 { return []float64{1, 2} })
	f.Call(1)
	f.Call(2)
	g.Call(1)
	for range 2 { // the second time there is nothing to forget
		if err := f.Forget(1); err != nil {
			t.Error(err)
		}
	}
	checkHas(t, f, false, 1)
	checkHas(t, f, true, 2)
	checkHas(t, g, true, 1)
	if got := g.Call(1); len(got) != 2 {
		t.Error(got)
	}
	checkCounts(t, c, 1, 3, 0)
	f.Call(1)
	checkCounts(t, c, 1, 4, 0)
}

func TestClearFunction(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	functions := map[string]*memo.Function[func(int) int]{}
	for _, name := range []string{"f", "f ", "F2", "f/g", "ff", "f%2Fg", "…"} {
		for _, version := range []string{"", "1", "2"} {
			functions[name+" version "+version] = memoize(t, c, memo.Spec{Name: name, Version: version}, func(n int) int { return n })
		}
	}
	for _, f := range functions {
		f.Call(1)
		f.Call(2)
	}
	if n, err := functions["f version 1"].Clear(t.Context()); n != 6 || err != nil {
		t.Errorf("%d records removed, %v; want 6", n, err)
	}
	for name, f := range functions {
		for n := 1; n <= 2; n++ {
			checkHas(t, f, !strings.HasPrefix(name, "f version"), n)
		}
	}
	if n, err := c.ClearFunction(t.Context(), "f"); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	if n, err := c.ClearFunction(t.Context(), "…"); n != 6 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := c.ClearFunction(t.Context(), "no such function"); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	functions["f version 1"].Call(1)
	checkHas(t, functions["f version 1"], true, 1)
}

func TestClearTheCache(t *testing.T) {
	dir := t.TempDir()
	c := openIn(t, dir, nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) []float64 { return []float64{float64(n)} })
	for n := range 5 {
		f.Call(n)
	}
	all := files(t, dir, "calls", "objects")
	var size int64
	for _, name := range all {
		size += must(os.Stat(filepath.Join(dir, name)))(t).Size()
	}
	last, steps := memo.Progress{}, 0
	err := c.Clear(t.Context(), func(p memo.Progress) {
		if steps++; p.Done != steps || p.BytesDone <= last.BytesDone || p.Total != len(all) || p.BytesTotal != size {
			t.Errorf("step %d: %+v, after %+v", steps, p, last)
		}
		last = p
	})
	if err != nil || last.Done != len(all) || last.BytesDone != size {
		t.Errorf("%+v, %v; want %d files of %d bytes", last, err, len(all), size)
	}
	if left := files(t, dir, "calls", "objects", "quarantine", "tmp"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if err := c.Clear(t.Context(), func(p memo.Progress) { t.Errorf("progress in an empty cache: %+v", p) }); err != nil {
		t.Error(err)
	}
	f.Call(1)
	f.Call(1)
	checkCounts(t, c, 1, 6, 0)
	if err := memoizeAgain(t, dir).Clear(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// memoizeAgain opens a second cache on the folder of one, which is still a cache then.
func memoizeAgain(t *testing.T, dir string) *memo.Cache {
	t.Helper()
	c := openIn(t, dir, nil)
	for _, err := range c.Records(t.Context()) {
		if err != nil {
			t.Error(err)
		}
	}
	return c
}

// TestClearEndsWithItsContext, and what it has not removed by then is still there.
func TestClearEndsWithItsContext(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) int { return n })
	for n := range 5 {
		f.Call(n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Clear(ctx, func(p memo.Progress) {
		if p.Done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n, err := c.ClearFunction(t.Context(), "f"); n != 3 || err != nil {
		t.Errorf("%d were left, %v; want 3", n, err)
	}
}

// TestOldVersionsStay: going back to an older version of a function finds the results
// that it had.
func TestOldVersionsStay(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		c := openIn(t, dir, nil)
		sum := memoize(t, c, memo.Spec{Name: "f", Version: "sum"}, func(a, b int) int { return a + b })
		product := memoize(t, c, memo.Spec{Name: "f", Version: "product"}, func(a, b int) int { return a * b })
		for range 2 {
			if sum.Call(3, 4) != 7 || product.Call(3, 4) != 12 {
				t.Error("WRONG version's result")
			}
		}
		checkCounts(t, c, 2+2*int64(round), 2-2*int64(round), 0)
	}
}

// TestFunctionsWithoutError compute whatever happens: a context that has ended, an
// argument that no key can be made of, a closed cache.
func TestFunctionsWithoutError(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	toldToStop := true
	f := memoize(t, c, memo.Spec{Name: "f"}, func(ctx context.Context, x any) (bool, string) {
		if toldToStop {
			<-ctx.Done()
		}
		return x == nil, "result"
	})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	expect := func(what string, ctx context.Context, x any) {
		t.Helper()
		if isNil, s := f.Call(ctx, x); isNil != (x == nil) || s != "result" {
			t.Errorf("%s: %v, %q", what, isNil, s)
		}
	}
	for range 2 {
		expect("a context that has ended", ended, nil)
	}
	checkCounts(t, c, 0, 2, 0) // what is returned after that is not kept
	toldToStop = false
	expect("a context", t.Context(), nil)
	expect("a hit with a context that has ended", ended, nil)
	checkCounts(t, c, 1, 3, 0)
	for range 2 {
		expect("a function as an argument", t.Context(), func() {})
	}
	checkCounts(t, c, 1, 5, 2)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	expect("a closed cache", t.Context(), nil)
}

// TestContextAnywhere: one that comes first is handed on and no argument; one that
// comes later is an argument, which only Ignore makes sense of.
func TestContextAnywhere(t *testing.T) {
	type name struct{}
	c := openIn(t, t.TempDir(), nil)
	ctx := context.WithValue(t.Context(), name{}, "value")
	first := memoize(t, c, memo.Spec{Name: "first"}, func(ctx context.Context, n int) (string, error) {
		s, _ := ctx.Value(name{}).(string)
		return s, ctx.Err()
	})
	if got, err := first.Call(ctx, 1); got != "value" || err != nil {
		t.Error(got, err)
	}
	var none context.Context
	if got, err := first.Call(none, 1); got != "value" || err != nil {
		t.Error("a hit, with no context:", got, err)
	}
	if got, err := first.Call(none, 2); got != "" || err != nil {
		t.Error("a miss, with no context:", got, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := first.Call(ended, 1); !errors.Is(err, context.Canceled) {
		t.Error("a hit with a context that has ended:", err)
	}
	checkCounts(t, c, 1, 2, 0)

	later := memoize(t, c, memo.Spec{Name: "later", Ignore: []int{1}}, func(n int, ctx context.Context) (string, error) {
		s, _ := ctx.Value(name{}).(string)
		return s, nil
	})
	for range 2 {
		if got, err := later.Call(1, ctx); got != "value" || err != nil {
			t.Error(got, err)
		}
	}
	checkHas(t, later, true, 1, ctx)
	checkHas(t, later, true, 1, nil)
	checkCounts(t, c, 2, 3, 0)
	keyed := memoize(t, c, memo.Spec{Name: "keyed"}, func(n int, ctx context.Context) int { return n })
	if got := keyed.Call(1, ctx); got != 1 {
		t.Error(got)
	}
	if _, err := keyed.Has(1, ctx); !errors.Is(err, memo.ErrUnsupported) {
		t.Error("a context as an argument:", err)
	}
	checkCounts(t, c, 2, 4, 1)
}

// TestMemoizeHasEveryVerb goes through the door for interpreters, which see no
// generic type: it has all that Function has.
func TestMemoizeHasEveryVerb(t *testing.T) {
	ctx := t.Context()
	c := openIn(t, t.TempDir(), nil)
	computed := 0
	m := must(c.Memoize(memo.Spec{Name: "f", Version: "1"}, func(x *mat.Dense) (*mat.Dense, error) {
		computed++
		return mat.NewDense(1, 1, []float64{float64(computed)}), nil
	}))(t)
	call := m.CallFunc().(func(*mat.Dense) (*mat.Dense, error))
	refresh := m.RefreshFunc().(func(*mat.Dense) (*mat.Dense, error))
	x := dense(2, 2)
	expect := func(what string, want float64, f func(*mat.Dense) (*mat.Dense, error)) {
		t.Helper()
		if y, err := f(x); err != nil || y.At(0, 0) != want {
			t.Errorf("%s: %v, %v; want %v", what, y, err, want)
		}
	}
	checkHas(t, m, false, x)
	expect("the first call", 1, call)
	expect("a hit", 1, call)
	checkHas(t, m, true, x)
	expect("refreshed", 2, refresh)
	expect("a hit after that", 2, call)
	if k := must(m.Key(x))(t); k.Digest() != memo.NewKey("f", "1").Add(x).Digest() {
		t.Error(k)
	}
	if r := must(m.Record(x))(t); r.Function != "f" || len(r.Args) != 1 {
		t.Errorf("%+v", r)
	}
	var y *mat.Dense
	if err := must(m.Shelve(x))(t).Get(ctx, &y); err != nil || y.At(0, 0) != 2 {
		t.Error(y, err)
	}
	if err := m.Forget(x); err != nil {
		t.Error(err)
	}
	expect("forgotten", 3, call)
	if n, err := m.Clear(ctx); n != 1 || err != nil {
		t.Error(n, err)
	}
	expect("cleared", 4, call)

	verbs := func(t reflect.Type) (names []string) {
		for i := range t.NumMethod() {
			names = append(names, t.Method(i).Name)
		}
		return names
	}
	plain, generic := verbs(reflect.TypeFor[*memo.Memoized]()), verbs(reflect.TypeFor[*memo.Function[func() int]]())
	if !slices.Equal(plain, generic) {
		t.Errorf("Memoized has %v, Function %v", plain, generic)
	}
}

// TestGitignoreIsLeftAsItIs once the cache is there.
func TestGitignoreIsLeftAsItIs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".gitignore")
	openIn(t, dir, nil)
	if b := must(os.ReadFile(file))(t); string(b) != "*\n" {
		t.Errorf("%q", b)
	}
	if err := os.WriteFile(file, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	memoize(t, openIn(t, dir, nil), memo.Spec{Name: "f"}, func() int { return 1 }).Call()
	if b := must(os.ReadFile(file))(t); string(b) != "mine\n" {
		t.Errorf("%q", b)
	}
}
