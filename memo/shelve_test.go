package memo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// squares is a function to shelve, and counts its computations.
func squares(t testing.TB, c *memo.Cache, spec memo.Spec) (f *memo.Function[func(float64) (*mat.VecDense, error)], computed *int) {
	t.Helper()
	computed = new(int)
	spec.Name = "squares"
	return memoize(t, c, spec, func(x float64) (*mat.VecDense, error) {
		*computed++
		return mat.NewVecDense(2, []float64{x, x * x}), nil
	}), computed
}

// checkSquares reads what squares returned from a reference.
func checkSquares(t testing.TB, what string, ref memo.Ref, x float64) {
	t.Helper()
	var v *mat.VecDense
	if err := ref.Get(context.Background(), &v); err != nil {
		t.Errorf("%s: %v", what, err)
	} else if v.Len() != 2 || v.AtVec(0) != x || v.AtVec(1) != x*x {
		t.Errorf("%s: WRONG result %v of %v", what, v.RawVector().Data, x)
	} else {
		v.SetVec(0, -1) // it is the caller's own
	}
}

// TestShelve computes once, and refers to what was computed: through every door, in
// every kind of cache.
func TestShelve(t *testing.T) {
	closed := openIn(t, t.TempDir(), nil)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		c      *memo.Cache
		stores bool
	}{
		"folder":    {openIn(t, t.TempDir(), nil), true},
		"disabled":  {openIn(t, "", nil), false},
		"closed":    {closed, false},
		"read-only": {openIn(t, filledFolder(t), &memo.Options{ReadOnly: true}), false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			c := test.c
			f, computed := squares(t, c, memo.Spec{})
			ref := must(f.Shelve(3))(t)
			checkSquares(t, "computed", ref, 3)
			checkSquares(t, "a second time", ref, 3)
			ref2 := must(f.Shelve(ctx, 3))(t)
			checkSquares(t, "shelved again", ref2, 3)
			want := 2
			if test.stores {
				want = 1
			}
			if *computed != want {
				t.Errorf("computed %d times, want %d", *computed, want)
			}
			if k := must(f.Key(3))(t); ref.Key() != k.Digest() || ref.Function() != "squares" || ref.Version() != "" || ref2.Key() != ref.Key() {
				t.Errorf("it refers to %v of %q version %q", ref.Key(), ref.Function(), ref.Version())
			}
			generic := must(memo.Shelve(ctx, c, must(f.Key(4))(t), func(context.Context) (*mat.VecDense, error) {
				return mat.NewVecDense(2, []float64{4, 16}), nil
			}))(t)
			checkSquares(t, "memo.Shelve", generic, 4)
			text, err := ref.MarshalText()
			if stored := err == nil; stored != test.stores || !stored && !errors.Is(err, memo.ErrUnsupported) {
				t.Errorf("as text: %q, %v", text, err)
			}
			if name == "read-only" {
				return // Forget is refused there
			}
			copied := ref
			for range 2 { // the second time there is nothing to forget
				if err := ref.Forget(ctx); err != nil && !errors.Is(err, memo.ErrClosed) {
					t.Error(err)
				}
			}
			for _, ref := range []memo.Ref{ref, copied} {
				var v *mat.VecDense
				if err := ref.Get(ctx, &v); !errors.Is(err, memo.ErrNotFound) && !errors.Is(err, memo.ErrClosed) {
					t.Errorf("Get after Forget: %v, %v", v, err)
				}
				if r, err := ref.Record(ctx); !errors.Is(err, memo.ErrNotFound) && !errors.Is(err, memo.ErrClosed) {
					t.Errorf("Record after Forget: %+v, %v", r, err)
				}
			}
			checkSquares(t, "memo.Shelve, after the other was forgotten", generic, 4)
		})
	}
}

// filledFolder returns the folder of a cache that holds a call of another function.
func filledFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	c := openIn(t, dir, nil)
	memoize(t, c, memo.Spec{Name: "other"}, func() int { return 1 }).Call()
	return dir
}

// TestShelveReadsNoResult: on a hit the result's file is not looked into.
func TestShelveReadsNoResult(t *testing.T) {
	dir := t.TempDir()
	c := openIn(t, dir, nil)
	f, computed := squares(t, c, memo.Spec{})
	if _, err := f.Call(3); err != nil {
		t.Fatal(err)
	}
	spoil(t, dir, "objects")
	ref := must(f.Shelve(3))(t)
	checkCounts(t, c, 1, 1, 0)
	var v *mat.VecDense
	if err := ref.Get(t.Context(), &v); !errors.Is(err, memo.ErrNotFound) || !errors.Is(err, memo.ErrDamaged) || *computed != 1 {
		t.Errorf("%v, %v, computed %d times", v, err, *computed)
	}
	// The reading found the damage, so now it is computed.
	checkSquares(t, "shelved again", must(f.Shelve(3))(t), 3)
	if *computed != 2 {
		t.Errorf("computed %d times", *computed)
	}
}

