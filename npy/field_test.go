package npy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// A record of every field costs more than one field of it.
func TestFieldTakesItsOwnMemory(t *testing.T) {
	const n = 2000
	data := make([]byte, n*(4+4096))
	for i := range n {
		binary.LittleEndian.PutUint32(data[i*4100:], uint32(i))
	}
	path := file(t, with("[('id', '<u4'), ('image', '|u1', (64, 64))]", "(2000,)"), data)
	var a array.Any
	var err error
	got := allocated(func() { a, err = npy.ReadField(path, "id") })
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range a.(*array.Array[uint32]).Data() {
		if id != uint32(i) {
			t.Fatalf("record %d has id %d", i, id)
		}
	}
	if got > 1<<20 {
		t.Errorf("%d bytes were allocated for a field of %d in a file of %d", got, 4*n, len(data))
	}
	a, err = npy.ReadField(path, "image")
	if err != nil || array.FormatShape(a.Shape()) != "(2000, 64, 64)" || a.DType() != array.Uint8 {
		t.Errorf("image: %v, %v", a, err)
	}
}

func TestFieldErrors(t *testing.T) {
	record := "[('x', '<f8'), ('s', '|S3'), ('in', [('y', '<i2'), ('z.w', '?')], (2,)), ('t', '<M8[s]'), ('none', '<f8', (0,))]"
	whole := make([]byte, 3*(8+3+2*3+8))
	path := file(t, with(record, "(3,)"), whole)
	for _, tt := range []struct{ path, name, says string }{
		{path, "", `no field "" among 'x', 's', 'in', 't', 'none'`},
		{path, "X", `no field "X"`},
		{path, "x.y", "no field"},
		{path, "in.x", "no field"},
		{path, "in", "ReadField reads one of their fields"},
		{path, "s", "ReadStrings reads them"},
		{path, "t", "only their header is read"},
		{file(t, with("'<f8'", "(3,)"), whole), "x", "have no fields"},
		{file(t, with("'<f8'", "(3,)"), whole), strings.Repeat("x", 9999), "have no fields"},
	} {
		a, err := npy.ReadField(tt.path, tt.name)
		var of *npy.Error
		if a != nil || !errors.Is(err, npy.ErrUnsupported) || !errors.As(err, &of) || of.Path != tt.path || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 1000 {
			t.Errorf("%q: %v", tt.name, err)
		}
	}
	if s, err := npy.ReadStringField(path, "x"); s != nil || !errors.Is(err, npy.ErrUnsupported) {
		t.Errorf("strings of a number: %v", err)
	}
	for _, name := range []string{"in.y", "in.z.w", "x", "none"} {
		if _, err := npy.ReadField(path, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		for _, n := range []int{0, 1, len(whole) - 1} {
			if a, err := npy.ReadField(file(t, with(record, "(3,)"), whole[:n]), name); a != nil || !errors.Is(err, npy.ErrFormat) {
				t.Errorf("%q of %d bytes: %v", name, n, err)
			}
		}
	}
}

// Headers that promise more than there is cost nothing.
func TestHostileFields(t *testing.T) {
	for name, tt := range map[string]struct {
		descr, shape string
		want         error
	}{
		"many records":      {"[('x', '<f8')]", "(1000000000,)", npy.ErrFormat},
		"a wide record":     {"[('x', '<f8'), ('s', '|S2000000000')]", "(1,)", npy.ErrFormat},
		"no bytes":          {"[('x', '<f8', (0,))]", "(100000000,)", nil},
		"empty":             {"[('x', '<f8', (1000000,))]", "(0,)", nil},
		"too many elements": {"[('in', [('x', '<f8', (0,))], (2000000000,))]", "(1000000000,)", npy.ErrFormat},
		"hollow strings":    {"[('x', '|S0')]", "(1000000000,)", npy.ErrUnsupported},
	} {
		path := file(t, with(tt.descr, tt.shape), []byte("0123456789"))
		var err error
		got := allocated(func() {
			if strings.Contains(tt.descr, "in") {
				_, err = npy.ReadField(path, "in.x")
			} else if _, err = npy.ReadField(path, "x"); errors.Is(err, npy.ErrUnsupported) {
				_, err = npy.ReadStringField(path, "x")
			}
		})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if got > 256<<10 {
			t.Errorf("%s: %d bytes were allocated", name, got)
		}
	}
}

// Records of no bytes may be any number, and are not counted through.
func TestFieldsOfNoBytesInFortranOrder(t *testing.T) {
	text := strings.Replace(with("[('x', '<f8', (0, 2)), ('s', '|S3', (0,))]", "(100000, 1000)"), "False", "True", 1)
	path := file(t, text, nil)
	if a, err := npy.ReadField(path, "x"); err != nil || array.FormatShape(a.Shape()) != "(100000, 1000, 0, 2)" {
		t.Errorf("%v", err)
	}
	if s, err := npy.ReadStringField(path, "s"); err != nil || array.FormatShape(s.Shape) != "(100000, 1000, 0)" {
		t.Errorf("%v", err)
	}
}

// Append writes what can be read, and refuses what no file has.
func TestHeaderAppend(t *testing.T) {
	float := npy.Type{Kind: npy.Numeric, DType: array.Float64, ItemSize: 8}
	field := func(name string, offset int) npy.Field { return npy.Field{Name: name, Type: float, Offset: offset} }
	for name, h := range map[string]npy.Header{
		"nothing":      {},
		"no dtype":     {Type: npy.Type{Kind: npy.Numeric, ItemSize: 8}},
		"another size": {Type: npy.Type{Kind: npy.Numeric, DType: array.Int8, ItemSize: 2}},
		"overlap":      {Type: npy.Type{Kind: npy.Struct, ItemSize: 16, Fields: []npy.Field{field("a", 0), field("b", 4)}}},
		"out of order": {Type: npy.Type{Kind: npy.Struct, ItemSize: 16, Fields: []npy.Field{field("a", 8), field("b", 0)}}},
		"too short":    {Type: npy.Type{Kind: npy.Struct, ItemSize: 4, Fields: []npy.Field{field("a", 0)}}},
		"twice":        {Type: npy.Type{Kind: npy.Struct, ItemSize: 16, Fields: []npy.Field{field("a", 0), field("a", 8)}}},
		"no UTF-8":     {Type: npy.Type{Kind: npy.Struct, ItemSize: 8, Fields: []npy.Field{field("\xff", 0)}}},
		"too long":     {Type: npy.Type{Kind: npy.Struct, ItemSize: 8, Fields: []npy.Field{field(strings.Repeat("x", 10000), 0)}}},
		"longer":       {Type: npy.Type{Kind: npy.Struct, ItemSize: 8, Fields: []npy.Field{field(strings.Repeat("x", 70000), 0)}}},
		"odd text":     {Type: npy.Type{Kind: npy.Text, ItemSize: 3}},
		"other":        {Type: npy.Type{Kind: npy.Other, ItemSize: 8}},
	} {
		if b, err := h.Append([]byte("before")); string(b) != "before" || !errors.Is(err, npy.ErrUnsupported) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := (npy.Header{Type: float, Shape: []int{-1}}).Append(nil); !errors.Is(err, array.ErrShape) {
		t.Errorf("a negative shape: %v", err)
	}
	b, err := npy.Header{Type: float, Shape: []int{3, 4}}.Append([]byte("before"))
	if err != nil || !bytes.Equal(b, append([]byte("before"), npy.AppendHeader(nil, array.Float64, []int{3, 4})...)) {
		t.Errorf("%q, %v", b, err)
	}
}

// A record may be wider than what is read at a time.
func TestWideRecords(t *testing.T) {
	path := file(t, with("[('a', '|S70001'), ('x', '<u2')]", "(3,)"), nil)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 3 {
		record := make([]byte, 70003)
		record[70001] = byte(i + 1)
		if _, err := f.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := npy.ReadField(path, "x"); err != nil || a.(*array.Array[uint16]).Data()[2] != 3 {
		t.Errorf("%v, %v", a, err)
	}
}

// Where Fortran order says nothing of the records, it says nothing of the arrays
// that they hold either: those are always in C order.
func TestFieldsOfFewRecordsInFortranOrder(t *testing.T) {
	data := []byte("abcdefABCDEF")
	for _, shape := range []string{"()", "(1,)", "(2,)", "(2, 1)", "(1, 2)", "(0,)"} {
		for _, order := range []string{"False", "True"} {
			header := func(descr string) string {
				return strings.Replace(with("[('x', "+descr+", (2, 3))]", shape), "False", order, 1)
			}
			n := 6
			switch {
			case strings.Contains(shape, "0"):
				n = 0
			case strings.Contains(shape, "2"):
				n = 12
			}
			a, err := npy.ReadField(file(t, header("'|u1'"), data), "x")
			if err != nil || !bytes.Equal(elementsOf(t, a), data[:n]) {
				t.Errorf("%s, Fortran %s: %v, %v", shape, order, a, err)
			}
			s, err := npy.ReadStringField(file(t, header("'|S1'"), data), "x")
			if err != nil || strings.Join(s.Data, "") != string(data[:n]) || array.FormatShape(s.Shape) != array.FormatShape(a.Shape()) {
				t.Errorf("strings %s, Fortran %s: %v, %v", shape, order, s, err)
			}
		}
	}
}
