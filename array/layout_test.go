package array_test

import (
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// What does not fit a type, its shape, its elements or its layout, is refused.
func TestMatrixRefuses(t *testing.T) {
	square := mustSlice(t, []float64{1, 2, 3, 4}, 2, 2)
	diagonal := mustSlice(t, []float64{1, 0, 0, 4}, 2, 2)
	negativeZero := mustSlice(t, []float64{1, math.Copysign(0, -1), 0, 4}, 2, 2)
	wide := mustSlice(t, fill(6), 2, 3)
	emptyRows, _ := array.New[float64](3, 0)
	for _, tt := range []struct {
		name   string
		a      array.Any
		layout string
		t      reflect.Type
		want   error
	}{
		{"nothing", nil, "", reflect.TypeFor[*mat.Dense](), array.ErrNil},
		{"no type", square, "", nil, array.ErrDType},
		{"no matrix", square, "", reflect.TypeFor[int](), array.ErrDType},
		{"by value", square, "", reflect.TypeFor[mat.Dense](), array.ErrDType},
		{"an interface", square, "", reflect.TypeFor[mat.Matrix](), array.ErrDType},
		{"a transpose", square, "", reflect.TypeFor[mat.Transpose](), array.ErrDType},
		{"float32", mustSlice(t, []float32{1}, 1, 1), "", reflect.TypeFor[*mat.Dense](), array.ErrDType},
		{"float32 symmetric", mustSlice(t, []float32{1}, 1, 1), "", reflect.TypeFor[*mat.SymDense](), array.ErrDType},
		{"float64 as complex", square, "", reflect.TypeFor[*mat.CDense](), array.ErrDType},
		{"complex as float64", mustSlice(t, []complex128{1}, 1, 1), "", reflect.TypeFor[*mat.TriDense](), array.ErrDType},
		{"1-d", mustSlice(t, fill(4)), "", reflect.TypeFor[*mat.SymDense](), array.ErrShape},
		{"1-d as Dense", mustSlice(t, fill(4)), "", reflect.TypeFor[*mat.Dense](), array.ErrShape},
		{"2-d as VecDense", square, "", reflect.TypeFor[*mat.VecDense](), array.ErrShape},
		{"3×0", emptyRows, "", reflect.TypeFor[*mat.SymDense](), array.ErrShape},
		{"not square", wide, "", reflect.TypeFor[*mat.SymDense](), array.ErrShape},
		{"not symmetric", square, "", reflect.TypeFor[*mat.SymDense](), array.ErrShape},
		{"symmetric but for a sign", negativeZero, "", reflect.TypeFor[*mat.SymDense](), array.ErrShape},
		{"no triangle", square, "upper", reflect.TypeFor[*mat.TriDense](), array.ErrShape},
		{"no triangle either", square, "", reflect.TypeFor[*mat.TriDense](), array.ErrShape},
		{"negative zeros outside", negativeZero, "lower", reflect.TypeFor[*mat.TriDense](), array.ErrShape},
		{"no diagonal", square, "", reflect.TypeFor[*mat.DiagDense](), array.ErrShape},
		{"not tridiagonal", mustSlice(t, fill(9), 3, 3), "", reflect.TypeFor[*mat.Tridiag](), array.ErrShape},
		{"wide diagonal", wide, "", reflect.TypeFor[*mat.DiagDense](), array.ErrShape},
		{"outside of its band", square, "band 0 0", reflect.TypeFor[*mat.BandDense](), array.ErrShape},
	} {
		if m, err := array.Matrix(tt.a, tt.layout, tt.t); m != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.name, m, err, tt.want)
		}
	}
	words := []string{
		"", "upper", "lower", "Upper", "up", " upper", "upper ", "upper 0", "lower 1", "lower 2", "upper -1", "upper x", "upper 1 1", "middle 0",
		"band", "band ", "band 0", "band 1", "band 2", "band -1", "band 0 0", "band 0  0", "band 1 1", "band 2 0", "band 0 2", "band 1 1 1", "band 01 1", "band +1 1",
		"band 99999999999999999999 0", "band 9223372036854775807 9223372036854775807", "band 0x1 1", "\x00", strings.Repeat("band ", 1000),
	}
	for _, word := range words {
		for _, typ := range []reflect.Type{
			reflect.TypeFor[*mat.TriDense](), reflect.TypeFor[*mat.BandDense](), reflect.TypeFor[*mat.SymBandDense](), reflect.TypeFor[*mat.TriBandDense](),
		} {
			m, err := array.Matrix(diagonal, word, typ)
			switch {
			case err != nil && (m != nil || !errors.Is(err, array.ErrShape)):
				t.Errorf("%q %v: %v, %v", word, typ, m, err)
			case err == nil && array.Layout(m) != word && (word != "" || typ != reflect.TypeFor[*mat.TriDense]()):
				t.Errorf("%q %v: came back with %q", word, typ, array.Layout(m))
			}
		}
	}
}

// A layout that claims huge bands takes no memory for them.
func TestMatrixMemory(t *testing.T) {
	tall, err := array.New[float64](200_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if m, err := array.Matrix(tall, "band 199999 0", reflect.TypeFor[*mat.BandDense]()); m != nil || !errors.Is(err, array.ErrShape) {
		t.Errorf("%T, %v", m, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
		t.Errorf("%d bytes", got)
	}
}

func TestMatrixSharesMemory(t *testing.T) {
	a := mustSlice(t, []float64{1, 2, 2, 4}, 2, 2)
	m, err := array.Matrix(a, "", reflect.TypeFor[*mat.SymDense]())
	if err != nil {
		t.Fatal(err)
	}
	m.(*mat.SymDense).SetSym(0, 0, 7)
	if a.Data()[0] != 7 {
		t.Error("a SymDense was copied")
	}
	c := mustSlice(t, []complex128{1i}, 1, 1)
	z, err := array.Matrix(c, "", reflect.TypeFor[*mat.CDense]())
	if err != nil {
		t.Fatal(err)
	}
	z.(*mat.CDense).Set(0, 0, 2i)
	if c.Data()[0] != 2i {
		t.Error("a CDense was copied")
	}
}

func TestLayout(t *testing.T) {
	for want, v := range map[string]any{
		"upper": tri(3, mat.Upper), "lower": tri(3, mat.Lower), "band 1 2": band(5, 6, 1, 2), "band 2": symBand(4, 2), "upper 1": triBand(4, 1, mat.Upper), "lower 0": triBand(4, 0, mat.Lower),
	} {
		if got := array.Layout(v); got != want {
			t.Errorf("%T: %q, want %q", v, got, want)
		}
	}
	for _, v := range []any{
		nil, 1, "upper", []float64{1}, dense(2, 2), vector(3), sym(2), diag(2), tridiag(3), cdense(2, 2), tri(3, mat.Upper).T(), mat.Transpose{}, mat.Transpose{Matrix: (*mat.Dense)(nil)},
		(*mat.TriDense)(nil), (*mat.BandDense)(nil), &mat.TriDense{}, &mat.BandDense{}, &mat.SymBandDense{}, &mat.TriBandDense{}, foreign{}, liar{3, 3, 9, panicky}.matrix(),
	} {
		if got := array.Layout(v); got != "" {
			t.Errorf("%T: %q", v, got)
		}
	}
}
