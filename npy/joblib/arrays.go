package joblib

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// pending is an array that was begun and gets its value with BUILD.
type pending struct {
	wrapped bool // by joblib
	value   any  // nil until then
}

// dtype is a NumPy element type.
type dtype struct {
	name  string // such as f8, without the byte order
	order byte
}

func (d *dtype) descr() string { return string(d.order) + d.name }

// plainTypes are those whose elements are numbers or text.
var plainTypes = regexp.MustCompile(`^([biufc][0-9]{1,2}|[SU][0-9]{1,9})$`)

func newDType(_ *machine, args []any) (any, error) {
	if len(args) == 0 {
		return nil, badArguments("numpy.dtype")
	}
	name, ok := text(args[0])
	if !ok {
		return nil, badArguments("numpy.dtype")
	}
	if !plainTypes.MatchString(name) {
		why := "; its elements are no numbers"
		switch name[:min(1, len(name))] {
		case "O":
			why = "; its elements are any Python objects"
		case "M", "m":
			why = `; x.view("i8") has the numbers`
		}
		return nil, refused("dtype %.100q%s", name, why)
	}
	return &dtype{name, '|'}, nil
}

// setState takes the byte order of a dtype. Fields and the like make it another one.
func (d *dtype) setState(state any) error {
	t, ok := state.(*tuple)
	if !ok || len(t.items) < 5 {
		return damaged("the state of a dtype")
	}
	order, ok := text(t.items[1])
	if !ok || order != "<" && order != ">" && order != "|" && order != "=" {
		return damaged("the byte order of a dtype")
	}
	for _, part := range t.items[2:5] {
		if part != nil {
			return refused("a dtype with fields or parts")
		}
	}
	d.order = order[0]
	return nil
}

// read reads the elements of an array. Package npy does, behind a header of its own.
func (m *machine) read(d *dtype, r io.Reader, shape []int, fortran bool) (any, error) {
	if width := strings.TrimLeft(d.name[1:], "0"); width == "" { // strings that take no bytes in the file, but in memory
		n, err := array.Elements(shape, 16)
		if err != nil {
			return nil, damaged("%v", err)
		}
		if err := m.spend(16 * n); err != nil {
			return nil, err
		}
	}
	order := "False"
	if fortran {
		order = "True"
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", d.descr(), order, array.FormatShape(shape))
	head := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	stream := io.MultiReader(bytes.NewReader(append(head, text...)), r)
	var v any
	var err error
	if d.name[0] == 'S' || d.name[0] == 'U' {
		v, err = npy.ReadStringsFrom(stream)
	} else {
		v, err = npy.Read(stream)
	}
	switch {
	case errors.Is(err, npy.ErrUnsupported):
		return nil, refused("dtype %s: %v", d.descr(), err)
	case errors.Is(err, npy.ErrFormat), errors.Is(err, array.ErrShape), errors.Is(err, array.ErrDType):
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return v, err
}

// shapeOf reads the extents of an array.
func shapeOf(v any) ([]int, bool) {
	t, ok := v.(*tuple)
	if !ok || len(t.items) > 64 {
		return nil, false
	}
	shape := make([]int, len(t.items))
	for i, item := range t.items {
		n, ok := item.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			return nil, false
		}
		shape[i] = int(n)
	}
	return shape, true
}

// build gives the topmost value its state.
func (m *machine) build() error {
	values, err := m.pop(2)
	if err != nil {
		return err
	}
	object, state := values[0], values[1]
	m.stack = append(m.stack, object)
	switch object := object.(type) {
	case *dtype:
		return object.setState(state)
	case *pending:
		if object.value != nil {
			return damaged("an array that has two values")
		}
		if object.wrapped {
			object.value, err = m.unwrap(state)
		} else {
			object.value, err = m.reconstruct(state)
		}
		return err
	}
	return damaged("a state for what has none")
}

// reconstruct makes an array of the state in a plain pickle: version, shape, dtype,
// whether it is in Fortran order, and the bytes.
func (m *machine) reconstruct(state any) (any, error) {
	t, ok := state.(*tuple)
	if !ok || len(t.items) != 5 {
		return nil, damaged("the state of an array")
	}
	shape, okShape := shapeOf(t.items[1])
	d, okType := t.items[2].(*dtype)
	fortran, okOrder := t.items[3].(bool)
	b, okBytes := rawBytes(t.items[4])
	if !okShape || !okType || !okOrder || !okBytes {
		return nil, damaged("the state of an array")
	}
	return m.fromBytes(b, d, shape, fortran)
}

// unwrap reads an array whose bytes follow the instructions that made its wrapper: since
// joblib 1.2 behind some padding, the first byte of which says how much.
func (m *machine) unwrap(state any) (any, error) {
	fields, ok := state.(*dict)
	if !ok {
		return nil, damaged("the state of joblib's array")
	}
	var class, shapeItem, alignment any
	var d *dtype
	order := ""
	for _, item := range fields.items {
		switch name, _ := text(item.Key); name {
		case "subclass":
			class = item.Value
		case "shape":
			shapeItem = item.Value
		case "order":
			order, _ = text(item.Value)
		case "dtype":
			d, _ = item.Value.(*dtype)
		case "numpy_array_alignment_bytes":
			alignment = item.Value
		}
	}
	if err := checkClass(class); err != nil {
		return nil, err
	}
	shape, ok := shapeOf(shapeItem)
	if !ok || d == nil || order != "C" && order != "F" {
		return nil, damaged("the state of joblib's array")
	}
	if alignment != nil {
		padding, err := m.in.ReadByte()
		if err == nil {
			_, err = m.in.take(uint64(padding))
		}
		if err != nil {
			return nil, err
		}
	}
	return m.read(d, &m.in, shape, order == "F")
}

// element returns the one element of an array without dimensions.
func element(v any) any {
	switch a := v.(type) {
	case *npy.Strings:
		return a.Data[0]
	case *array.Array[bool]:
		return a.Data()[0]
	case *array.Array[int8]:
		return a.Data()[0]
	case *array.Array[int16]:
		return a.Data()[0]
	case *array.Array[int32]:
		return a.Data()[0]
	case *array.Array[int64]:
		return a.Data()[0]
	case *array.Array[uint8]:
		return a.Data()[0]
	case *array.Array[uint16]:
		return a.Data()[0]
	case *array.Array[uint32]:
		return a.Data()[0]
	case *array.Array[uint64]:
		return a.Data()[0]
	case *array.Array[array.Half]:
		return a.Data()[0]
	case *array.Array[float32]:
		return a.Data()[0]
	case *array.Array[float64]:
		return a.Data()[0]
	case *array.Array[complex64]:
		return a.Data()[0]
	case *array.Array[complex128]:
		return a.Data()[0]
	}
	return v
}
