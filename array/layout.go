package array

import (
	"fmt"
	"reflect"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

// Layout returns what the elements of v do not tell of its gonum type: which
// triangle it keeps, or how many diagonals below and above the main one. It is one
// of
//
//	upper, lower       *mat.TriDense
//	band kl ku         *mat.BandDense
//	band k             *mat.SymBandDense
//	upper k, lower k   *mat.TriBandDense
//
// and "" for every other value, and for an empty matrix. Who stores a matrix as an
// array can keep this word beside it, and [Matrix] makes the same matrix again.
func Layout(v any) string {
	if v == nil || nilPointer(v) {
		return ""
	}
	switch m := v.(type) {
	case *mat.TriDense:
		if raw := m.RawTriangular(); raw.N > 0 {
			return triangle(raw.Uplo)
		}
	case *mat.BandDense:
		if raw := m.RawBand(); raw.Rows > 0 {
			return fmt.Sprintf("band %d %d", raw.KL, raw.KU)
		}
	case *mat.SymBandDense:
		if raw := m.RawSymBand(); raw.N > 0 {
			return fmt.Sprintf("band %d", raw.K)
		}
	case *mat.TriBandDense:
		if raw := m.RawTriBand(); raw.N > 0 {
			return fmt.Sprintf("%s %d", triangle(raw.Uplo), raw.K)
		}
	}
	return ""
}

func triangle(uplo blas.Uplo) string {
	if uplo == blas.Upper {
		return "upper"
	}
	return "lower"
}

// builders are the gonum types that [Matrix] makes of n×m elements, m ≥ 1, n ≥ 1,
// with a layout; nil where the elements or the layout rule the type out.
var builders = map[reflect.Type]func(data []float64, n, m int, layout string) mat.Matrix{
	reflect.TypeFor[*mat.SymDense]():     buildSym,
	reflect.TypeFor[*mat.TriDense]():     buildTri,
	reflect.TypeFor[*mat.DiagDense]():    buildDiag,
	reflect.TypeFor[*mat.Tridiag]():      buildTridiag,
	reflect.TypeFor[*mat.BandDense]():    buildBand,
	reflect.TypeFor[*mat.SymBandDense](): buildSymBand,
	reflect.TypeFor[*mat.TriBandDense](): buildTriBand,
}

// IsMatrix reports whether t is a type that [Matrix] makes: a pointer to one of
// gonum's Dense, VecDense, CDense, SymDense, TriDense, DiagDense, Tridiag,
// BandDense, SymBandDense and TriBandDense.
func IsMatrix(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[*mat.Dense](), reflect.TypeFor[*mat.VecDense](), reflect.TypeFor[*mat.CDense]():
		return true
	}
	return builders[t] != nil
}

// Matrix returns the elements of a as a value of the gonum type t, the inverse of
// [Of]. It may share a's memory: writes to one may show in the other, so the caller
// keeps only one of them. layout is what [Layout] said of the value whose elements
// these are. Types for which that is "" pass over it; for a TriDense it may be ""
// where the elements tell the triangle.
//
// A t that is not [IsMatrix], or an element type that it does not hold, is
// [ErrDType]; nil is [ErrNil]. Elements of a shape or with values that t cannot
// have under this layout are [ErrShape], compared bit by bit: a is never changed to
// fit. So are bands that would take more than 64 KiB and twice the memory of a.
func Matrix(a Any, layout string, t reflect.Type) (any, error) {
	if a == nil {
		return nil, fmt.Errorf("%w array", ErrNil)
	}
	switch {
	case t == reflect.TypeFor[*mat.Dense]():
		return anyOf(a.Dense())
	case t == reflect.TypeFor[*mat.VecDense]():
		return anyOf(a.VecDense())
	case !IsMatrix(t):
		return nil, fmt.Errorf("%w: %v is no type of gonum that an array can become", ErrDType, t)
	}
	shape := a.Shape()
	empty := len(shape) == 2 && shape[0] == 0 && shape[1] == 0
	if len(shape) != 2 || a.Len() == 0 && !empty {
		return nil, fmt.Errorf("%w: %s is no shape of a %v", ErrShape, FormatShape(shape), t)
	}
	if c, ok := a.(*Array[complex128]); ok && t == reflect.TypeFor[*mat.CDense]() {
		if empty {
			return &mat.CDense{}, nil
		}
		return mat.NewCDense(shape[0], shape[1], c.Data()), nil
	}
	floats, ok := a.(*Array[float64])
	if !ok || t == reflect.TypeFor[*mat.CDense]() {
		return nil, fmt.Errorf("%w: a %v does not hold %v", ErrDType, t, a.DType())
	}
	if empty {
		return reflect.New(t.Elem()).Interface(), nil
	}
	m := builders[t](floats.Data(), shape[0], shape[1], layout)
	if m == nil || !sameElements(m, floats) {
		return nil, fmt.Errorf("%w: these elements of %s are not those of a %v with layout %q", ErrShape, FormatShape(shape), t, layout)
	}
	return m, nil
}

// anyOf keeps a nil pointer out of the interface.
func anyOf[T any](m T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}
