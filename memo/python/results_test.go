package python_test

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/testdata/numpy"
)

// trip is a result on its way from Go to Python and back.
type trip struct {
	store func(t *testing.T, c *memo.Cache, i int)
	check func(t *testing.T, c *memo.Cache, i int, described string)
}

// tripOf is the way of the result v. want is what Python has in its place, built as
// its description is; nil where that is v itself.
func tripOf[T any](v T, want any) trip {
	if want == nil {
		want = v
	}
	result := func(t *testing.T, c *memo.Cache, k memo.Key, compute func(context.Context) (T, error)) T {
		t.Helper()
		got, err := memo.Do(t.Context(), c, k, compute)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	return trip{
		func(t *testing.T, c *memo.Cache, i int) {
			result(t, c, memo.NewKey("go", "1").Add(i), func(context.Context) (T, error) { return v, nil })
		},
		func(t *testing.T, c *memo.Cache, i int, described string) {
			var nodes []any
			if err := json.Unmarshal([]byte(described), &nodes); err != nil || len(nodes) != 1 {
				t.Fatalf("%T: Python describes it as %s (%v)", v, described, err)
			}
			if got, want := memo.NewKey("f", "").Add(build(t, nodes[0])), memo.NewKey("f", "").Add(want); got.Err() != nil || got.String() != want.String() {
				t.Errorf("%T: Python has %.500s, the key %v and not %v", v, described, got, want)
			}
			got := result(t, c, memo.NewKey("python", "1").Add(i), func(context.Context) (T, error) {
				t.Errorf("%T: what Python stored is no hit", v)
				return v, nil
			})
			if got, want := memo.NewKey("f", "").Add(got), memo.NewKey("f", "").Add(v); got.Err() != nil || got.String() != want.String() {
				t.Errorf("%T: it came back with the key %v and not %v", v, got, want)
			}
		},
	}
}

type inner struct {
	A []float64
	B map[string]int
}

type outer struct {
	Name string `memo:"name"`
	In   *inner
	List []inner
	M    *mat.Dense
}

func arrayTrip[T array.Element](data ...T) []trip {
	a, err := array.FromSlice(data, 1, len(data))
	if err != nil {
		panic(err)
	}
	empty, err := array.New[T](3, 0)
	if err != nil {
		panic(err)
	}
	zero, err := array.New[T]()
	if err != nil {
		panic(err)
	}
	return []trip{tripOf(a, nil), tripOf(empty, nil), tripOf(zero, nil)}
}

// TestResults has Python read every type of result that Go stores, describe it, and
// store what it read, which Go then hits.
func TestResults(t *testing.T) {
	numpy.Require(t, "xxhash")
	long := strings.Repeat("é\x00", 3000)
	symmetric := mat.NewSymDense(2, []float64{1, 2, 2, 3})
	trips := []trip{
		tripOf(true, nil), tripOf(-5, nil), tripOf(int8(-128), nil), tripOf(uint64(math.MaxUint64), nil), tripOf(int64(math.MinInt64), nil),
		tripOf(0.1, nil), tripOf(1e6, nil), tripOf(1e22, nil), tripOf(5e-324, nil), tripOf(math.Inf(-1), nil), tripOf(math.NaN(), nil), tripOf(math.Copysign(0, -1), nil),
		tripOf(float32(0.1), nil), tripOf(float32(math.NaN()), nil), tripOf(array.ToHalf(0.5), nil), tripOf(2-1i, nil), tripOf(complex64(complex(math.Inf(1), 0.5)), nil),
		tripOf("", nil), tripOf("é\"\\\n\x00\x7f\u2028😀", nil), tripOf("\xff\xfe", nil), tripOf(long, nil), tripOf(strings.Repeat("\xff", 5000), nil),
		tripOf([]byte{0, 255}, nil), tripOf([]byte(long), nil), tripOf([3]byte{1, 2, 3}, nil),
		tripOf([]float64{1, 2}, nil), tripOf([]int{}, nil), tripOf([]bool{true, false}, nil), tripOf([2]complex64{1, 2i}, nil), tripOf([]uint16{1}, nil),
		tripOf([]string{"a", "", "é"}, nil), tripOf([][]float64{{1}, {}, {2, 3}}, nil), tripOf(map[string]int{"é": 1, "": 2}, nil), tripOf(map[string][]float64{"array": {1}}, nil),
		tripOf(mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}), nil), tripOf(mat.NewVecDense(3, nil), nil), tripOf(symmetric, nil),
		tripOf(mat.NewTriDense(2, mat.Upper, []float64{1, 2, 0, 3}), nil), tripOf(mat.NewDiagDense(2, []float64{1, 2}), nil), tripOf(mat.NewCDense(1, 2, []complex128{1i, 2}), nil),
		tripOf(outer{"n", &inner{[]float64{1}, map[string]int{"x": 1}}, []inner{{A: []float64{}, B: map[string]int{}}}, mat.NewDense(1, 1, []float64{7})}, nil),
		tripOf([]outer{}, nil), tripOf(inner{A: []float64{}, B: map[string]int{}}, nil),
	}
	for _, of := range [][]trip{
		arrayTrip(true, false), arrayTrip[int8](1, -1), arrayTrip[int16](1, -1), arrayTrip[int32](1, -1), arrayTrip[int64](1, -1),
		arrayTrip[uint8](1, 2), arrayTrip[uint16](1, 2), arrayTrip[uint32](1, 2), arrayTrip[uint64](1, 2),
		arrayTrip[array.Half](1, 2), arrayTrip[float32](1, 2), arrayTrip(1, math.NaN()), arrayTrip[complex64](1, 2i), arrayTrip(1, 2i),
		{tripOf(mat.NewDense(300, 200, nil), nil)},
	} {
		trips = append(trips, of...)
	}
	for _, options := range []memo.Options{{}, {Compress: 1}} {
		dir := filepath.Join(t.TempDir(), "cache")
		options.Sync = memo.SyncNone
		c, err := memo.Open(dir, &options)
		if err != nil {
			t.Fatal(err)
		}
		for i, trip := range trips {
			trip.store(t, c, i)
		}
		lines := strings.Split(strings.TrimSpace(runValues(t, "", "echo", dir, itoa(len(trips)))), "\n")
		if len(lines) != len(trips) {
			t.Fatalf("Python read %d results of %d", len(lines), len(trips))
		}
		for i, trip := range trips {
			trip.check(t, c, i, lines[i])
		}
		report, err := c.Verify(t.Context(), nil)
		if err != nil || report.Records != 2*len(trips) || len(report.Damaged) > 0 || report.Incomplete > 0 {
			t.Errorf("verify: %+v, %v", report, err)
		}
		if s := c.Stats(); s.Faults > 0 {
			t.Errorf("%d faults", s.Faults)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIndependentReader has the reader that was written after FORMAT.md alone check
// every byte of a cache that numcache.py wrote.
func TestIndependentReader(t *testing.T) {
	numpy.Require(t, "xxhash")
	dir := filepath.Join(t.TempDir(), "cache")
	numpy.Run(t, `
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, numcache
cache = numcache.open(sys.argv[2], sync="none")
values = [None, True, -1, 2**80, 0.1, 1e22, float("nan"), float("inf"), -0.0, 1+2j, "é\"\\\n\0", "\udcff", b"\0\xff", [], {}, [1, {"é": None, "a": [2.0]}],
          np.arange(3), np.array(2.0), np.zeros((0, 3), "c8"), np.asfortranarray(np.arange(6.).reshape(2, 3)), np.arange(3, dtype=">i2"), np.ones(70000, bool), "x" * 5000, b"y" * 5000]
for i, name in enumerate(["f", "héllo/../x", "aux", "COM1.txt", ".hidden.", "long" * 80, "é" * 40 + "a", "ab é" * 30]):
    for version in "", "1", "v2.0", "ü":
        f = cache.memo(name=name, version=version)(lambda v, i: (v, [v], {"v": v}))
        for v in values:
            f(v, i)
f({"x": np.arange(1 << 22, dtype="<f4")}, 0) # its chunk table is kept
f(np.arange((1 << 22) + 1, dtype="<f4"), 0)
stats = cache.stats()
assert (stats.misses, stats.faults) == (8 * 4 * len(values) + 2, 0), stats
`, here(t), dir)
	script := readFile(t, filepath.Join("..", "testdata", "read_cache.py"))
	if got := numpy.Run(t, script, dir); got != "770 records 706 keys 11 objects\n" {
		t.Errorf("the reader found %q", got)
	}
}

// TestExplainAcross names the rows in which an array is not what Python called with.
func TestExplainAcross(t *testing.T) {
	numpy.Require(t, "xxhash")
	dir := filepath.Join(t.TempDir(), "cache")
	numpy.Run(t, `
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, numcache
numcache.open(sys.argv[2]).memo(name="total", version="1")(lambda x, n: float(x.sum()))(np.ones((2200, 1000)), 3)
`, here(t), dir)
	c, err := memo.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	x := mat.NewDense(2200, 1000, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = 1
	}
	k := memo.NewKey("total", "1").Add(x)
	if why, err := c.Explain(t.Context(), k.Add(3)); err != nil || why.Cause != memo.Stored {
		t.Errorf("the same call: %v, %v", why, err)
	}
	if why, err := c.Explain(t.Context(), k.Add(4)); err != nil || len(why.Changes) != 1 || why.Changes[0].Argument != 1 {
		t.Errorf("the same array: %v, %v", why, err)
	}
	x.Set(700, 3, 2)
	why, err := c.Explain(t.Context(), memo.NewKey("total", "1").Add(x).Add(3))
	if err != nil || len(why.Changes) != 1 || !slices.Equal(why.Changes[0].Rows, []array.RowRange{{Lo: 688, Hi: 721}}) {
		t.Errorf("another row: %v, %v", why, err)
	}
}
