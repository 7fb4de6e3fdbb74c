package memo_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// bitwise writes values down with their types and every bit of them. Two texts are
// equal just where a function cannot tell the values apart: NaN payloads, signed zeros,
// nil and empty count, the layout in memory does not.
func bitwise(values ...reflect.Value) string {
	var b strings.Builder
	for _, v := range values {
		writeBitwise(&b, v)
		b.WriteByte('\n')
	}
	return b.String()
}

func writeBitwise(b *strings.Builder, v reflect.Value) {
	if !v.IsValid() {
		b.WriteString("nil")
		return
	}
	if !v.CanAddr() {
		own := reflect.New(v.Type()).Elem()
		own.Set(v)
		v = own
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan:
		if v.IsNil() {
			fmt.Fprintf(b, "nil %v", v.Type())
			return
		}
	}
	if v.Kind() == reflect.Interface {
		fmt.Fprintf(b, "%v ", v.Type())
		writeBitwise(b, v.Elem())
		return
	}
	switch x := v.Interface().(type) {
	case array.Any:
		fmt.Fprintf(b, "%v%v %v", x.DType(), x.Shape(), x.Digest())
		return
	case mat.Matrix:
		rows, cols := x.Dims()
		fmt.Fprintf(b, "%v %q %d×%d", v.Type(), array.Layout(x), rows, cols)
		for i := range rows {
			for j := range cols {
				fmt.Fprintf(b, " %x", math.Float64bits(x.At(i, j)))
			}
		}
		return
	case mat.CMatrix:
		rows, cols := x.Dims()
		fmt.Fprintf(b, "%v %d×%d", v.Type(), rows, cols)
		for i := range rows {
			for j := range cols {
				fmt.Fprintf(b, " %x,%x", math.Float64bits(real(x.At(i, j))), math.Float64bits(imag(x.At(i, j))))
			}
		}
		return
	}
	fmt.Fprintf(b, "%v", v.Type())
	switch v.Kind() {
	case reflect.Float32:
		fmt.Fprintf(b, " %x", math.Float32bits(*as[float32](v)))
	case reflect.Float64:
		fmt.Fprintf(b, " %x", math.Float64bits(v.Float()))
	case reflect.Complex64:
		c := *as[complex64](v)
		fmt.Fprintf(b, " %x,%x", math.Float32bits(real(c)), math.Float32bits(imag(c)))
	case reflect.Complex128:
		fmt.Fprintf(b, " %x,%x", math.Float64bits(real(v.Complex())), math.Float64bits(imag(v.Complex())))
	case reflect.String:
		fmt.Fprintf(b, " %q", v.String())
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(b, " %d[", v.Len())
		for i := range v.Len() {
			writeBitwise(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Map:
		entries := make([]string, 0, v.Len())
		for iter := v.MapRange(); iter.Next(); {
			entries = append(entries, fmt.Sprintf("%q: %s", iter.Key().String(), bitwise(iter.Value())))
		}
		slices.Sort(entries)
		fmt.Fprintf(b, "{%s}", strings.Join(entries, ", "))
	case reflect.Struct:
		b.WriteByte('{')
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				writeBitwise(b, v.Field(i))
				b.WriteByte(' ')
			}
		}
		b.WriteByte('}')
	case reflect.Pointer:
		b.WriteByte(' ')
		writeBitwise(b, v.Elem())
	case reflect.Func, reflect.Chan:
	default:
		fmt.Fprintf(b, " %v", v)
	}
}

// as returns a pointer to v, which is addressable, as one to the predeclared type T of
// the same kind: a conversion of the value itself could change a NaN.
func as[T any](v reflect.Value) *T {
	return v.Addr().Convert(reflect.TypeFor[*T]()).Interface().(*T)
}
