package memo_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// TestMappedArgument: an array that lies in a mapped file is the argument that it is
// in memory.
func TestMappedArgument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.npy")
	x := dense(10, 10)
	if err := npy.WriteFile(file, x); err != nil {
		t.Fatal(err)
	}
	mapping, err := npy.MapFile(file, npy.ReadOnly)
	if errors.Is(err, array.ErrNotShared) || err != nil && runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer mapping.Close()
	c := openIn(t, t.TempDir(), nil)
	trace := memoize(t, c, memo.Spec{Name: "trace"}, func(x *mat.Dense) float64 { return mat.Trace(x) })
	if got := trace.Call(must(mapping.Dense())(t)); got != 495 {
		t.Error(got)
	}
	if got := trace.Call(x); got != 495 {
		t.Error(got)
	}
	checkCounts(t, c, 1, 1, 0)
	if a, b := key(mapping.Array()), key(x); a.Digest() != b.Digest() {
		t.Errorf("keys %v and %v", a, b)
	}
}

// TestArraysInContainers: by their elements, wherever they stand in a map, a list or a
// struct, whoever else has them too.
func TestArraysInContainers(t *testing.T) {
	x, copied, other := dense(10, 10), dense(10, 10), dense(10, 10)
	other.Set(0, 0, 1)
	for name, test := range map[string]struct {
		a, b any
		same bool
	}{
		"map":           {map[string]*mat.Dense{"1": x, "2": copied}, map[string]*mat.Dense{"2": x, "1": x}, true},
		"another map":   {map[string]*mat.Dense{"1": x, "2": copied}, map[string]*mat.Dense{"1": x, "2": other}, false},
		"list":          {[]*mat.Dense{x, copied, other}, []any{copied, copied, mat.DenseCopyOf(other)}, true},
		"order":         {[]*mat.Dense{x, other}, []*mat.Dense{other, x}, false},
		"ragged list":   {[][]float64{{}, {0}, {0, 1}}, []any{[]float64(nil), []float64{0}, mat.NewVecDense(2, []float64{0, 1})}, true},
		"struct":        {pair{x, other}, map[string]any{"Low": copied, "High": other}, true},
		"transpose":     {pair{x, nil}, map[string]any{"Low": x.T(), "High": nil}, false},
		"deep":          {[]any{map[string]any{"x": []any{x}}}, []any{map[string]any{"x": []any{copied}}}, true},
		"deep, another": {[]any{map[string]any{"x": []any{x}}}, []any{map[string]any{"x": []any{other}}}, false},
	} {
		a, b := key(test.a), key(test.b)
		if a.Err() != nil || b.Err() != nil || (a.Digest() == b.Digest()) != test.same {
			t.Errorf("%s: keys %v and %v, the same: %v", name, a, b, test.same)
		}
	}
}

// TestNoDimensions: a 0-d array is an argument, and neither a number nor an array of one.
func TestNoDimensions(t *testing.T) {
	point := newArray(t, []int64{0})
	point = must(point.Reshape())(t)
	if len(point.Shape()) != 0 || point.Len() != 1 {
		t.Fatalf("shape %v", point.Shape())
	}
	seen := map[array.Digest]any{}
	for _, x := range []any{point, 0, []int64{0}, newArray(t, []int64{0}, 1, 1), []any{0}, must(newArray(t, []int32{0}).Reshape())(t), nil} {
		k := key(x)
		if other, known := seen[k.Digest()]; known || k.Err() != nil {
			t.Errorf("%v has the key of %v: %v", x, other, k)
		}
		seen[k.Digest()] = x
	}
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(x *array.Array[int64]) *array.Array[int64] { return x })
	for range 2 {
		if got := f.Call(point); got.Len() != 1 || len(got.Shape()) != 0 {
			t.Errorf("%v of shape %v", got, got.Shape())
		}
	}
	checkCounts(t, c, 1, 1, 0)
}

// TestResultThatCannotBeStored is the caller's all the same, each time, and told.
func TestResultThatCannotBeStored(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func() map[string]int { return map[string]int{"\xff": 1} })
	for n := range int64(2) {
		if got := f.Call(); got["\xff"] != 1 {
			t.Error(got)
		}
		checkCounts(t, c, 0, n+1, n+1)
	}
	checkHas(t, f, false)
	if left := files(t, c.Dir(), "calls", "objects", "tmp"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
