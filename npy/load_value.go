package npy

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/numcache/numcache/array"
)

// value sets v, which is addressable, to what stands at a path. That many pointers
// led to it from the last field, key or index.
func (l *loader) value(path string, v reflect.Value, pointers int) error {
	if l.depth++; l.depth > maxNesting {
		return failAt(path, fmt.Errorf("%w: more than %d values inside each other", ErrType, maxNesting))
	}
	defer func() { l.depth-- }()

	t := v.Type()
	n, err := l.note(path)
	if err != nil {
		return err
	}
	if n.kind == noteNil && n.level <= pointers {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			v.SetZero()
			return nil
		}
		return l.mismatch(path, t)
	}
	switch {
	case leafType(t):
		return l.array(path, v, n.word)
	case leafType(reflect.PointerTo(t)):
		p := reflect.New(reflect.PointerTo(t)).Elem()
		if err := l.array(path, p, n.word); err != nil {
			return err
		}
		v.Set(p.Elem())
		return nil
	case isText(t):
		text, err := l.text(path, t)
		if err != nil {
			return err
		}
		return unmarshal(path, v, text)
	}
	switch t.Kind() {
	case reflect.Interface:
		return l.dynamic(path, v)
	case reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := l.value(path, p.Elem(), pointers+1); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case reflect.String:
		text, err := l.text(path, t)
		if err != nil {
			return err
		}
		v.SetString(text)
		return nil
	case reflect.Slice, reflect.Array:
		return l.list(path, v, n)
	case reflect.Map:
		return l.mapping(path, v, n)
	case reflect.Struct:
		return l.fields(path, v, n)
	}
	if c, ok := codecOf(t); ok {
		return l.number(path, v, c)
	}
	return failAt(path, fmt.Errorf("%w: a value of type %s cannot be stored", ErrType, t))
}

// member reads the member at a path, for a variable of type t.
func (l *loader) member(path string, t reflect.Type) (any, error) {
	name := memberOf(path)
	if !l.a.Has(name) {
		return nil, l.mismatch(path, t)
	}
	v, err := l.read(name)
	if err != nil {
		return nil, failAt(path, err)
	}
	return v, nil
}

// array sets a variable of one of the leafTypes.
func (l *loader) array(path string, v reflect.Value, layout string) error {
	t := v.Type()
	got, err := l.member(path, t)
	if err != nil {
		return err
	}
	if a, ok := got.(array.Any); ok && array.IsMatrix(t) {
		if got, err = array.Matrix(a, layout, t); err != nil {
			return l.mismatch(path, t)
		}
	}
	if reflect.TypeOf(got) != t {
		return l.mismatch(path, t)
	}
	v.Set(reflect.ValueOf(got))
	return nil
}

// text reads a string.
func (l *loader) text(path string, t reflect.Type) (string, error) {
	got, err := l.member(path, t)
	if err != nil {
		return "", err
	}
	switch got := got.(type) {
	case *Strings:
		if len(got.Shape) == 0 {
			return got.Data[0], nil
		}
	case *array.Array[uint8]:
		if n, err := l.note(path); err != nil {
			return "", err
		} else if n.word == noteString && len(got.Shape()) == 1 {
			return string(got.Data()), nil
		}
	}
	return "", l.mismatch(path, t)
}

// unmarshal sets v from its text. It is made anew, because what v holds may reach
// into memory that the caller's variable shares, as that of a big.Int does.
func unmarshal(path string, v reflect.Value, text string) error {
	made := reflect.New(v.Type())
	if err := made.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		return failAt(path, fmt.Errorf("%w: %.200q as %s: %w", ErrType, text, v.Type(), err))
	}
	v.Set(made.Elem())
	return nil
}

// number sets a number from a 0-d array.
func (l *loader) number(path string, v reflect.Value, c codec) error {
	t := v.Type()
	got, err := l.member(path, t)
	if err != nil {
		return err
	}
	a, ok := got.(array.Any)
	if !ok || len(a.Shape()) != 0 {
		return l.mismatch(path, t)
	}
	if a.DType() == c.dtype {
		err = c.scatter(v, a, 0)
	} else {
		err = convertNumber(v, plain(a))
	}
	switch {
	case errors.Is(err, errNoConversion):
		return l.mismatch(path, t)
	case err != nil:
		return failAt(path, err)
	}
	return nil
}

var errNoConversion = errors.New("npy: no conversion")

