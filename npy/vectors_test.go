package npy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

const vectorFolder = "../testdata/npy"

// vector is an entry of testdata/npy/index.json.
type vector struct {
	Name, File, Descr string
	Fortran           bool
	Shape             []int
	Version           [2]int
}

// vectors returns those of numbers.
func vectors(t testing.TB) []vector {
	t.Helper()
	return slices.DeleteFunc(allVectors(t), func(v vector) bool {
		_, _, err := array.ParseDType(v.Descr)
		return err != nil
	})
}

func allVectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectorFolder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("%d vectors", len(list))
	}
	return list
}

// values makes the elements that testdata/npy/make.py defines.
func values(t testing.TB, d array.DType, shape []int) array.Any {
	t.Helper()
	a, err := array.Make(d, shape...)
	if err != nil {
		t.Fatal(err)
	}
	switch a := a.(type) {
	case *array.Array[bool]:
		for k := range a.Data() {
			a.Data()[k] = k%2 == 1
		}
	case *array.Array[complex64]:
		for k := range a.Data() {
			a.Data()[k] = complex(float32(k), 0-float32(k)/2)
		}
	case *array.Array[complex128]:
		for k := range a.Data() {
			a.Data()[k] = complex(float64(k), 0-float64(k)/2)
		}
	case *array.Array[int8]:
		sevens(a)
	case *array.Array[int16]:
		sevens(a)
	case *array.Array[int32]:
		sevens(a)
	case *array.Array[int64]:
		sevens(a)
	case *array.Array[uint8]:
		sevens(a)
	case *array.Array[uint16]:
		sevens(a)
	case *array.Array[uint32]:
		sevens(a)
	case *array.Array[uint64]:
		sevens(a)
	case *array.Array[array.Half]:
		for k := range a.Data() {
			a.Data()[k] = array.ToHalf(float32(7 * k % 11))
		}
	case *array.Array[float32]:
		sevens(a)
	case *array.Array[float64]:
		sevens(a)
	}
	return a
}

func sevens[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](a *array.Array[T]) {
	for k := range a.Data() {
		a.Data()[k] = T(7 * k % 11)
	}
}

// equal compares type, shape and elements, bit by bit.
func equal(a, b array.Any) bool {
	return a != nil && b != nil && a.DType() == b.DType() && slices.Equal(a.Shape(), b.Shape()) && a.Digest() == b.Digest()
}

func TestReadsEveryVector(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			path := filepath.Join(vectorFolder, v.File)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d, bigEndian, err := array.ParseDType(v.Descr)
			if err != nil {
				t.Fatal(err)
			}
			h, size, err := npy.ReadHeader(bytes.NewReader(b))
			typ := npy.Type{Kind: npy.Numeric, DType: d, BigEndian: bigEndian, ItemSize: d.Size()}
			want := npy.Header{Type: typ, Fortran: v.Fortran, Shape: v.Shape}
			if err != nil || !reflect.DeepEqual(h, want) || size%64 != 0 {
				t.Fatalf("header %+v of %d bytes, %v; want %+v", h, size, err, want)
			}
			if data, err := h.DataSize(); err != nil || size+data != int64(len(b)) {
				t.Errorf("%d bytes of header, %d of data, %v; the file has %d", size, data, err, len(b))
			}
			wanted := values(t, d, v.Shape)
			if a, err := npy.ReadFile(path); err != nil || !equal(a, wanted) {
				t.Errorf("ReadFile: other elements, %v", err)
			}
			if a, err := npy.Read(stream{bytes.NewReader(b)}); err != nil || !equal(a, wanted) {
				t.Errorf("Read: other elements, %v", err)
			}
		})
	}
}

