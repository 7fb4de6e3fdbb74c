package npy

import (
	"errors"
	"fmt"
	"math"

	"github.com/numcache/numcache/array"
)

// The descr of a header says what an element is. NumPy makes a dtype of it: of a
// string by name, of a pair a type and the shape of an array of it, of a list the
// fields of a record. This does the same for what a literal can hold.

var errDescr = errors.New("descr is no type")

// parseDescr reads a descr as its type, and the shape of the array of it that one
// element is, empty for a single one.
func parseDescr(descr any) (t Type, shape []int, err error) {
	switch descr := descr.(type) {
	case string:
		t, err := parseTypeName(descr)
		return t, nil, err
	case pyTuple: // NumPy does not look beyond the second item
		if len(descr) < 2 {
			return t, nil, fmt.Errorf("%w: a tuple of %d items", errDescr, len(descr))
		}
		t, shape, err := parseDescr(descr[0])
		if err != nil {
			return t, nil, err
		}
		return ofShape(t, shape, descr[1])
	case pyList:
		t, err := parseStruct(descr)
		return t, nil, err
	}
	return t, nil, fmt.Errorf("%w: %.100q", errDescr, fmt.Sprint(descr))
}

// ofShape is numpy.dtype((t, v)) where t is an array type of the given shape, or a
// single element: an array of the extents v, or a string of length v where t has no
// length of its own.
func ofShape(t Type, shape []int, v any) (Type, []int, error) {
	var extents []any
	switch v := v.(type) {
	case int64:
		extents = []any{v}
	case pyTuple:
		extents = v
	case pyList:
		extents = v
		if len(v) == 0 {
			return t, nil, badShape(v)
		}
	default:
		return t, nil, badShape(v)
	}
	_, single := v.(int64)
	outer := make([]int, 0, len(extents)+len(shape))
	for _, e := range extents {
		n, ok := e.(int64)
		if !ok || n < 0 || n > math.MaxInt32 {
			return t, nil, badShape(v)
		}
		outer = append(outer, int(n))
	}
	unit := Field{Type: t, Shape: shape}
	switch {
	case unit.size() == 0 && (t.Kind != Struct || len(shape) > 0): // NumPy's unsized types
		if !single || len(shape) > 0 {
			return t, nil, badShape(v)
		}
		t.ItemSize = outer[0]
		if t.Kind == Text {
			if outer[0] > math.MaxInt32/4 {
				return t, nil, badShape(v)
			}
			t.ItemSize *= 4
		}
		return t, nil, nil
	case single && outer[0] == 1 || len(extents) == 0:
		return t, shape, nil
	}
	outer = append(outer, shape...)
	n, err := array.Elements(outer, 1)
	if err != nil || n > math.MaxInt32/max(1, t.ItemSize) {
		return t, nil, badShape(v)
	}
	return t, outer, nil
}

func badShape(v any) error { return fmt.Errorf("%w: shape %.100q", errDescr, fmt.Sprint(v)) }

// parseStruct reads a list of fields: (name, descr) or (name, descr, shape), where
// name may be a pair of a title and a name.
func parseStruct(fields pyList) (Type, error) {
	t := Type{Kind: Struct, Fields: []Field{}}
	seen := map[string]bool{}
	for _, field := range fields {
		items, ok := field.(pyTuple)
		if !ok {
			list, _ := field.(pyList)
			items = pyTuple(list)
		}
		if len(items) != 2 && len(items) != 3 {
			return t, fmt.Errorf("%w: field %.100q", errDescr, fmt.Sprint(field))
		}
		of, shape, err := parseDescr(items[1])
		if err == nil && len(items) == 3 {
			of, shape, err = ofShape(of, shape, items[2])
		}
		if err != nil {
			return t, err
		}
		f := Field{Type: of, Shape: shape, Offset: t.ItemSize}
		if f.size() > math.MaxInt32-t.ItemSize {
			return t, fmt.Errorf("%w: a record of more than %d bytes", errDescr, math.MaxInt32)
		}
		t.ItemSize += f.size()
		// An array without a name is padding, too, whatever its elements.
		if items[0] == "" && (of.Kind == Void || len(shape) > 0) {
			continue
		}
		names, err := f.setName(items[0])
		if err != nil {
			return t, err
		}
		for _, name := range names {
			if seen[name] {
				return t, fmt.Errorf("%w: the name %.100q twice", errDescr, name)
			}
			seen[name] = true
		}
		t.Fields = append(t.Fields, f)
	}
	return t, nil
}

// setName sets the name, and the title where v is a pair. It returns both.
func (f *Field) setName(v any) (names []string, err error) {
	items, ok := v.(pyTuple)
	if !ok {
		items = pyTuple{nil, v}
	}
	if len(items) != 2 {
		return nil, fmt.Errorf("%w: name %.100q", errDescr, fmt.Sprint(v))
	}
	if items[0] != nil {
		if f.Title, ok = items[0].(string); !ok {
			return nil, fmt.Errorf("%w: title %.100q is no string", errDescr, fmt.Sprint(items[0]))
		}
		names = append(names, f.Title)
	}
	if f.Name, ok = items[1].(string); !ok {
		return nil, fmt.Errorf("%w: name %.100q is no string", errDescr, fmt.Sprint(items[1]))
	}
	return append(names, f.Name), nil
}
