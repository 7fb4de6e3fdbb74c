package memo

import (
	"fmt"
	"math"
	"reflect"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// Matrices and vectors are stored as their logical elements. Types whose storage
// the elements do not tell (which triangle, how many bands) say it in a word
// beside the array, the layout: Go writes it, other languages may pass over it.

// matrixTypes are the gonum types that a result can have, each with what makes
// it of its elements again.
var matrixTypes = map[reflect.Type]func(a *array.Array[float64], n, m int, layout string) (mat.Matrix, bool){
	reflect.TypeFor[*mat.SymDense]():     buildSym,
	reflect.TypeFor[*mat.TriDense]():     buildTri,
	reflect.TypeFor[*mat.DiagDense]():    buildDiag,
	reflect.TypeFor[*mat.Tridiag]():      buildTridiag,
	reflect.TypeFor[*mat.BandDense]():    buildBand,
	reflect.TypeFor[*mat.SymBandDense](): buildSymBand,
	reflect.TypeFor[*mat.TriBandDense](): buildTriBand,
}

// matrixLayout returns the layout of v, "" where the elements say everything.
func matrixLayout(v any) string {
	if m, ok := v.(mat.Matrix); ok {
		if rows, _ := m.Dims(); rows == 0 {
			return "" // an empty matrix has neither triangle nor bands, and may panic when asked
		}
	}
	switch m := v.(type) {
	case *mat.TriDense:
		_, kind := m.Triangle()
		return triangle(kind)
	case *mat.BandDense:
		kl, ku := m.Bandwidth()
		return fmt.Sprintf("band %d %d", kl, ku)
	case *mat.SymBandDense:
		_, k := m.SymBand()
		return fmt.Sprintf("band %d", k)
	case *mat.TriBandDense:
		_, k, kind := m.TriBand()
		return fmt.Sprintf("%s %d", triangle(kind), k)
	}
	return ""
}

func triangle(kind mat.TriKind) string {
	if kind == mat.Upper {
		return "upper"
	}
	return "lower"
}

// matrixResult reports whether values of t can be results, as the gonum types
// that buildMatrix makes.
func matrixResult(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[*mat.Dense](), reflect.TypeFor[*mat.VecDense](), reflect.TypeFor[*mat.CDense]():
		return true
	}
	return matrixTypes[t] != nil
}

// buildMatrix returns the elements of a as a value of the gonum type t, which
// may share a's memory.
func buildMatrix(a array.Any, layout string, t reflect.Type) (any, error) {
	switch t {
	case reflect.TypeFor[*mat.Dense]():
		return mismatched(a.Dense())
	case reflect.TypeFor[*mat.VecDense]():
		return mismatched(a.VecDense())
	case reflect.TypeFor[*mat.CDense]():
		return buildComplex(a)
	}
	floats, ok := a.(*array.Array[float64])
	shape := a.Shape()
	if !ok || len(shape) != 2 || (a.Len() == 0) != (shape[0] == 0 && shape[1] == 0) {
		return nil, errMismatch
	}
	if a.Len() == 0 {
		return reflect.New(t.Elem()).Interface(), nil
	}
	m, ok := matrixTypes[t](floats, shape[0], shape[1], layout)
	if !ok || !sameElements(m, floats.Data()) {
		return nil, errMismatch // not of this layout after all
	}
	return m, nil
}

func mismatched[T any](m T, err error) (any, error) {
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMismatch, err)
	}
	return m, nil
}

func buildComplex(a array.Any) (any, error) {
	c, ok := a.(*array.Array[complex128])
	shape := a.Shape()
	switch {
	case !ok || len(shape) != 2 || (a.Len() == 0) != (shape[0] == 0 && shape[1] == 0):
		return nil, errMismatch
	case a.Len() == 0:
		return &mat.CDense{}, nil
	}
	return mat.NewCDense(shape[0], shape[1], c.Data()), nil
}

// sameElements compares a matrix bit by bit with the elements it was made of.
func sameElements(m mat.Matrix, want []float64) bool {
	rows, cols := m.Dims()
	if rows*cols != len(want) {
		return false
	}
	for i := range rows {
		for j := range cols {
			if math.Float64bits(m.At(i, j)) != math.Float64bits(want[i*cols+j]) {
				return false
			}
		}
	}
	return true
}

func buildSym(a *array.Array[float64], n, m int, _ string) (mat.Matrix, bool) {
	if n != m {
		return nil, false
	}
	return mat.NewSymDense(n, a.Data()), true
}

func buildTri(a *array.Array[float64], n, m int, layout string) (mat.Matrix, bool) {
	if n != m {
		return nil, false
	}
	if layout != "lower" {
		if upper := mat.NewTriDense(n, mat.Upper, a.Data()); layout == "upper" || sameElements(upper, a.Data()) {
			return upper, true
		}
	}
	return mat.NewTriDense(n, mat.Lower, a.Data()), true
}

func buildDiag(a *array.Array[float64], n, m int, _ string) (mat.Matrix, bool) {
	if n != m {
		return nil, false
	}
	return mat.NewDiagDense(n, diagonal(a, n, 0)), true
}

func buildTridiag(a *array.Array[float64], n, m int, _ string) (mat.Matrix, bool) {
	if n != m {
		return nil, false
	}
	return mat.NewTridiag(n, diagonal(a, n, -1), diagonal(a, n, 0), diagonal(a, n, 1)), true
}

// diagonal returns the k-th diagonal of an n×n array, above the main one where k
// is positive.
func diagonal(a *array.Array[float64], n, k int) []float64 {
	d := make([]float64, 0, n)
	for i := range n {
		if j := i + k; j >= 0 && j < n {
			d = append(d, a.Data()[i*n+j])
		}
	}
	return d
}

func buildBand(a *array.Array[float64], n, m int, layout string) (mat.Matrix, bool) {
	var kl, ku int
	if _, err := fmt.Sscanf(layout, "band %d %d", &kl, &ku); err != nil || kl < 0 || kl >= n || ku < 0 || ku >= m {
		return nil, false
	}
	b := mat.NewBandDense(n, m, kl, ku, nil)
	for i := range n {
		for j := max(0, i-kl); j < min(m, i+ku+1); j++ {
			b.SetBand(i, j, a.Data()[i*m+j])
		}
	}
	return b, true
}

func buildSymBand(a *array.Array[float64], n, m int, layout string) (mat.Matrix, bool) {
	var k int
	if _, err := fmt.Sscanf(layout, "band %d", &k); err != nil || n != m || k < 0 || k >= n {
		return nil, false
	}
	b := mat.NewSymBandDense(n, k, nil)
	for i := range n {
		for j := i; j < min(n, i+k+1); j++ {
			b.SetSymBand(i, j, a.Data()[i*n+j])
		}
	}
	return b, true
}

func buildTriBand(a *array.Array[float64], n, m int, layout string) (mat.Matrix, bool) {
	var (
		word string
		k    int
	)
	if _, err := fmt.Sscanf(layout, "%s %d", &word, &k); err != nil || n != m || k < 0 || k >= n {
		return nil, false
	}
	kind := mat.TriKind(word == "upper")
	b := mat.NewTriBandDense(n, k, kind, nil)
	for i := range n {
		lo, hi := max(0, i-k), i+1
		if kind == mat.Upper {
			lo, hi = i, min(n, i+k+1)
		}
		for j := lo; j < hi; j++ {
			b.SetTriBand(i, j, a.Data()[i*n+j])
		}
	}
	return b, true
}
