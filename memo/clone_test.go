package memo

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// cloneOf copies one result.
func cloneOf[T any](t testing.TB, v T) T {
	t.Helper()
	own, err := cloneResults([]reflect.Value{reflect.ValueOf(v)})
	if err != nil {
		t.Fatal(err)
	}
	return own[0].Interface().(T)
}

// checkClone fails the test if a copy of v is not what v is, encoded: every bit, nil
// or empty, the layout of matrices.
func checkClone(t testing.TB, v any) {
	t.Helper()
	encoded := func(v any) string {
		r, err := storeResults(t.Context(), []reflect.Value{reflect.ValueOf(v)}, false)
		if err != nil {
			t.Fatal(err)
		}
		return string(r.json)
	}
	got := cloneOf(t, v)
	if encoded(got) != encoded(v) || reflect.TypeOf(got) != reflect.TypeOf(v) {
		t.Errorf("the copy of %T %s is %T %s", v, encoded(v), got, encoded(got))
	}
}

func TestClonesHaveEveryBit(t *testing.T) {
	wave := complex(sNaN(), 1)
	for _, v := range []any{
		sNaN(), wave, spinor(wave), []float32{sNaN()}, []complex64{wave}, spinors{spinor(wave)}, [2]complex64{wave, 1}, &wave,
		map[string]complex64{"a": wave}, map[string][]float32{"a": {sNaN()}, "nil": nil, "empty": {}}, struct{ C complex64 }{wave},
		[]float64(nil), []float64{}, []float64{math.Float64frombits(0x7ff0000000000001), math.Copysign(0, -1)},
		[]string(nil), []string{}, [][]byte{nil, {}, {1}}, (*float64)(nil), map[string]int(nil), []struct{ X []int }{{}, {[]int{}}},
		[2][]int{nil, {1}}, []bool{true, false}, []*mat.Dense{nil, mat.NewDense(1, 1, []float64{math.NaN()})},
		make([]float64, largeSlice/8), make([]single, largeSlice), make([]int, largeSlice), make([]byte, largeSlice), make([]bool, largeSlice),
	} {
		checkClone(t, v)
	}
	checkClone(t, makeSample(1))
}

// TestClonesOfFloatsAreTheirOwn writes to copies of the results that are most common.
func TestClonesOfFloatsAreTheirOwn(t *testing.T) {
	for _, n := range []int{1, 128, largeSlice/8 - 1, largeSlice / 8} {
		xs := make([]float64, n)
		a, b := cloneOf(t, xs), cloneOf(t, xs)
		a[0], b[n-1] = 1, 2
		if xs[0] != 0 || xs[n-1] != 0 || a[0] == b[0] && n > 1 {
			t.Errorf("copies of %d floats share memory", n)
		}
	}
}

func TestClonesShareNothing(t *testing.T) {
	type leaf struct{ X []float64 }
	type tree struct {
		L    *leaf
		M    map[string]*leaf
		A    [2][]int
		D    *mat.Dense
		Long []float64
	}
	grow := func() tree {
		return tree{&leaf{[]float64{1}}, map[string]*leaf{"a": {[]float64{2}}}, [2][]int{{3}, {4}}, mat.NewDense(1, 1, []float64{5}), make([]float64, largeSlice)}
	}
	v := grow()
	v.D = v.D.Slice(0, 1, 0, 1).(*mat.Dense)
	c := cloneOf(t, v)
	c.L.X[0], c.M["a"].X[0], c.A[1][0], c.Long[9] = -1, -1, -1, -1
	c.D.Set(0, 0, -1)
	c.M["b"] = nil
	checkEqual(t, "the original, after its copy was written to", v, grow())
	// What is there once in memory may be twice in a result: a hit from the folder
	// has two, too.
	twice := cloneOf(t, []*leaf{v.L, v.L})
	if twice[0] == twice[1] {
		t.Error("a copy has one leaf where a hit from the folder has two")
	}
}

// TestClonesOfConstants: what nobody can write to is not copied.
func TestClonesOfConstants(t *testing.T) {
	type plain struct {
		N    int
		S    string
		Fix  [3]float64
		Deep struct{ C complex128 }
	}
	results := []reflect.Value{reflect.ValueOf(1), reflect.ValueOf("a"), reflect.ValueOf(plain{}), reflect.ValueOf([2]string{})}
	if allocs := testing.AllocsPerRun(100, func() {
		if own, err := cloneResults(results); err != nil || &own[0] != &results[0] {
			t.Error("copied", err)
		}
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestEndlessResults(t *testing.T) {
	type node struct{ Next *node }
	cycle := &node{}
	cycle.Next = cycle
	for _, v := range []any{cycle, []*node{cycle}, map[string]*node{"a": cycle}} {
		values := []reflect.Value{reflect.ValueOf(v)}
		if _, err := cloneResults(values); !errors.Is(err, ErrUnsupported) {
			t.Errorf("a copy of what points to itself: %v", err)
		}
		if _, err := footprint(values); !errors.Is(err, ErrUnsupported) {
			t.Errorf("the size of what points to itself: %v", err)
		}
	}
}

func TestFootprint(t *testing.T) {
	type pair struct {
		A, B float64
	}
	for _, test := range []struct {
		v    any
		want int64
	}{
		{1, 8}, {"text", 16 + 4}, {[]float64{1, 2, 3}, 24 + 24}, {[]string{"ab", ""}, 24 + 32 + 2}, {[2]string{"ab", "c"}, 32 + 3},
		{&pair{}, 8 + 16}, {(*pair)(nil), 8}, {[]pair{{}, {}}, 24 + 32}, {struct{ P *pair }{&pair{}}, 8 + 16},
		{map[string][]byte{"abc": {1, 2}}, 8 + 16 + 24 + 3 + 2},
		{mat.NewDense(10, 10, nil), 8 + 800}, {mat.NewDense(10, 10, nil).Slice(0, 2, 0, 2), 8 + 32}, {(*mat.Dense)(nil), 8},
		{mat.NewSymDense(10, nil), 8 + 800}, {mat.NewDiagDense(1000, nil), 8 + 8000}, {mat.NewBandDense(1000, 1000, 1, 1, nil), 8 + 24000},
		{mat.NewSymBandDense(1000, 1, nil), 8 + 16000}, {mat.NewTriBandDense(1000, 1, mat.Upper, nil), 8 + 16000},
		{mat.NewTridiag(1000, nil, nil, nil), 8 + 24000}, {mat.NewCDense(2, 2, nil), 8 + 64},
	} {
		if got, err := footprint([]reflect.Value{reflect.ValueOf(test.v)}); got != test.want || err != nil {
			t.Errorf("%T %v: %d bytes, want %d; %v", test.v, test.v, got, test.want, err)
		}
	}
}
