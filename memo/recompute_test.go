package memo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// openRecomputing opens a cache that computes every hit again, and returns the
// differences it tells of.
func openRecomputing(t testing.TB, o memo.Options) (*memo.Cache, func() []*memo.DifferenceError) {
	t.Helper()
	var mu sync.Mutex
	var found []*memo.DifferenceError
	o.Recompute = 1
	o.OnEvent = func(e memo.Event) {
		if e.Kind != memo.Fault {
			return
		}
		var d *memo.DifferenceError
		if !errors.As(e.Err, &d) || !errors.Is(e.Err, memo.ErrNotDeterministic) {
			t.Errorf("fault: %v", e.Err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		found = append(found, d)
	}
	return openIn(t, t.TempDir(), &o), func() []*memo.DifferenceError {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(found)
	}
}

// TestRecomputeFindsNondeterminism computes hits of functions again that depend on what
// they should not, and of some that do not.
func TestRecomputeFindsNondeterminism(t *testing.T) {
	byName := map[string]float64{}
	for i := range 100 {
		byName[fmt.Sprint(i)] = float64(i)
	}
	calls := 0
	for name, test := range map[string]struct {
		f     func(x *mat.Dense, n int) (*mat.Dense, []float64, error)
		finds string // "" for nothing
	}{
		"deterministic": {func(x *mat.Dense, n int) (*mat.Dense, []float64, error) {
			return mat.DenseCopyOf(x), []float64{math.NaN(), math.Copysign(0, -1)}, nil
		}, ""},
		"map order": {func(*mat.Dense, int) (*mat.Dense, []float64, error) {
			var values []float64
			for _, v := range byName {
				values = append(values, v)
			}
			return nil, values, nil
		}, "result 1 differs in rows"},
		"time": {func(_ *mat.Dense, n int) (*mat.Dense, []float64, error) {
			return mat.NewDense(1, 1, []float64{float64(time.Now().UnixNano())}), nil, nil
		}, "result 0 differs in row 0 of float64(1, 1)"},
		"random seed": {func(x *mat.Dense, _ int) (*mat.Dense, []float64, error) {
			y := mat.DenseCopyOf(x)
			y.Set(700, 3, rand.Float64())
			y.Set(701, 999, rand.Float64())
			y.Set(20, 0, rand.Float64())
			return y, nil, nil
		}, "result 0 differs in rows 20, 700 to 701 of float64(1000, 1000)"},
		"shape": {func(*mat.Dense, int) (*mat.Dense, []float64, error) {
			calls++
			return nil, make([]float64, calls), nil
		}, "result 1 is float64(2,) now and was float64(1,)"},
		"sign of zero": {func(*mat.Dense, int) (*mat.Dense, []float64, error) {
			calls++
			return nil, []float64{1, math.Copysign(0, float64(calls%2)-0.5)}, nil
		}, "result 1 differs in row 1"},
		"error": {func(*mat.Dense, int) (*mat.Dense, []float64, error) {
			if calls++; calls > 1 {
				return nil, nil, errors.New("too often")
			}
			return nil, nil, nil
		}, "is an error now: too often"},
		"panic": {func(*mat.Dense, int) (*mat.Dense, []float64, error) {
			if calls++; calls > 1 {
				panic("too often")
			}
			return nil, nil, nil
		}, "too often"},
	} {
		for _, inMemory := range []bool{false, true} {
			calls = 0
			o := memo.Options{}
			if inMemory {
				o.Memory = &memo.Memory{}
			}
			c, differences := openRecomputing(t, o)
			f := memoize(t, c, memo.Spec{Name: "f", Version: "7"}, test.f)
			x := mat.NewDense(1000, 1000, nil)
			first, firstValues, err := f.Call(x, 3)
			if err != nil {
				t.Fatal(err)
			}
			hits := int64(0)
			// Chance may do the same twice, as with the order of a map.
			for hits == 0 || test.finds != "" && len(differences()) == 0 && hits < 50 {
				hits++
				again, againValues, err := f.Call(x, 3)
				if err != nil || first != nil && !mat.Equal(first, again) || len(firstValues) != len(againValues) {
					t.Errorf("%s: the hit returns something else: %v", name, err)
				}
			}
			found := differences()
			s := c.Stats()
			switch {
			case s.Hits != hits || s.Misses != 1 || s.Recomputed != hits:
				t.Errorf("%s: %+v", name, s)
			case test.finds == "" && len(found) > 0:
				t.Errorf("%s: %v", name, found[0])
			case test.finds == "":
			case len(found) != 1 || !strings.Contains(found[0].Error(), test.finds):
				t.Errorf("%s: found %v, want %q", name, found, test.finds)
			case !strings.Contains(found[0].Error(), `f(float64(1000, 1000), 3), version "7"`):
				t.Errorf("%s: %v does not name the call", name, found[0])
			case name == "random seed" && !slices.Equal(found[0].Rows, []array.RowRange{{Lo: 20, Hi: 21}, {Lo: 700, Hi: 702}}):
				t.Errorf("%s: rows %v", name, found[0].Rows)
			}
		}
	}
}

// TestRecomputeInRecursion: the calls within a computation are not computed again, so
// that a recursive function is called twice for each hit of the outermost call, not
// 2ⁿ times.
func TestRecomputeInRecursion(t *testing.T) {
	for _, withContext := range []bool{false, true} {
		c, differences := openRecomputing(t, memo.Options{})
		calls := 0
		var fibonacci *memo.Function[func(context.Context, int) (int, error)]
		fibonacci = memoize(t, c, memo.Spec{Name: "fibonacci"}, func(ctx context.Context, n int) (int, error) {
			calls++
			if n < 2 {
				return n, nil
			}
			if !withContext {
				ctx = context.Background()
			}
			a, err := fibonacci.Call(ctx, n-1)
			if err != nil {
				return 0, err
			}
			b, err := fibonacci.Call(ctx, n-2)
			return a + b, err
		})
		const n = 20
		for range 2 {
			if got, err := fibonacci.Call(t.Context(), n); err != nil || got != 6765 {
				t.Errorf("%d, %v", got, err)
			}
		}
		// n+1 calls are computed once; each is a hit once more, for the one two above,
		// and computes again then, with nothing but hits within; the last is the second
		// call from here.
		if calls > 4*n {
			t.Errorf("%d calls", calls)
		}
		if d := differences(); len(d) > 0 {
			t.Error(d[0])
		}
	}
}

// TestRecomputeRate computes about as many hits again as is asked for.
func TestRecomputeRate(t *testing.T) {
	const hits = 2000
	for _, test := range []struct {
		option      float64
		environment string
		want        float64
	}{{0, "", 0}, {0.1, "", 0.1}, {0, "0.5", 0.5}, {0.1, "0.9", 0.1}, {0, "0", 0}, {0, "1", 1}} {
		t.Setenv("NUMCACHE_VERIFY", test.environment)
		c := openIn(t, "", &memo.Options{Recompute: test.option, Memory: &memo.Memory{}})
		f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) int { return n })
		for range hits + 1 {
			f.Call(1)
		}
		if got := float64(c.Stats().Recomputed) / hits; math.Abs(got-test.want) > 0.08 {
			t.Errorf("%+v: %v of the hits", test, got)
		}
	}
	for _, bad := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		if _, err := memo.Open("", &memo.Options{Recompute: bad}); !errors.Is(err, memo.ErrArguments) {
			t.Errorf("Recompute %v: %v", bad, err)
		}
	}
	for _, bad := range []string{"1%", "2", "-1", "NaN", "often"} {
		t.Setenv("NUMCACHE_VERIFY", bad)
		if _, err := memo.Open("", nil); !errors.Is(err, memo.ErrArguments) || !strings.Contains(err.Error(), "NUMCACHE_VERIFY") {
			t.Errorf("NUMCACHE_VERIFY=%s: %v", bad, err)
		}
	}
}

