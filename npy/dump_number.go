package npy

import (
	"encoding"
	"fmt"
	"reflect"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// codec moves numbers of one kind between Go values and the elements of arrays, bit
// by bit.
type codec struct {
	dtype   array.DType
	basic   reflect.Type // of which a slice can be an array
	gather  func(dst array.Any, i int, v reflect.Value)
	scatter func(v reflect.Value, src array.Any, i int) error
	slice   func(src array.Any) (any, error) // as a slice of basic
}

// codecs are those of the kinds of numbers.
var codecs = map[reflect.Kind]codec{
	reflect.Bool:       exactly[bool](),
	reflect.Int8:       exactly[int8](),
	reflect.Int16:      exactly[int16](),
	reflect.Int32:      exactly[int32](),
	reflect.Int64:      exactly[int64](),
	reflect.Uint8:      exactly[uint8](),
	reflect.Uint16:     exactly[uint16](),
	reflect.Uint32:     exactly[uint32](),
	reflect.Uint64:     exactly[uint64](),
	reflect.Float32:    exactly[float32](),
	reflect.Float64:    exactly[float64](),
	reflect.Complex64:  exactly[complex64](),
	reflect.Complex128: exactly[complex128](),

	reflect.Int:     widened(reflect.Value.Int, setInt, func(n int64) (int, bool) { return int(n), int64(int(n)) == n }),
	reflect.Uint:    widened(reflect.Value.Uint, setUint, func(n uint64) (uint, bool) { return uint(n), uint64(uint(n)) == n }),
	reflect.Uintptr: widened(reflect.Value.Uint, setUint, func(n uint64) (uintptr, bool) { return uintptr(n), uint64(uintptr(n)) == n }),
}

var halves = exactly[array.Half]()

// codecOf returns the codec of a type of numbers.
func codecOf(t reflect.Type) (codec, bool) {
	if t == halves.basic {
		return halves, true
	}
	c, ok := codecs[t.Kind()]
	return c, ok
}

// exactly is the codec of an element type and the types made of it.
func exactly[T array.Element]() codec {
	var none array.Array[T]
	return codec{
		dtype:  none.DType(),
		basic:  reflect.TypeFor[T](),
		gather: func(dst array.Any, i int, v reflect.Value) { elements[T](dst)[i] = *pointer[T](v) },
		scatter: func(v reflect.Value, src array.Any, i int) error {
			*pointer[T](v) = elements[T](src)[i]
			return nil
		},
		slice: func(src array.Any) (any, error) { return elements[T](src), nil },
	}
}

// widened is the codec of int and its like, which are 64 bits in a file.
func widened[W int64 | uint64, T any](get func(reflect.Value) W, set func(reflect.Value, W) error, narrow func(W) (T, bool)) codec {
	var none array.Array[W]
	return codec{
		dtype:  none.DType(),
		basic:  reflect.TypeFor[T](),
		gather: func(dst array.Any, i int, v reflect.Value) { elements[W](dst)[i] = get(v) },
		scatter: func(v reflect.Value, src array.Any, i int) error {
			return set(v, elements[W](src)[i])
		},
		slice: func(src array.Any) (any, error) {
			wide := elements[W](src)
			out := make([]T, len(wide))
			for i, n := range wide {
				var ok bool
				if out[i], ok = narrow(n); !ok {
					return nil, errRange(n, reflect.TypeFor[T]())
				}
			}
			return out, nil
		},
	}
}

// elements are those of an array that is known to be of T.
func elements[T array.Element](a array.Any) []T { return a.(*array.Array[T]).Data() }

// pointer points to an addressable value whose type is made of T. Through it no
// NaN is converted, which could change it.
func pointer[T any](v reflect.Value) *T {
	return v.Addr().Convert(reflect.TypeFor[*T]()).Interface().(*T)
}

func setInt(v reflect.Value, n int64) error {
	if v.OverflowInt(n) {
		return errRange(n, v.Type())
	}
	v.SetInt(n)
	return nil
}

func setUint(v reflect.Value, n uint64) error {
	if v.OverflowUint(n) {
		return errRange(n, v.Type())
	}
	v.SetUint(n)
	return nil
}

func errRange[T int64 | uint64](n T, t reflect.Type) error {
	return fmt.Errorf("%w: the file holds %d, which is beyond %s", ErrType, n, t)
}

// scalar is the 0-d array of x.
func scalar[T array.Element](x T) array.Any {
	a, err := array.FromSlice([]T{x})
	if err == nil {
		a, err = a.Reshape()
	}
	if err != nil {
		return nil // which cannot be: one element has every shape of one
	}
	return a
}

// arrayTypes are the types *array.Array[T].
var arrayTypes = func() map[reflect.Type]bool {
	types := map[reflect.Type]bool{}
	for d := array.Bool; d.Valid(); d++ {
		if a, err := array.Make(d, 0); err == nil {
			types[reflect.TypeOf(a)] = true
		}
	}
	return types
}()

// leafType reports whether values of t are arrays that Load can make again.
func leafType(t reflect.Type) bool {
	return arrayTypes[t] || array.IsMatrix(t) || t == reflect.TypeFor[*Strings]()
}

// viewType reports whether values of t are gonum's, though of no type that Load
// can make.
func viewType(t reflect.Type) bool {
	base := t
	if t.Kind() == reflect.Pointer {
		base = t.Elem()
	}
	return t.Kind() != reflect.Interface && base.PkgPath() == reflect.TypeFor[mat.Dense]().PkgPath() &&
		(t.Implements(reflect.TypeFor[mat.Matrix]()) || t.Implements(reflect.TypeFor[mat.CMatrix]()))
}

// isText reports whether values of t are stored as their text. A struct that only
// has the methods of what it embeds would lose its other fields, so one that embeds
// such a type is stored as a struct.
func isText(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return false
	}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); f.Anonymous && hasText(f.Type) {
				return false
			}
		}
	}
	return hasText(t)
}

// hasText reports whether there are methods for the text of a t.
func hasText(t reflect.Type) bool {
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		t = reflect.PointerTo(t)
	}
	return t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
