package npy

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/numcache/numcache/array"
)

// list sets a slice or a Go array.
func (l *loader) list(path string, v reflect.Value, n note) error {
	t := v.Type()
	if shape, element := extents(t, 0); element != nil {
		return l.numbers(path, v, shape, element)
	}
	if text := isText(t.Elem()); (text || t.Elem().Kind() == reflect.String) && l.a.Has(memberOf(path)) {
		return l.strings(path, v, text)
	}
	if n.kind == noteNone && !l.a.Has(memberOf(path)) { // another writer's
		if n.length = int64(len(l.parts(path))); n.length > 0 {
			n.kind = noteLength
		}
	}
	if n.kind != noteLength || t.Kind() == reflect.Array && n.length != int64(t.Len()) {
		return l.mismatch(path, t)
	}
	if t.Kind() == reflect.Array {
		for i := range t.Len() {
			if err := l.value(child(path, strconv.Itoa(i)), v.Index(i), 0); err != nil {
				return err
			}
		}
		return nil
	}
	// The length is believed element by element, each of which has its member.
	made := reflect.MakeSlice(t, 0, 0)
	for i := int64(0); i < n.length; i++ {
		element := reflect.New(t.Elem()).Elem()
		if err := l.value(child(path, strconv.FormatInt(i, 10)), element, 0); err != nil {
			return err
		}
		made = reflect.Append(made, element)
	}
	v.Set(made)
	return nil
}

// numbers sets a list of numbers. Its shape is that of v's type, but for the first
// extent of a slice.
func (l *loader) numbers(path string, v reflect.Value, shape []int, element reflect.Type) error {
	t := v.Type()
	c, _ := codecOf(element)
	got, err := l.member(path, t)
	if err != nil {
		return err
	}
	a, ok := got.(array.Any)
	if !ok || a.DType() != c.dtype || len(a.Shape()) != len(shape) {
		return l.mismatch(path, t)
	}
	shape[0] = a.Shape()[0]
	if t.Kind() == reflect.Array {
		shape[0] = t.Len()
	}
	if !slices.Equal(a.Shape(), shape) {
		return l.mismatch(path, t)
	}
	if t.Kind() == reflect.Slice && len(shape) == 1 && element == c.basic {
		data, err := c.slice(a)
		if err != nil {
			return failAt(path, err)
		}
		v.Set(reflect.ValueOf(data).Convert(t))
		return nil
	}
	made := reflect.New(t).Elem()
	if t.Kind() == reflect.Slice {
		made = reflect.MakeSlice(t, shape[0], shape[0])
	}
	if a.Len() > 0 {
		eachNumber(made, func(i int, number reflect.Value) {
			if e := c.scatter(number, a, i); e != nil && err == nil {
				err = e
			}
		})
	}
	if err != nil {
		return failAt(path, err)
	}
	v.Set(made)
	return nil
}

// strings sets a list of strings, or of what is stored as text.
func (l *loader) strings(path string, v reflect.Value, text bool) error {
	t := v.Type()
	got, err := l.member(path, t)
	if err != nil {
		return err
	}
	s, ok := got.(*Strings)
	if !ok || len(s.Shape) != 1 || t.Kind() == reflect.Array && len(s.Data) != t.Len() {
		return l.mismatch(path, t)
	}
	made := reflect.New(t).Elem()
	if t.Kind() == reflect.Slice {
		made = reflect.MakeSlice(t, len(s.Data), len(s.Data))
	}
	for i, data := range s.Data {
		if !text {
			made.Index(i).SetString(data)
		} else if err := unmarshal(child(path, strconv.Itoa(i)), made.Index(i), data); err != nil {
			return err
		}
	}
	v.Set(made)
	return nil
}
