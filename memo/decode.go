package memo

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/numcache/numcache/array"
)

// resultDecoder makes Go values of a record's results. load returns the array
// that a reference names, for the decoder alone.
type resultDecoder struct {
	load func(arrayRef) (array.Any, error)
}

// results decodes a whole list of results. errMismatch says that they are not of
// these types.
func (d *resultDecoder) results(list []Value, types []reflect.Type) ([]reflect.Value, error) {
	if len(list) != len(types) {
		return nil, errMismatch
	}
	values := make([]reflect.Value, len(types))
	for i, t := range types {
		node, err := list[i].node()
		if err != nil {
			return nil, errMismatch
		}
		values[i] = reflect.New(t).Elem()
		if err := d.value(node, values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// value sets v, which is settable and zero, to what node says.
func (d *resultDecoder) value(node any, v reflect.Value) error {
	info := infoOf(v.Type())
	if node == nil {
		switch v.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			return nil
		}
		return errMismatch
	}
	ok := true
	switch info.kind {
	case kindBool:
		var b bool
		b, ok = node.(bool)
		v.SetBool(b)
	case kindInt:
		n, err := strconv.ParseInt(numberText(node), 10, v.Type().Bits())
		ok = err == nil
		v.SetInt(n)
	case kindUint:
		n, err := strconv.ParseUint(numberText(node), 10, v.Type().Bits())
		ok = err == nil
		v.SetUint(n)
	case kindFloat:
		ok = setFloat(v, node)
	case kindHalf:
		ok = setHalf(v, node)
	case kindComplex:
		ok = setComplex(v, node)
	case kindString:
		b, err := d.text(node, "string")
		if err != nil {
			return err
		}
		v.SetString(string(b))
	case kindBytes:
		b, err := d.text(node, "bytes")
		if err != nil {
			return err
		}
		ok = setSlice(v, reflect.ValueOf(b))
	case kindNumbers:
		return d.numbers(node, v)
	case kindArray:
		return d.array(node, v)
	case kindList:
		return d.list(node, v)
	case kindMap, kindStruct:
		return d.mapping(node, v, info)
	case kindPointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(node, v.Elem())
	}
	if !ok {
		return errMismatch
	}
	return nil
}

// numberText returns the text of a JSON number, "" of anything else.
func numberText(node any) string {
	n, _ := node.(json.Number)
	return n.String()
}

// setFloat sets v to node if v's type holds it exactly.
func setFloat(v reflect.Value, node any) bool {
	if m, ok := node.(map[string]any); ok && v.Kind() == reflect.Float32 {
		if s, ok := m["float32"].(string); ok {
			bits, err := strconv.ParseUint(s, 16, 32)
			setBits(v, reflect.ValueOf(math.Float32frombits(uint32(bits))))
			return err == nil
		}
	}
	f, ok := floatOf(node)
	v.SetFloat(f)
	return ok && (f != f || v.Float() == f)
}

// setHalf sets v to node if a float16 holds it exactly.
func setHalf(v reflect.Value, node any) bool {
	var f float32
	ok := setFloat(reflect.ValueOf(&f).Elem(), node)
	h := array.ToHalf(f)
	v.SetUint(uint64(h))
	return ok && (f != f || h.Float32() == f)
}

func setComplex(v reflect.Value, node any) bool {
	m, _ := node.(map[string]any)
	parts, _ := m["complex"].([]any)
	if len(parts) != 2 {
		return false
	}
	if v.Kind() == reflect.Complex64 {
		var re, im float32
		ok := setFloat(reflect.ValueOf(&re).Elem(), parts[0]) && setFloat(reflect.ValueOf(&im).Elem(), parts[1])
		setBits(v, reflect.ValueOf(complex(re, im)))
		return ok
	}
	re, okRe := floatOf(parts[0])
	im, okIm := floatOf(parts[1])
	v.SetComplex(complex(re, im))
	return okRe && okIm
}

// text reads a string or bytes, which may be an array of their own.
func (d *resultDecoder) text(node any, form string) ([]byte, error) {
	if s, ok := node.(string); ok && form == "string" {
		return []byte(s), nil
	}
	m, ok := node.(map[string]any)
	if !ok {
		return nil, errMismatch
	}
	if b, ok := bytesIn(m, form); ok {
		return b, nil
	}
	ref, ok := arrayRefOf(m[form])
	if !ok {
		return nil, errMismatch
	}
	a, err := d.load(ref)
	if err != nil {
		return nil, err
	}
	b, ok := a.(*array.Array[uint8])
	if !ok {
		return nil, errMismatch
	}
	return b.Data(), nil
}

// setSlice sets v, a slice or Go array, to the items of src.
func setSlice(v, src reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		if src.Type().ConvertibleTo(v.Type()) {
			v.Set(src.Convert(v.Type()))
			return true
		}
		v.Set(reflect.MakeSlice(v.Type(), src.Len(), src.Len()))
	}
	if v.Len() != src.Len() {
		return false
	}
	if ints, ok := v.Addr().Interface().(*[]int); ok { // the most common one, and reflect is slow
		for i, n := range src.Interface().([]int64) {
			(*ints)[i] = int(n)
		}
		return true
	}
	for i := range src.Len() {
		setBits(v.Index(i), src.Index(i))
	}
	return true
}

// numbers reads a 1-d array into a slice or Go array of numbers.
func (d *resultDecoder) numbers(node any, v reflect.Value) error {
	ref, ok := arrayRefOf(node)
	if !ok || len(ref.Shape) != 1 {
		return errMismatch
	}
	want, err := array.Of(reflect.MakeSlice(reflect.SliceOf(numberType(v.Type().Elem())), 0, 0).Interface())
	if err != nil || want.DType() != ref.DType {
		return errMismatch
	}
	a, err := d.load(ref)
	if err != nil {
		return err
	}
	if !setSlice(v, reflect.ValueOf(elements(a))) {
		return errMismatch
	}
	return nil
}

// elements returns a's own slice of elements.
func elements(a array.Any) any {
	switch a := a.(type) {
	case *array.Array[bool]:
		return a.Data()
	case *array.Array[int8]:
		return a.Data()
	case *array.Array[int16]:
		return a.Data()
	case *array.Array[int32]:
		return a.Data()
	case *array.Array[int64]:
		return a.Data()
	case *array.Array[uint8]:
		return a.Data()
	case *array.Array[uint16]:
		return a.Data()
	case *array.Array[uint32]:
		return a.Data()
	case *array.Array[uint64]:
		return a.Data()
	case *array.Array[array.Half]:
		return a.Data()
	case *array.Array[float32]:
		return a.Data()
	case *array.Array[float64]:
		return a.Data()
	case *array.Array[complex64]:
		return a.Data()
	case *array.Array[complex128]:
		return a.Data()
	}
	return nil
}

func (d *resultDecoder) array(node any, v reflect.Value) error {
	ref, ok := arrayRefOf(node)
	if !ok {
		return errMismatch
	}
	if want, plain := v.Interface().(array.Any); plain && want.DType() != ref.DType {
		return errMismatch
	}
	a, err := d.load(ref)
	if err != nil {
		return err
	}
	return setArray(v, a, ref.layout)
}

// setArray sets v to a, or to the gonum value of v's type with these elements and
// layout.
func setArray(v reflect.Value, a array.Any, layout string) error {
	if reflect.TypeOf(a) == v.Type() {
		v.Set(reflect.ValueOf(a))
		return nil
	}
	if _, other := v.Interface().(array.Any); other {
		return errMismatch
	}
	m, err := array.Matrix(a, layout, v.Type())
	if err != nil {
		return fmt.Errorf("%w: %w", errMismatch, err)
	}
	v.Set(reflect.ValueOf(m))
	return nil
}

func (d *resultDecoder) list(node any, v reflect.Value) error {
	items, ok := node.([]any)
	if !ok || v.Kind() == reflect.Array && v.Len() != len(items) {
		return errMismatch
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	}
	for i, item := range items {
		if err := d.value(item, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (d *resultDecoder) mapping(node any, v reflect.Value, info *typeInfo) error {
	m, _ := node.(map[string]any)
	entries, ok := m["map"].(map[string]any)
	if !ok {
		return errMismatch
	}
	if info.kind == kindStruct {
		if len(entries) != len(info.fields) {
			return errMismatch
		}
		for _, f := range info.fields {
			item, ok := entries[f.name]
			if !ok {
				return errMismatch
			}
			if err := d.value(item, v.Field(f.index)); err != nil {
				return err
			}
		}
		return nil
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(entries)))
	for name, item := range entries {
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(item, element); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), element)
	}
	return nil
}
