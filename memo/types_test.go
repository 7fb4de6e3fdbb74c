package memo_test

import (
	"context"
	"errors"
	"math"
	"math/cmplx"
	"reflect"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

type (
	celsius  float64
	label    string
	readings []celsius
	pair     struct {
		Low, High *mat.Dense
	}
	everything struct {
		B    bool
		I    int
		I8   int8
		U    uint64
		F    float64
		F32  float32
		C    complex128
		C64  complex64
		S    string
		Y    []byte
		L    label
		T    celsius
		R    readings
		D    *mat.Dense
		V    *mat.VecDense
		N    []int
		Bs   []bool
		Us   []uint16
		Fix  [3]float64
		Id   [4]byte
		M    map[string]float64
		Ms   map[label][]string
		P    *pair
		Ps   []pair
		Opt  *float64
		A    *array.Array[int32]
		LoL  [][]float64
		Long string
	}
)

func float(f float64) *float64 { return &f }

func dense(r, c int) *mat.Dense { return mat.NewDense(r, c, arange(r*c)) }

func newArray[T array.Element](t *testing.T, data []T, shape ...int) *array.Array[T] {
	t.Helper()
	a, err := array.FromSlice(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func openCache(t *testing.T) *memo.Cache {
	t.Helper()
	c, err := memo.Open(t.TempDir(), nil)
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

// checkRoundTrip memoizes a function that returns want, in a folder, in memory, and
// in both, and compares what several calls return with a fresh want. Each result is
// written to before the next call.
func checkRoundTrip[T any](t *testing.T, name string, want func() T) {
	t.Helper()
	for place, c := range map[string]*memo.Cache{"folder": openCache(t), "memory": openMemory(t, ""), "memory and folder": openMemory(t, t.TempDir())} {
		t.Run(name+" in "+place, func(t *testing.T) {
			f, err := memo.Func(c, memo.Spec{Name: name}, func() (T, error) { return want(), nil })
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range []string{"computed", "hit", "hit again"} {
				got, err := f.Call()
				if err != nil {
					t.Fatal(err)
				}
				if bitwise(reflect.ValueOf(got)) != bitwise(reflect.ValueOf(want())) {
					t.Errorf("%s: got %#v, want %#v", kind, got, want())
				}
				scribble(reflect.ValueOf(&got).Elem())
			}
			if s := c.Stats(); s.Hits != 2 || s.Misses != 1 || s.Faults != 0 {
				t.Errorf("stats %+v, want two hits, one miss, no fault", s)
			}
		})
	}
}

// openMemory opens a cache with a memory tier.
func openMemory(t *testing.T, dir string) *memo.Cache {
	t.Helper()
	c, err := memo.Open(dir, &memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestResultsRoundTrip(t *testing.T) {
	checkRoundTrip(t, "bool", func() bool { return true })
	checkRoundTrip(t, "int", func() int { return math.MinInt })
	checkRoundTrip(t, "uint64", func() uint64 { return 1<<64 - 1 })
	checkRoundTrip(t, "negative zero", func() float64 { return math.Copysign(0, -1) })
	checkRoundTrip(t, "integral float", func() float64 { return 1e300 })
	checkRoundTrip(t, "smallest float", func() float64 { return math.SmallestNonzeroFloat64 })
	checkRoundTrip(t, "NaN with payload", func() float64 { return math.Float64frombits(0x7ff8000000000123) })
	checkRoundTrip(t, "signalling NaN", func() float64 { return math.Float64frombits(0xfff0000000000001) })
	checkRoundTrip(t, "infinity", func() float64 { return math.Inf(-1) })
	checkRoundTrip(t, "float16", func() array.Half { return array.ToHalf(0.1) })
	checkRoundTrip(t, "float16 -0", func() array.Half { return 0x8000 })
	checkRoundTrip(t, "float16 infinity", func() array.Half { return 0xfc00 })
	checkRoundTrip(t, "float16 NaN", func() array.Half { return 0xfe01 })
	checkRoundTrip(t, "float16 signalling NaN", func() array.Half { return 0x7c01 })
	checkRoundTrip(t, "float32", func() float32 { return 0.1 })
	checkRoundTrip(t, "float32 NaN", func() float32 { return math.Float32frombits(0x7fc00123) })
	checkRoundTrip(t, "complex", func() complex128 { return complex(math.Copysign(0, -1), math.Inf(1)) })
	checkRoundTrip(t, "complex NaN", func() complex128 { return cmplx.NaN() })
	checkRoundTrip(t, "complex64", func() complex64 { return 1 + 2i })
	checkRoundTrip(t, "string", func() string { return "h\"é\\\x00\u2028\x7f</script>\n" })
	checkRoundTrip(t, "no UTF-8", func() string { return "\xff\xfe" })
	checkRoundTrip(t, "long string", func() string { return string(make([]byte, 10000)) })
	checkRoundTrip(t, "bytes", func() []byte { return []byte{0, 255} })
	checkRoundTrip(t, "long bytes", func() []byte { return make([]byte, 10000) })
	checkRoundTrip(t, "nil bytes", func() []byte { return nil })
	checkRoundTrip(t, "floats", func() []float64 { return []float64{1, math.NaN(), math.Copysign(0, -1)} })
	checkRoundTrip(t, "nil floats", func() []float64 { return nil })
	checkRoundTrip(t, "no floats", func() []float64 { return []float64{} })
	checkRoundTrip(t, "ints", func() []int { return []int{1, -2} })
	checkRoundTrip(t, "halves", func() []array.Half { return []array.Half{0x3c00, 0x7c01} })
	checkRoundTrip(t, "Go array of halves", func() [2]array.Half { return [2]array.Half{0x3c00, 0x8000} })
	checkRoundTrip(t, "float16 array", func() *array.Array[array.Half] { return newArray(t, []array.Half{1, 2, 3, 0x7e01}, 2, 2) })
	checkRoundTrip(t, "uints", func() []uint { return []uint{1, 2} })
	checkRoundTrip(t, "bools", func() []bool { return []bool{true, false} })
	checkRoundTrip(t, "complex slice", func() []complex64 { return []complex64{1i} })
	checkRoundTrip(t, "named slice", func() readings { return readings{1.5, -2} })
	checkRoundTrip(t, "Go array", func() [3]int16 { return [3]int16{1, 2, 3} })
	checkRoundTrip(t, "strings", func() []string { return []string{"a", ""} })
	checkRoundTrip(t, "map", func() map[string]int { return map[string]int{"b": 1, "a": 2, "": 3} })
	checkRoundTrip(t, "nil map", func() map[string]int { return nil })
	checkRoundTrip(t, "pointer", func() *int { n := 3; return &n })
	checkRoundTrip(t, "nil pointer", func() *int { return nil })
	checkRoundTrip(t, "nil matrix", func() *mat.Dense { return nil })
	checkRoundTrip(t, "empty struct", func() struct{} { return struct{}{} })
	checkRoundTrip(t, "array", func() *array.Array[uint16] { return newArray(t, []uint16{1, 2, 3, 4}, 2, 1, 2) })
	checkRoundTrip(t, "0-d array", func() *array.Array[bool] {
		a, err := array.New[bool]()
		if err != nil {
			t.Fatal(err)
		}
		a.Data()[0] = true
		return a
	})
	checkRoundTrip(t, "empty array", func() *array.Array[float32] { return newArray(t, []float32{}, 0, 3) })
	checkRoundTrip(t, "everything", func() everything {
		return everything{true, -1, 8, 9, 1.5, 0.25, 2i, 3i, "s", []byte("y"), "l", 36.6, readings{1}, dense(2, 3),
			mat.NewVecDense(2, []float64{1, 2}), []int{1}, []bool{true}, []uint16{7}, [3]float64{1, 2, 3}, [4]byte{1, 2, 3, 4},
			map[string]float64{"x": 1}, map[label][]string{"q": {"r"}}, &pair{dense(1, 1), nil}, []pair{{nil, dense(1, 2)}},
			float(2.5), newArray(t, []int32{1, 2}, 2, 1), [][]float64{{1}, nil, {}}, string(make([]byte, 5000))}
	})
	checkRoundTrip(t, "zero everything", func() everything { return everything{} })
}

func TestMatrixResultsRoundTrip(t *testing.T) {
	checkRoundTrip(t, "Dense", func() *mat.Dense { return dense(3, 4) })
	checkRoundTrip(t, "Dense view", func() *mat.Dense { return dense(6, 8).Slice(1, 4, 2, 5).(*mat.Dense) })
	checkRoundTrip(t, "empty Dense", func() *mat.Dense { return &mat.Dense{} })
	checkRoundTrip(t, "VecDense", func() *mat.VecDense { return dense(3, 2).ColView(1).(*mat.VecDense) })
	checkRoundTrip(t, "empty VecDense", func() *mat.VecDense { return &mat.VecDense{} })
	checkRoundTrip(t, "SymDense", func() *mat.SymDense { return mat.NewSymDense(3, arange(9)) })
	checkRoundTrip(t, "empty SymDense", func() *mat.SymDense { return &mat.SymDense{} })
	checkRoundTrip(t, "upper TriDense", func() *mat.TriDense { return mat.NewTriDense(3, mat.Upper, arange(9)) })
	checkRoundTrip(t, "lower TriDense", func() *mat.TriDense { return mat.NewTriDense(3, mat.Lower, arange(9)) })
	checkRoundTrip(t, "diagonal lower TriDense", func() *mat.TriDense { return mat.NewTriDense(2, mat.Lower, []float64{1, 0, 0, 1}) })
	checkRoundTrip(t, "DiagDense", func() *mat.DiagDense { return mat.NewDiagDense(3, arange(3)) })
	checkRoundTrip(t, "Tridiag", func() *mat.Tridiag { return mat.NewTridiag(3, arange(2), arange(3), arange(2)) })
	checkRoundTrip(t, "BandDense", func() *mat.BandDense { return mat.NewBandDense(4, 5, 1, 2, arange(16)) })
	checkRoundTrip(t, "SymBandDense", func() *mat.SymBandDense { return mat.NewSymBandDense(4, 1, arange(8)) })
	checkRoundTrip(t, "upper TriBandDense", func() *mat.TriBandDense { return mat.NewTriBandDense(4, 2, mat.Upper, arange(12)) })
	checkRoundTrip(t, "lower TriBandDense", func() *mat.TriBandDense { return mat.NewTriBandDense(4, 2, mat.Lower, arange(12)) })
	checkRoundTrip(t, "CDense", func() *mat.CDense { return mat.NewCDense(1, 2, []complex128{1i, cmplx.NaN()}) })
	checkRoundTrip(t, "empty CDense", func() *mat.CDense { return &mat.CDense{} })
}

// TestResultIsNotShared changes what each call returned and calls again.
func TestResultIsNotShared(t *testing.T) {
	c := openCache(t)
	f, err := memo.Func(c, memo.Spec{Name: "f"}, func() (*mat.Dense, []float64, error) { return dense(2, 2), []float64{1}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		m, s, err := f.Call()
		if err != nil || m.At(0, 1) != 1 || s[0] != 1 {
			t.Fatal(mat.Formatted(m), s, err)
		}
		m.Set(0, 1, -1)
		s[0] = -1
	}
}

type (
	hidden    struct{ X, y int }
	twins     struct{ A, B int }
	tagged    struct{ A, B int }
	unordered struct {
		Z int
		A int `memo:"m"`
		B int
	}
	labelled struct {
		*mat.Dense
		Labels []string
	}
	scaled struct {
		mat.Matrix
		by float64
	}
	keyer    struct{ n int }
	embedder struct {
		keyer
		M int
	}
	node struct{ Next *node }
)

func (k keyer) MemoKey() any { return k.n }

func key(args ...any) memo.Key {
	k := memo.NewKey("f", "1")
	for _, a := range args {
		k = k.Add(a)
	}
	return k
}

func TestEqualArgumentsHaveEqualKeys(t *testing.T) {
	n := 3
	wide := dense(3, 8)
	for name, args := range map[string][]any{
		"integers":        {3, int8(3), uint64(3), &n, any(3), keyer{3}, &keyer{3}},
		"floats":          {0.5, float32(0.5), celsius(0.5), array.Half(0x3800)},
		"NaNs":            {math.NaN(), math.Float64frombits(0xfff8000000000001), float32(math.NaN()), array.Half(0x7e00), array.Half(0xfc01)},
		"strings":         {"a", label("a")},
		"bytes":           {[]byte("ab"), [2]byte{'a', 'b'}},
		"floats, 1-d":     {[]float64{0, 1, 2}, [3]float64{0, 1, 2}, readings{0, 1, 2}, mat.NewVecDense(3, arange(3)), newArray(t, arange(3)), dense(1, 3).RowView(0)},
		"halves, 1-d":     {[]array.Half{1, 0x7c01}, [2]array.Half{1, 0x7c01}, newArray(t, []array.Half{1, 0x7c01})},
		"ints, 1-d":       {[]int{1, 2}, []int64{1, 2}, [2]int{1, 2}, newArray(t, []int64{1, 2})},
		"matrix":          {dense(3, 8).Slice(0, 3, 0, 8), wide, *wide, wide.T().T(), newArray(t, arange(24), 3, 8)},
		"views":           {wide.Slice(0, 2, 1, 3), mat.DenseCopyOf(wide.Slice(0, 2, 1, 3)), mat.DenseCopyOf(wide.Slice(0, 2, 1, 3).T()).T()},
		"symmetric":       {mat.NewSymDense(2, []float64{1, 2, 0, 3}), mat.NewDense(2, 2, []float64{1, 2, 2, 3})},
		"complex":         {mat.NewCDense(1, 2, []complex128{1, 2i}), newArray(t, []complex128{1, 2i}, 1, 2)},
		"nothing":         {nil, (*int)(nil), (*mat.Dense)(nil), (*keyer)(nil), (*node)(nil), any(nil)},
		"nothing in list": {[]any{}, []string(nil), []any(nil)},
		"no floats":       {[]float64{}, []float64(nil), [0]float64{}},
		"map and struct":  {map[string]int{"A": 1, "B": 2}, twins{1, 2}, tagged{1, 2}, map[label]any{"B": 2, "A": 1}, &twins{1, 2}},
		"order of fields": {unordered{1, 2, 3}, map[string]int{"Z": 1, "m": 2, "B": 3}},
		"embedding":       {labelled{dense(1, 1), []string{"x"}}, map[string]any{"Dense": dense(1, 1), "Labels": []any{"x"}}},
	} {
		want := key(args[0])
		if want.Err() != nil {
			t.Errorf("%s: %v", name, want.Err())
		}
		for i, a := range args {
			if got := key(a); got.Err() != nil || got.Digest() != want.Digest() {
				t.Errorf("%s: %#v (number %d) has key %v, the first has %v", name, a, i, got, want)
			}
		}
	}
}

func TestDifferentArgumentsHaveDifferentKeys(t *testing.T) {
	calls := [][]any{
		{}, {nil}, {nil, nil}, {0}, {1}, {-1}, {0.0}, {math.Copysign(0, -1)}, {1.0}, {1i}, {1 + 0i}, {false}, {true}, {""}, {"0"}, {"nil"},
		{[]byte{}}, {[]byte("0")}, {[]any{}}, {[]any{[]any{}}}, {[]any{0}}, {[]int{0}}, {[]int32{0}}, {[]float64{0}}, {[]float32{0}},
		{[]uint64{0}}, {[]bool{false}}, {map[string]int{}}, {map[string]int{"": 0}}, {map[string]any{"a": nil}}, {[]string{"a", "b"}}, {[]string{"ab"}},
		{"a", "b"}, {"ab"}, {[]any{"a"}, "b"}, {"a", []any{"b"}}, {dense(2, 3)}, {dense(2, 3).T()}, {dense(3, 2)}, {dense(1, 6)}, {arange(6)},
		{mat.NewVecDense(6, arange(6)), 1}, {labelled{dense(2, 3), nil}}, {labelled{dense(2, 3), []string{"x"}}},
		{newArray(t, []float64{1}, 1)}, {newArray(t, []float64{1}, 1, 1)}, {newArray(t, []float64{math.NaN()})},
		{[]float64{math.Float64frombits(0x7ff8000000000002)}}, {newArray(t, []uint8{1})}, {[]byte{1}}, {[]uint16{1}}, {[]array.Half{1}}, {uint16(7)}, {array.Half(7)}, {uint64(1 << 63)}, {int64(math.MaxInt64)},
	}
	seen := map[array.Digest][]any{}
	for _, args := range calls {
		k := key(args...)
		if k.Err() != nil {
			t.Errorf("%v: %v", args, k.Err())
		}
		if other, ok := seen[k.Digest()]; ok {
			t.Errorf("%#v and %#v have one key", args, other)
		}
		seen[k.Digest()] = args
	}
	if memo.NewKey("f", "1").Digest() == memo.NewKey("f1", "").Digest() || memo.NewKey("f", "1").Digest() == memo.NewKey("f", "2").Digest() {
		t.Error("name or version does not count")
	}
}

func TestKeyIsAValue(t *testing.T) {
	base := memo.NewKey("f", "1").Add(1)
	a, b := base.Add(2), base.Add(3)
	if a.Digest() != memo.NewKey("f", "1").Add(1).Add(2).Digest() || b.Digest() != memo.NewKey("f", "1").Add(1).Add(3).Digest() {
		t.Error("keys with a common beginning influence each other")
	}
	x := []float64{1, 2}
	k := memo.NewKey("f", "1").Add(x)
	want := k.Digest()
	x[0] = 5
	if k.Digest() != want {
		t.Error("a key changed with its argument")
	}
}

type panicking struct{}

func (panicking) MemoKey() any { panic("no") }

func TestUnsupportedArguments(t *testing.T) {
	cycle := &node{}
	cycle.Next = cycle
	for name, arg := range map[string]any{
		"function":          func() {},
		"channel":           make(chan int),
		"uintptr":           uintptr(1),
		"unexported field":  hidden{1, 2},
		"time":              time.Time{},
		"integer map":       map[int]int{},
		"promoted MemoKey":  embedder{keyer{1}, 2},
		"matrix with extra": scaled{dense(1, 1), 2},
		"cycle":             cycle,
		"inside":            []any{1, map[string]any{"a": make(chan int)}},
		"panicking MemoKey": panicking{},
		"broken transpose":  mat.Transpose{},
	} {
		if err := key(1, arg).Err(); !errors.Is(err, memo.ErrUnsupported) {
			t.Errorf("%s: error %v, want ErrUnsupported", name, err)
		}
	}
	if err := memo.NewKey("", "1").Err(); !errors.Is(err, memo.ErrArguments) {
		t.Errorf("empty name: %v", err)
	}
	// A call with such a key is computed all the same, and counted.
	c := openCache(t)
	got, err := memo.Do(context.Background(), c, key(hidden{}), func(context.Context) (int, error) { return 7, nil })
	if got != 7 || err != nil || c.Stats().Faults != 1 {
		t.Error(got, err, c.Stats())
	}
}
