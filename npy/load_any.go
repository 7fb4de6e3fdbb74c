package npy

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/numcache/numcache/array"
)

// dynamic sets a variable of an interface type.
func (l *loader) dynamic(path string, v reflect.Value) error {
	t := v.Type()
	switch {
	case t == reflect.TypeFor[array.Any]():
		got, err := l.member(path, t)
		if err != nil {
			return err
		}
		if _, ok := got.(array.Any); !ok {
			return l.mismatch(path, t)
		}
		v.Set(reflect.ValueOf(got))
		return nil
	case t.NumMethod() > 0:
		return failAt(path, fmt.Errorf("%w: which type a variable of type %s is to hold is not known; make it a concrete type, any or array.Any", ErrType, t))
	}
	made, err := l.any(path)
	if err != nil {
		return err
	}
	if v.SetZero(); made != nil {
		v.Set(reflect.ValueOf(made))
	}
	return nil
}

// any returns what stands at a path as the type that suits it.
func (l *loader) any(path string) (any, error) {
	if l.depth++; l.depth > maxNesting {
		return nil, failAt(path, fmt.Errorf("%w: more than %d values inside each other", ErrType, maxNesting))
	}
	defer func() { l.depth-- }()

	n, err := l.note(path)
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case noteNil:
		return nil, nil
	case noteLength:
		list := []any{}
		for i := int64(0); i < n.length; i++ {
			part, err := l.any(child(path, strconv.FormatInt(i, 10)))
			if err != nil {
				return nil, err
			}
			list = append(list, part)
		}
		return list, nil
	case noteKeys:
		return l.anyMap(path, n.keys)
	}
	parts := l.parts(path)
	isLeaf := path != "" && l.a.Has(path) || path == "" && len(parts) == 1 && parts[0] == rootMember && l.a.Has(rootMember)
	switch {
	case n.kind != noteThere && isLeaf:
		return l.anyLeaf(path, n.word)
	case n.kind == noteThere || len(parts) > 0 || path == "":
		return l.anyMap(path, parts)
	}
	return nil, l.missing(path)
}

func (l *loader) anyMap(path string, names []string) (any, error) {
	// A map costs some hundred bytes, and a long name can ask for a thousand of
	// them, each with a dot.
	if l.maps++; l.maps > 1000+16*len(l.sorted) {
		return nil, failAt(path, fmt.Errorf("%w: more maps inside each other than %d members justify", ErrFormat, len(l.sorted)))
	}
	made := make(map[string]any)
	for _, name := range names {
		key := unescapeName(name)
		if _, twice := made[key]; twice {
			return nil, failAt(path, fmt.Errorf("%w: the key %.200q is there twice", ErrFormat, name))
		}
		part, err := l.any(child(path, name))
		if err != nil {
			return nil, err
		}
		made[key] = part
	}
	return made, nil
}

func (l *loader) anyLeaf(path, word string) (any, error) {
	got, err := l.member(path, reflect.TypeFor[any]())
	if err != nil {
		return nil, err
	}
	switch got := got.(type) {
	case *Strings:
		switch len(got.Shape) {
		case 0:
			return got.Data[0], nil
		case 1:
			return got.Data, nil
		}
		return got, nil
	case array.Any:
		if len(got.Shape()) == 0 {
			switch x := plain(got).(type) {
			case narrowFloat:
				return x.value, nil
			case narrowComplex:
				return complex128(x), nil
			default:
				return x, nil
			}
		}
		if b, ok := got.(*array.Array[uint8]); ok && word == noteString && len(b.Shape()) == 1 {
			return string(b.Data()), nil
		}
	}
	return got, nil
}
