package memo_test

import (
	"reflect"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// scribble writes to everything that can be reached through v.
func scribble(v reflect.Value) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return
	}
	if floats, ok := rawFloats(v.Interface()); ok {
		for i := range floats {
			floats[i]--
		}
		return
	}
	switch x := v.Interface().(type) {
	case *mat.CDense:
		scribble(reflect.ValueOf(x.RawCMatrix().Data))
		return
	case array.Any:
		b, _ := x.Bytes()
		for i := range b {
			b[i] ^= 1
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		scribble(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			scribble(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			scribble(v.MapIndex(key))
			v.SetMapIndex(key, reflect.Value{})
		}
	}
	if v.CanSet() {
		v.Set(reflect.Zero(v.Type()))
	}
}

// rawFloats returns the memory of a matrix of float64s.
func rawFloats(x any) ([]float64, bool) {
	switch m := x.(type) {
	case *mat.Dense:
		return m.RawMatrix().Data, true
	case *mat.VecDense:
		return m.RawVector().Data, true
	case *mat.SymDense:
		return m.RawSymmetric().Data, true
	case *mat.TriDense:
		return m.RawTriangular().Data, true
	case *mat.BandDense:
		return m.RawBand().Data, true
	case *mat.DiagDense:
		return m.RawBand().Data, true
	case *mat.SymBandDense:
		return m.RawSymBand().Data, true
	case *mat.TriBandDense:
		return m.RawTriBand().Data, true
	case *mat.Tridiag:
		return m.RawTridiagonal().D, true
	}
	return nil, false
}