func TestShelvePassesErrorsOn(t *testing.T) {
	ctx := t.Context()
	broken := errors.New("broken")
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) (int, error) {
		if n == 0 {
			panic(broken)
		}
		return n, broken
	})
	if _, err := f.Shelve(1); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := f.Shelve("1"); !errors.Is(err, memo.ErrArguments) {
		t.Error(err)
	}
	func() {
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, broken) {
				t.Error("the panic was lost:", err)
			}
		}()
		_, _ = f.Shelve(0)
	}()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.Shelve(ended, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	one := func(context.Context) (int, error) { return 1, nil }
	var none *memo.Cache
	if _, err := memo.Shelve(ctx, none, key(1), one); !errors.Is(err, memo.ErrNil) {
		t.Error(err)
	}
	if _, err := memo.Shelve[int](ctx, c, key(1), nil); !errors.Is(err, memo.ErrNil) {
		t.Error(err)
	}
	if _, err := memo.Shelve(ctx, c, key(1), func(context.Context) (any, error) { return 1, nil }); !errors.Is(err, memo.ErrUnsupported) {
		t.Error(err)
	}
	for r, err := range c.Records(ctx) {
		t.Error("something was stored:", r, err)
	}
}

// TestShelveWithAnInvalidKey computes, as a call does, and holds the result.
func TestShelveWithAnInvalidKey(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	get := func(what string, ref memo.Ref, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		var n int
		if err := ref.Get(t.Context(), &n); n != 1 || err != nil {
			t.Errorf("%s: %d, %v", what, n, err)
		}
		if _, err := ref.MarshalText(); !errors.Is(err, memo.ErrUnsupported) {
			t.Errorf("%s as text: %v", what, err)
		}
	}
	one := func(context.Context) (int, error) { return 1, nil }
	for what, k := range map[string]memo.Key{"an argument without a value": key(func() {}), "no name": {}} {
		ref, err := memo.Shelve(t.Context(), c, k, one)
		get(what, ref, err)
	}
	f := memoize(t, c, memo.Spec{Name: "f"}, func(any) int { return 1 })
	ref, err := f.Shelve(func() {})
	get("a function's argument without a value", ref, err)
	checkCounts(t, c, 0, 3, 3)
}

// TestShelveWhatIsNotValid: what Valid turns down is computed, and what was computed
// is stored and referred to, even if Valid would turn it down again.
func TestShelveWhatIsNotValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openIn(t, t.TempDir(), nil)
		f, computed := squares(t, c, memo.Spec{Valid: func(r *memo.Record) bool { return r.Duration > time.Second }})
		for n := 1; n <= 2; n++ {
			ref := must(f.Shelve(3))(t)
			checkSquares(t, "shelved", ref, 3)
			if *computed != n {
				t.Errorf("computed %d times, want %d", *computed, n)
			}
			if _, err := ref.MarshalText(); err != nil {
				t.Errorf("what is in the folder was held: %v", err)
			}
			if err := must(ref.Open(t.Context(), 0))(t).Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestShelveBesideAnOldEntry: the old entry is turned down, and the new one cannot be
// stored. The reference must be to the new results, not to the old ones.
func TestShelveBesideAnOldEntry(t *testing.T) {
	dir := t.TempDir()
	first := openIn(t, dir, nil)
	stale := memoize(t, first, memo.Spec{Name: "f"}, func() []float64 { return []float64{1} })
	stale.Call()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	c := openIn(t, dir, &memo.Options{ReadOnly: true})
	for name, ref := range map[string]memo.Ref{
		"not valid": must(memoize(t, c, memo.Spec{Name: "f", Valid: func(*memo.Record) bool { return false }},
			func() []float64 { return []float64{2} }).Shelve())(t),
		"expired": must(memoize(t, c, memo.Spec{Name: "f", ExpiresAfter: 1}, func() []float64 { return []float64{2} }).Shelve())(t),
	} {
		var got []float64
		if err := ref.Get(t.Context(), &got); err != nil || got[0] != 2 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestShelveBesideAnotherType: the entry is another program's, whose function has
// another type. It is no hit.
func TestShelveBesideAnotherType(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	memoize(t, c, memo.Spec{Name: "f"}, func() string { return "text" }).Call()
	ref := must(memoize(t, c, memo.Spec{Name: "f"}, func() []float64 { return []float64{2} }).Shelve())(t)
	var got []float64
	if err := ref.Get(t.Context(), &got); err != nil || got[0] != 2 {
		t.Error(got, err)
	}
	checkCounts(t, c, 0, 2, 0)
}

// TestShelveManyResults: the references hold none of them.
func TestShelveManyResults(t *testing.T) {
	dir := t.TempDir()
	c := openIn(t, dir, &memo.Options{Sync: memo.SyncNone})
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) []int { return []int{n, 2 * n} })
	refs := make([]memo.Ref, 100)
	for n := range refs {
		refs[n] = must(f.Shelve(n))(t)
	}
	for n, ref := range refs {
		var got []int
		if err := ref.Get(t.Context(), &got); err != nil || len(got) != 2 || got[1] != 2*n {
			t.Errorf("%d: %v, %v", n, got, err)
		}
	}
	// They read from the folder: without it there is nothing.
	for _, name := range files(t, dir, "calls") {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for n, ref := range refs {
		var got []int
		if err := ref.Get(t.Context(), &got); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("%d: %v, %v", n, got, err)
		}
	}
}