// TestRecomputeCancelled: a function that is told to stop returns anything, which is no
// difference.
func TestRecomputeCancelled(t *testing.T) {
	c, differences := openRecomputing(t, memo.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls := 0
	f := memoize(t, c, memo.Spec{Name: "f"}, func(ctx context.Context, n int) (int, error) {
		if calls++; calls == 2 {
			cancel()
			return -1, ctx.Err()
		}
		return n, nil
	})
	for range 2 {
		if got, err := f.Call(ctx, 1); got != 1 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if d := differences(); len(d) > 0 || c.Stats().Recomputed != 0 {
		t.Errorf("%v, %+v", d, c.Stats())
	}
}

// TestSameBytes: the same call stores the same files, at any GOMAXPROCS.
func TestSameBytes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var want map[string]string
	for _, n := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(n)
		dir := t.TempDir()
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		c := openIn(t, dir, &memo.Options{Now: func() time.Time { return now }, Limits: memo.Limits{MaxEntries: 100}})
		f := memoize(t, c, memo.Spec{Name: "f"}, func(m map[string]*mat.Dense) (map[string][]float64, string) {
			out := map[string][]float64{}
			for name, x := range m {
				out[name] = make([]float64, 50_000)
				out[name][0] = x.At(0, 0)
			}
			return out, strings.Repeat("long", 5000)
		})
		m := map[string]*mat.Dense{}
		for i := range 20 {
			m[fmt.Sprint("key ", i)] = mat.NewDense(1, 1, []float64{float64(i)})
		}
		f.Call(m)
		got := map[string]string{}
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || name == "stats.json" || name == "usage.json" {
				return err // of these two, the times are the clock's
			}
			content, err := os.ReadFile(filepath.Join(dir, name))
			got[name] = string(durationOf.ReplaceAll(content, nil))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if len(got) < 20 {
			t.Errorf("%d files only", len(got))
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("GOMAXPROCS %d: %s is\n%.300q\nand was\n%.300q", n, name, got[name], want[name])
			}
		}
	}
}

// durationOf is what of a record the clock decides: the duration, and the check with it.
var durationOf = regexp.MustCompile(`"duration":[^,]*|"check":.*`)
