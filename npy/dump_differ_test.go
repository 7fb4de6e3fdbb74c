package npy_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// differ says where two values differ, bit by bit, "" if they do not.
func differ(path string, a, b reflect.Value) string {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return fmt.Sprintf("%s: %v and %v", path, a, b)
	}
	if !a.IsValid() {
		return ""
	}
	different := fmt.Sprintf("%s: %v and %v", path, a, b)
	switch a.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		if a.IsNil() != b.IsNil() {
			return different
		}
		if a.IsNil() {
			return ""
		}
	}
	if a.CanInterface() {
		switch x := a.Interface().(type) {
		case time.Time:
			if !x.Equal(b.Interface().(time.Time)) {
				return different
			}
			return ""
		case *big.Int:
			if x.Cmp(b.Interface().(*big.Int)) != 0 {
				return different
			}
			return ""
		case array.Any:
			if !equal(x, b.Interface().(array.Any)) {
				return different
			}
			return ""
		case array.Array[complex64]:
			y := b.Interface().(array.Array[complex64])
			if !equal(&x, &y) {
				return different
			}
			return ""
		case mat.Matrix:
			return differMatrix(path, x, b.Interface().(mat.Matrix))
		}
	}
	switch a.Kind() {
	case reflect.Float32, reflect.Complex64: // as their bits: NaNs must not be converted
		var bits [2]bytes.Buffer
		for i, v := range []reflect.Value{a, b} {
			s := reflect.MakeSlice(reflect.SliceOf(v.Type()), 1, 1)
			s.Index(0).Set(v)
			fmt.Fprintf(&bits[i], "%x", bitsOf(s))
		}
		if !bytes.Equal(bits[0].Bytes(), bits[1].Bytes()) {
			return different
		}
	case reflect.Float64:
		if math.Float64bits(a.Float()) != math.Float64bits(b.Float()) {
			return different
		}
	case reflect.Complex128:
		x, y := a.Complex(), b.Complex()
		if math.Float64bits(real(x)) != math.Float64bits(real(y)) || math.Float64bits(imag(x)) != math.Float64bits(imag(y)) {
			return different
		}
	case reflect.Pointer, reflect.Interface:
		return differ(path, a.Elem(), b.Elem())
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return different
		}
		for i := range a.Len() {
			if d := differ(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
	case reflect.Map:
		if a.Len() != b.Len() {
			return different
		}
		for _, k := range a.MapKeys() {
			if d := differ(fmt.Sprintf("%s[%q]", path, k), a.MapIndex(k), b.MapIndex(k)); d != "" {
				return d
			}
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if d := differ(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
	default:
		if !a.Equal(b) {
			return different
		}
	}
	return ""
}

// bitsOf returns the bytes of a slice of float32 or complex64 types.
func bitsOf(s reflect.Value) []uint32 {
	switch p := s.Index(0).Addr(); s.Index(0).Kind() {
	case reflect.Float32:
		return []uint32{math.Float32bits(*p.Convert(reflect.TypeFor[*float32]()).Interface().(*float32))}
	default:
		c := *p.Convert(reflect.TypeFor[*complex64]()).Interface().(*complex64)
		return []uint32{math.Float32bits(real(c)), math.Float32bits(imag(c))}
	}
}

func differMatrix(path string, a, b mat.Matrix) string {
	rows, cols := a.Dims()
	if r, c := b.Dims(); r != rows || c != cols {
		return fmt.Sprintf("%s: %d×%d and %d×%d", path, rows, cols, r, c)
	}
	if rows == 0 {
		return ""
	}
	if a, ok := a.(mat.Banded); ok {
		kl, ku := a.Bandwidth()
		if l, u := b.(mat.Banded).Bandwidth(); l != kl || u != ku {
			return path + ": other bands"
		}
	}
	if a, ok := a.(mat.Triangular); ok {
		_, kind := a.Triangle()
		if _, k := b.(mat.Triangular).Triangle(); k != kind {
			return path + ": another triangle"
		}
	}
	for i := range rows {
		for j := range cols {
			if math.Float64bits(a.At(i, j)) != math.Float64bits(b.At(i, j)) {
				return fmt.Sprintf("%s: %v and %v at %d, %d", path, a.At(i, j), b.At(i, j), i, j)
			}
		}
	}
	return ""
}