func TestReadsVectorsOfStrings(t *testing.T) {
	checked := 0
	for _, v := range allVectors(t) {
		first, step := 'a', 1
		switch v.Descr[1:] {
		case "S3":
		case "U3":
			first, step = 'α', 10000
		default:
			continue
		}
		s, err := npy.ReadStrings(filepath.Join(vectorFolder, v.File))
		if err != nil || !slices.Equal(s.Shape, v.Shape) || s.Width != 3 || s.Bytes != (first == 'a') {
			t.Fatalf("%s: %+v, %v", v.Name, s, err)
		}
		for k, text := range s.Data {
			if want := strings.Repeat(string(first+rune(step*k)), k%4); text != want {
				t.Errorf("%s: string %d is %q, want %q", v.Name, k, text, want)
			}
		}
		checked++
	}
	if checked != 6 {
		t.Errorf("%d vectors of strings", checked)
	}
}

func TestReadsVectorsOfRecords(t *testing.T) {
	checked := 0
	for _, v := range allVectors(t) {
		if v.Descr[0] != '[' {
			continue
		}
		path := filepath.Join(vectorFolder, v.File)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		h, _, err := npy.ReadHeader(f)
		if err != nil || h.Descr() != v.Descr || h.Fortran != v.Fortran || !slices.Equal(h.Shape, v.Shape) || h.ItemSize != 30 || len(h.Fields) != 3 {
			t.Fatalf("%s: header %+v, %v", v.Name, h, err)
		}
		id, err := npy.ReadField(path, "id")
		if err != nil || array.FormatShape(id.Shape()) != "(3, 4)" {
			t.Fatalf("%s: id: %v, %v", v.Name, id, err)
		}
		x, err := npy.ReadField(path, "x")
		if err != nil || array.FormatShape(x.Shape()) != "(3, 4, 2)" {
			t.Fatalf("%s: x: %v, %v", v.Name, x, err)
		}
		tag, err := npy.ReadStringField(path, "tag")
		if err != nil || array.FormatShape(tag.Shape) != "(3, 4)" {
			t.Fatalf("%s: tag: %v, %v", v.Name, tag, err)
		}
		ids, xs := id.(*array.Array[int32]).Data(), x.(*array.Array[float64]).Data()
		for k := range ids {
			if ids[k] != int32(k) || xs[2*k] != float64(k) || xs[2*k+1] != 0-float64(k)/2 || tag.Data[k] != strings.Repeat(string(rune('a'+k)), k%4) {
				t.Errorf("%s: record %d is %v, %v, %q", v.Name, k, ids[k], xs[2*k:2*k+2], tag.Data[k])
			}
		}
		checked++
	}
	if checked != 4 {
		t.Errorf("%d vectors of records", checked)
	}
}

// The typed doors give what fits them, and an error for what does not.
func TestTypedDoors(t *testing.T) {
	for _, v := range vectors(t) {
		path := filepath.Join(vectorFolder, v.File)
		d, _, err := array.ParseDType(v.Descr)
		if err != nil {
			t.Fatal(err)
		}
		float, n := d == array.Float64, len(v.Shape)
		hollow := slices.Contains(v.Shape, 0)
		check := func(door string, got any, err error, ok bool) {
			t.Helper()
			var of *npy.Error
			switch {
			case ok && err != nil:
				t.Errorf("%s(%s): %v", door, v.Name, err)
			case !ok && (!errors.As(err, &of) || of.Path != path || of.Op != "read" || !errors.Is(err, array.ErrDType) && !errors.Is(err, array.ErrShape)):
				t.Errorf("%s(%s): error %v", door, v.Name, err)
			case !ok && !reflect.ValueOf(got).IsNil():
				t.Errorf("%s(%s): a value beside the error", door, v.Name)
			}
		}
		m, err := npy.ReadDense(path)
		check("ReadDense", m, err, float && n == 2 && !hollow)
		if err == nil && (m.At(1, 1) != 2 || m.RawMatrix().Rows != 3) { // 7·5 mod 11
			t.Errorf("ReadDense(%s): %v", v.Name, mat.Formatted(m))
		}
		vec, err := npy.ReadVec(path)
		check("ReadVec", vec, err, float && n == 1)
		f, err := npy.ReadFloat64s(path)
		check("ReadFloat64s", f, err, float)
		if err == nil && !slices.Equal(f, values(t, d, v.Shape).(*array.Array[float64]).Data()) {
			t.Errorf("ReadFloat64s(%s): %v", v.Name, f)
		}
		ints, err := npy.ReadInt64s(path)
		check("ReadInt64s", ints, err, d == array.Int64)
		if err == nil && !slices.Equal(ints, values(t, d, v.Shape).(*array.Array[int64]).Data()) {
			t.Errorf("ReadInt64s(%s): %v", v.Name, ints)
		}
		a, err := npy.ReadFileAs[uint8](path)
		check("ReadFileAs[uint8]", a, err, d == array.Uint8)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := npy.ReadAs[int8](bytes.NewReader(b)); (err == nil) != (d == array.Int8) || (a == nil) != (err != nil) {
			t.Errorf("ReadAs[int8](%s): %v", v.Name, err)
		} else if err != nil && !errors.Is(err, array.ErrDType) {
			t.Errorf("ReadAs[int8](%s): error %v", v.Name, err)
		}
	}
}

