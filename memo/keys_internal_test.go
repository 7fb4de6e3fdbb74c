package memo

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/mat"
)

type (
	kernel  interface{ at(float64) float64 }
	rbf     struct{ Gamma float64 }
	laplace struct{ Gamma float64 }
	metric  int

	negated struct{ mat.Matrix }
	doubled struct{ mat.Matrix }

	channel uint8
)

func (k rbf) at(x float64) float64     { return math.Exp(-k.Gamma * x * x) }
func (k laplace) at(x float64) float64 { return math.Exp(-k.Gamma * math.Abs(x)) }
func (m metric) at(x float64) float64  { return x }
func (n negated) At(i, j int) float64  { return -n.Matrix.At(i, j) }
func (d doubled) At(i, j int) float64  { return 2 * d.Matrix.At(i, j) }
func (c channel) MemoKey() any         { return "channel" }
func keyOf[T any](x T) Key             { return keyOfValue(reflect.ValueOf(&x).Elem()) }
func keyOfValue(v reflect.Value) Key   { return NewKey("f", "1").add(context.Background(), v) }

// TestInterfacesDoNotHideTypes passes values of different types with equal fields
// through interfaces: a function tells them apart, so a key must, or refuse them.
func TestInterfacesDoNotHideTypes(t *testing.T) {
	x := mat.NewDense(1, 2, []float64{1, 2})
	for name, pair := range map[string][2]Key{
		"structs in an interface":      {keyOf[kernel](rbf{1}), keyOf[kernel](laplace{1})},
		"pointers in an interface":     {keyOf[kernel](&rbf{1}), keyOf[kernel](&laplace{1})},
		"scalars in an interface":      {keyOf[kernel](metric(1)), keyOf[kernel](metric(1))},
		"structs in any":               {keyOf[any](rbf{1}), keyOf[any](laplace{1})},
		"structs in a list of any":     {keyOf([]any{rbf{1}}), keyOf([]any{laplace{1}})},
		"pointers to pointers in any":  {keyOf[any](new(*rbf)), keyOf[any](new(*laplace))},
		"matrices that embed a matrix": {keyOf[mat.Matrix](negated{x}), keyOf[mat.Matrix](doubled{x})},
	} {
		for _, k := range pair {
			if !errors.Is(k.Err(), ErrUnsupported) {
				t.Errorf("%s: the error is %v, want ErrUnsupported", name, k.Err())
			}
		}
	}
	for name, k := range map[string]Key{
		"a matrix":       keyOf[mat.Matrix](x),
		"a keyer":        keyOf[any](channel(1)),
		"scalars in any": keyOf[any]([]any{1, "a", nil, map[string]any{"x": 1.5}}),
		"a plain struct": keyOf(rbf{1}),
		"a struct slice": keyOf([]rbf{{1}}),
	} {
		if k.Err() != nil {
			t.Errorf("%s: %v", name, k.Err())
		}
	}
}

// TestUnderscoreNamesAField checks that only the tag "-" leaves a field out.
func TestUnderscoreNamesAField(t *testing.T) {
	type tagged struct {
		X int `memo:"_"`
	}
	if keyOf(tagged{1}).Digest() == keyOf(tagged{2}).Digest() {
		t.Error("a field named _ by its tag does not count")
	}
}

func TestZeroKeyIsInvalid(t *testing.T) {
	var k Key
	if !errors.Is(k.Err(), ErrArguments) || !errors.Is(k.Add(1).Err(), ErrArguments) {
		t.Errorf("the zero Key is valid: two calls with it would share an entry")
	}
}

func TestBytesWithMemoKey(t *testing.T) {
	if keyOf([]channel{1}).Digest() != keyOf([]string{"channel"}).Digest() {
		t.Error("the items of a slice of bytes have a MemoKey, which does not count")
	}
}

func TestConvertNumber(t *testing.T) {
	for _, test := range []struct {
		from any
		to   reflect.Type
		ok   bool
	}{
		{math.Exp2(63), reflect.TypeFor[int64](), false},
		{-math.Exp2(63), reflect.TypeFor[int64](), true},
		{math.Exp2(64), reflect.TypeFor[uint64](), false},
		{math.Exp2(63), reflect.TypeFor[uint64](), true},
		{math.NaN(), reflect.TypeFor[int](), false},
		{math.NaN(), reflect.TypeFor[float32](), true},
		{math.Inf(1), reflect.TypeFor[float32](), true},
		{math.Inf(-1), reflect.TypeFor[int8](), false},
		{uint64(1 << 63), reflect.TypeFor[int64](), false},
		{int64(-1), reflect.TypeFor[uint64](), false},
		{int64(1<<53 + 1), reflect.TypeFor[float64](), false},
		{uint64(math.MaxUint64), reflect.TypeFor[float64](), false},
		{int64(math.MaxInt64), reflect.TypeFor[float64](), false},
		{int64(1 << 53), reflect.TypeFor[complex128](), true},
		{0.1, reflect.TypeFor[float32](), false},
	} {
		if _, ok := convertNumber(reflect.ValueOf(test.from), test.to); ok != test.ok {
			t.Errorf("%v (%T) as %v: %v, want %v", test.from, test.from, test.to, ok, test.ok)
		}
	}
}
