package npy

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// list writes a slice or a Go array.
func (d *dumper) list(path string, v reflect.Value) error {
	if shape, element := extents(v.Type(), v.Len()); element != nil {
		return d.numbers(path, v, shape, element)
	}
	if table, ok, err := stringTable(v); err != nil {
		return failAt(path, err)
	} else if ok {
		return d.write(memberOf(path), table)
	}
	if err := d.write(noteOf(path), scalar(int64(v.Len()))); err != nil {
		return err
	}
	for i := range v.Len() {
		if err := d.value(child(path, strconv.Itoa(i)), v.Index(i), 0); err != nil {
			return err
		}
	}
	return nil
}

// extents returns the shape and the element type of a list of n numbers, or of Go
// arrays of numbers; a nil element where it is made of something else.
func extents(t reflect.Type, n int) (shape []int, element reflect.Type) {
	shape = []int{n}
	for t = t.Elem(); t.Kind() == reflect.Array && !isText(t) && !leafType(reflect.PointerTo(t)); t = t.Elem() {
		shape = append(shape, t.Len())
	}
	if _, ok := codecOf(t); !ok || isText(t) {
		return nil, nil
	}
	return shape, t
}

// numbers writes an array of the shape and of v's elements, which are of type t.
func (d *dumper) numbers(path string, v reflect.Value, shape []int, t reflect.Type) error {
	c, _ := codecOf(t)
	if v.Kind() == reflect.Slice && len(shape) == 1 && t == c.basic && t.Kind() != reflect.Uintptr {
		return d.write(memberOf(path), v.Convert(reflect.SliceOf(t)).Interface())
	}
	a, err := array.Make(c.dtype, shape...)
	if err != nil {
		return failAt(path, err)
	}
	if a.Len() > 0 {
		eachNumber(addressable(v), func(i int, number reflect.Value) {
			c.gather(a, i, number)
		})
	}
	return d.write(memberOf(path), a)
}

// eachNumber calls f for the numbers that v is or holds, in C order. v must be
// addressable.
func eachNumber(v reflect.Value, f func(i int, number reflect.Value)) {
	i := 0
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if k := v.Kind(); k != reflect.Slice && k != reflect.Array {
			f(i, v)
			i++
			return
		}
		for j := range v.Len() {
			walk(v.Index(j))
		}
	}
	walk(v)
}

// stringTable returns a list of strings as one array, if NumPy can hold them and
// one that is long does not make all of them long.
func stringTable(v reflect.Value) (*Strings, bool, error) {
	element := v.Type().Elem()
	text := isText(element)
	if !text && element.Kind() != reflect.String {
		return nil, false, nil
	}
	s := &Strings{Data: make([]string, v.Len()), Shape: []int{v.Len()}}
	for i := range s.Data {
		if !text {
			s.Data[i] = v.Index(i).String()
		} else if isNil(v.Index(i)) { // which no text tells
			return nil, false, nil
		} else {
			var err error
			if s.Data[i], err = marshal(v.Index(i)); err != nil {
				return nil, false, fmt.Errorf("element %d: %w", i, err)
			}
		}
		if !holdsText(s.Data[i]) {
			return nil, false, nil
		}
	}
	if wasteful(s.Data) {
		return nil, false, nil
	}
	return s, true, nil
}

// wasteful reports whether strings have lengths so different that they should not
// be one array, which has four bytes for each character of the longest in each.
func wasteful(data []string) bool {
	total, width := 0, 0
	for _, s := range data {
		total += len(s)
		width = max(width, utf8.RuneCountInString(s))
	}
	const generous, waste = 1 << 16, 16
	size := 4 * int64(width) * int64(len(data))
	return size > generous && size/waste > int64(total)
}

// holdsText reports whether a NumPy string can be s.
func holdsText(s string) bool { return utf8.ValidString(s) && !strings.HasSuffix(s, "\x00") }

// mapping writes a map.
func (d *dumper) mapping(path string, v reflect.Value) error {
	keys := v.MapKeys()
	names := make([]string, len(keys))
	var err error
	switch key := v.Type().Key(); {
	case key.Kind() == reflect.String:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for i, k := range keys {
			names[i] = escape(k.String())
		}
		if !wasteful(names) { // else the members tell them
			err = d.write(noteOf(path), &Strings{Data: names, Shape: []int{len(names)}})
		}
	case signed(key.Kind()):
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.Int(), b.Int()) })
		note := make([]int64, len(keys))
		for i, k := range keys {
			note[i], names[i] = k.Int(), strconv.FormatInt(k.Int(), 10)
		}
		err = d.write(noteOf(path), note)
	case unsigned(key.Kind()):
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.Uint(), b.Uint()) })
		note := make([]uint64, len(keys))
		for i, k := range keys {
			note[i], names[i] = k.Uint(), strconv.FormatUint(k.Uint(), 10)
		}
		err = d.write(noteOf(path), note)
	default:
		err = failAt(path, errKeys(v.Type()))
	}
	if err != nil {
		return err
	}
	for i, k := range keys {
		if err := d.value(child(path, names[i]), v.MapIndex(k), 0); err != nil {
			return err
		}
	}
	return nil
}

func errKeys(t reflect.Type) error {
	return fmt.Errorf("%w: the keys of %s are neither strings nor integers", ErrType, t)
}

func signed(k reflect.Kind) bool   { return k >= reflect.Int && k <= reflect.Int64 }
func unsigned(k reflect.Kind) bool { return k >= reflect.Uint && k <= reflect.Uintptr }

// fields writes a struct.
func (d *dumper) fields(path string, v reflect.Value) error {
	fields, err := fieldsOf(v.Type())
	if err != nil {
		return failAt(path, err)
	}
	// It must be told that a struct without members is there, and that one with a
	// field called value is no plain value.
	members, note := 0, false
	for _, f := range fields {
		value := v.Field(f.index)
		if f.omitEmpty && value.IsZero() {
			continue
		}
		members++
		note = note || path == "" && f.name == rootMember
		if err := d.value(child(path, f.name), value, 0); err != nil {
			return err
		}
	}
	if note || members == 0 {
		return d.write(noteOf(path), scalar(true))
	}
	return nil
}