// convertNumber sets v to a number of another type, if it is of the same sort and
// nothing is lost.
func convertNumber(v reflect.Value, x any) error {
	half := v.Type() == halves.basic
	switch x := x.(type) {
	case int64:
		switch {
		case half:
		case signed(v.Kind()):
			return setInt(v, x)
		case unsigned(v.Kind()) && x < 0:
			return errRange(x, v.Type())
		case unsigned(v.Kind()):
			return setUint(v, uint64(x))
		}
	case uint64:
		switch {
		case half:
		case unsigned(v.Kind()):
			return setUint(v, x)
		case signed(v.Kind()) && int64(x) < 0:
			return errRange(x, v.Type())
		case signed(v.Kind()):
			return setInt(v, int64(x))
		}
	case narrowFloat:
		if v.Kind() == reflect.Float64 || v.Kind() == reflect.Float32 && x.half {
			v.SetFloat(x.value)
			return nil
		}
	case narrowComplex:
		if v.Kind() == reflect.Complex128 {
			v.SetComplex(complex128(x))
			return nil
		}
	}
	return errNoConversion
}

type (
	narrowFloat struct { // of fewer than 64 bits
		value float64
		half  bool // of 16
	}
	narrowComplex complex128 // of fewer than 128 bits
)

// plain returns the only element of a 0-d array as a bool, int64, uint64, float64,
// complex128, or as one of the types above.
func plain(a array.Any) any {
	switch a := a.(type) {
	case *array.Array[bool]:
		return a.Data()[0]
	case *array.Array[int8]:
		return int64(a.Data()[0])
	case *array.Array[int16]:
		return int64(a.Data()[0])
	case *array.Array[int32]:
		return int64(a.Data()[0])
	case *array.Array[int64]:
		return a.Data()[0]
	case *array.Array[uint8]:
		return uint64(a.Data()[0])
	case *array.Array[uint16]:
		return uint64(a.Data()[0])
	case *array.Array[uint32]:
		return uint64(a.Data()[0])
	case *array.Array[uint64]:
		return a.Data()[0]
	case *array.Array[array.Half]:
		return narrowFloat{float64(a.Data()[0].Float32()), true}
	case *array.Array[float32]:
		return narrowFloat{float64(a.Data()[0]), false}
	case *array.Array[float64]:
		return a.Data()[0]
	case *array.Array[complex64]:
		return narrowComplex(a.Data()[0])
	default:
		return a.(*array.Array[complex128]).Data()[0]
	}
}

// fields sets a struct.
func (l *loader) fields(path string, v reflect.Value, n note) error {
	fields, err := fieldsOf(v.Type())
	if err != nil {
		return failAt(path, err)
	}
	if !l.has(path) || path != "" && l.a.Has(path) || n.kind == noteLength || n.kind == noteNil {
		return l.mismatch(path, v.Type())
	}
	for _, f := range fields {
		at := child(path, f.name)
		if f.omitEmpty && !l.has(at) {
			v.Field(f.index).SetZero()
			continue
		}
		if err := l.value(at, v.Field(f.index), 0); err != nil {
			return err
		}
	}
	return nil
}

// mapping sets a map.
func (l *loader) mapping(path string, v reflect.Value, n note) error {
	t := v.Type()
	names := n.keys
	switch n.kind {
	case noteKeys:
	case noteNone: // another writer's
		if names = l.parts(path); names == nil && (path != "" || len(l.a.names) > 0) {
			return l.mismatch(path, t)
		}
	default:
		return l.mismatch(path, t)
	}
	made := reflect.MakeMap(t)
	for _, name := range names {
		key := reflect.New(t.Key()).Elem()
		if err := setKey(key, name); err != nil {
			return failAt(path, err)
		}
		if made.MapIndex(key).IsValid() {
			return failAt(path, fmt.Errorf("%w: the key %.200q is there twice", ErrFormat, name))
		}
		value := reflect.New(t.Elem()).Elem()
		if err := l.value(child(path, name), value, 0); err != nil {
			return err
		}
		made.SetMapIndex(key, value)
	}
	v.Set(made)
	return nil
}

// setKey sets the key of a map from its name.
func setKey(key reflect.Value, name string) error {
	bits := 64
	if k := key.Kind(); signed(k) || unsigned(k) {
		bits = key.Type().Bits()
	}
	bad := fmt.Errorf("%w: the file holds the key %.200q, the variable has keys of %s", ErrType, name, key.Type())
	switch {
	case key.Kind() == reflect.String:
		key.SetString(unescapeName(name))
	case signed(key.Kind()):
		n, err := strconv.ParseInt(name, 10, bits)
		if err != nil || strconv.FormatInt(n, 10) != name {
			return bad
		}
		key.SetInt(n)
	case unsigned(key.Kind()):
		n, err := strconv.ParseUint(name, 10, bits)
		if err != nil || strconv.FormatUint(n, 10) != name {
			return bad
		}
		key.SetUint(n)
	default:
		return errKeys(reflect.MapOf(key.Type(), reflect.TypeFor[any]()))
	}
	return nil
}