// npyio reads the same elements from the files it can read.
func TestAgreesWithNpyio(t *testing.T) {
	checked := 0
	for _, v := range vectors(t) {
		if v.Version[0] == 3 || len(v.Shape) == 0 || v.Fortran || v.Descr[1:] == "f2" {
			continue // which npyio refuses, leaves in Fortran order, or has another type for
		}
		b, err := os.ReadFile(filepath.Join(vectorFolder, v.File))
		if err != nil {
			t.Fatal(err)
		}
		a, err := npy.Read(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		data := reflect.ValueOf(a).MethodByName("Data").Call(nil)[0]
		theirs := reflect.New(data.Type())
		r, err := npyio.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: npyio: %v", v.Name, err)
		}
		if err := r.Read(theirs.Interface()); err != nil {
			t.Fatalf("%s: npyio: %v", v.Name, err)
		}
		if data.Len() != theirs.Elem().Len() || data.Len() > 0 && !reflect.DeepEqual(data.Interface(), theirs.Elem().Interface()) {
			t.Errorf("%s: npyio reads %v, this package %v", v.Name, theirs.Elem(), data)
		}
		checked++
	}
	if checked < 40 {
		t.Errorf("npyio read %d files", checked)
	}
}

// Axes in the middle of a Fortran-ordered array are put in their places, too.
func TestFortranOrderOfManyAxes(t *testing.T) {
	for _, shape := range [][]int{{1, 1, 1}, {2, 3, 4, 5}, {33, 2, 65}, {5, 1, 7, 1, 3}, {100, 70}, {1, 9}, {9, 1}, {2, 0, 3}} {
		c := values(t, array.Uint16, shape).(*array.Array[uint16])
		for k := range c.Data() {
			c.Data()[k] = uint16(k)
		}
		fortran, err := array.New[uint16](c.Len())
		if err != nil {
			t.Fatal(err)
		}
		for k := range c.Len() { // k counts in C order
			at, rest, step := 0, k, c.Len()
			for axis := len(shape) - 1; axis >= 0; axis-- {
				step /= shape[axis]
				at += rest % shape[axis] * step
				rest /= shape[axis]
			}
			fortran.Data()[at] = c.Data()[k]
		}
		var file bytes.Buffer
		if err := npy.Write(&file, fortran); err != nil {
			t.Fatal(err)
		}
		h := headerOf("{'descr': '<u2', 'fortran_order': True, 'shape': "+array.FormatShape(shape)+"}", 1)
		b := append(h, file.Bytes()[file.Len()-2*c.Len():]...)
		if a, err := npy.Read(bytes.NewReader(b)); err != nil || !equal(a, c) {
			t.Errorf("%v: other elements, %v", shape, err)
		}
	}
}
