package array_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

var allDTypes = []array.DType{
	array.Bool, array.Int8, array.Int16, array.Int32, array.Int64,
	array.Uint8, array.Uint16, array.Uint32, array.Uint64,
	array.Float16, array.Float32, array.Float64, array.Complex64, array.Complex128,
}

func mustSlice[T array.Element](t *testing.T, data []T, shape ...int) *array.Array[T] {
	t.Helper()
	a, err := array.FromSlice(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewAndMake(t *testing.T) {
	shape := []int{2, 3}
	a, err := array.New[int16](shape...)
	if err != nil {
		t.Fatal(err)
	}
	shape[0] = 9 // the caller's own
	a.Shape()[1] = 9
	if !slices.Equal(a.Shape(), []int{2, 3}) || a.Len() != 6 || !slices.Equal(a.Data(), make([]int16, 6)) {
		t.Errorf("%v %v", a.Shape(), a.Data())
	}
	for _, d := range allDTypes {
		a, err := array.Make(d, 4, 0, 2)
		if err != nil || a.DType() != d || a.Len() != 0 || !slices.Equal(a.Shape(), []int{4, 0, 2}) {
			t.Errorf("Make(%v): %v, %v", d, a, err)
		}
		if s, err := array.Make(d); err != nil || s.Len() != 1 || len(s.Shape()) != 0 {
			t.Errorf("Make(%v) 0-d: %v, %v", d, s, err)
		}
		if a, err := array.Make(d, -1); a != nil || !errors.Is(err, array.ErrShape) {
			t.Errorf("Make(%v, -1): %v, %v", d, a, err)
		}
	}
	for _, d := range []array.DType{0, array.Complex128 + 1, 255} {
		if a, err := array.Make(d, 1); a != nil || !errors.Is(err, array.ErrDType) {
			t.Errorf("Make(%v): %v, %v", d, a, err)
		}
	}
	if a, err := array.New[int8](math.MaxInt, math.MaxInt); a != nil || !errors.Is(err, array.ErrShape) {
		t.Errorf("New of too many elements: %v, %v", a, err)
	}
}

func TestFromSliceShares(t *testing.T) {
	data := []float64{1, 2, 3, 4, 5, 6}
	a := mustSlice(t, data, 3, 2)
	data[5] = 60
	if v, err := a.At(2, 1); v != 60 || err != nil {
		t.Errorf("At(2, 1) = %v, %v", v, err)
	}
	if v := mustSlice(t, data); !slices.Equal(v.Shape(), []int{6}) {
		t.Errorf("without extents: %v", v.Shape())
	}
	for _, shape := range [][]int{{5}, {7}, {2, 2}, {0}, {-2, -3}, {math.MaxInt, 2}} {
		if a, err := array.FromSlice(data, shape...); a != nil || !errors.Is(err, array.ErrShape) {
			t.Errorf("%v: %v, %v", shape, a, err)
		}
	}
}

func TestSliceAndReshape(t *testing.T) {
	a := mustSlice(t, fill(24), 4, 3, 2)
	b, err := a.Slice(1, 3)
	if err != nil || !slices.Equal(b.Shape(), []int{2, 3, 2}) || !slices.Equal(b.Data(), a.Data()[6:18]) {
		t.Fatalf("Slice: %v, %v", b, err)
	}
	b.Data()[0] = -1
	if a.Data()[6] != -1 {
		t.Error("a slice has memory of its own")
	}
	_ = append(b.Data(), -2)
	if a.Data()[18] == -2 {
		t.Error("append to a slice writes behind it")
	}
	c, err := b.Reshape(3, 4)
	if err != nil || &c.Data()[0] != &a.Data()[6] || !slices.Equal(c.Shape(), []int{3, 4}) {
		t.Errorf("Reshape: %v, %v", c, err)
	}
	if e, err := a.Slice(4, 4); err != nil || e.Len() != 0 || !slices.Equal(e.Shape(), []int{0, 3, 2}) {
		t.Errorf("an empty slice: %v, %v", e, err)
	}
	for _, r := range [][2]int{{-1, 2}, {3, 2}, {0, 5}, {5, 5}, {math.MinInt, math.MaxInt}} {
		if s, err := a.Slice(r[0], r[1]); s != nil || !errors.Is(err, array.ErrShape) {
			t.Errorf("Slice%v: %v, %v", r, s, err)
		}
	}
	for _, shape := range [][]int{{}, {23}, {-24}, {25}, {-4, -6}} {
		if s, err := a.Reshape(shape...); s != nil || !errors.Is(err, array.ErrShape) {
			t.Errorf("Reshape%v: %v, %v", shape, s, err)
		}
	}
	scalar, _ := array.New[bool]()
	if s, err := scalar.Slice(0, 0); s != nil || !errors.Is(err, array.ErrShape) {
		t.Errorf("Slice of a 0-d array: %v, %v", s, err)
	}
}

func TestAt(t *testing.T) {
	a := mustSlice(t, []int32{0, 1, 2, 3, 4, 5}, 2, 3)
	if v, err := a.At(1, 2); v != 5 || err != nil {
		t.Errorf("At(1, 2) = %v, %v", v, err)
	}
	for _, index := range [][]int{{}, {1}, {0, 0, 0}, {2, 0}, {0, 3}, {-1, 0}, {0, math.MinInt}} {
		if _, err := a.At(index...); !errors.Is(err, array.ErrShape) {
			t.Errorf("At%v: error %v", index, err)
		}
	}
}

// The zero Array and a nil one are empty, by every method.
func TestZeroArray(t *testing.T) {
	empty, _ := array.New[float64](0)
	for name, a := range map[string]*array.Array[float64]{"zero": {}, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			if a.Len() != 0 || len(a.Data()) != 0 || !slices.Equal(a.Shape(), []int{0}) || a.DType() != array.Float64 {
				t.Errorf("%v %v", a.Shape(), a.Data())
			}
			if _, err := a.At(); !errors.Is(err, array.ErrShape) {
				t.Errorf("At(): error %v", err)
			}
			if _, err := a.At(0); !errors.Is(err, array.ErrShape) {
				t.Errorf("At(0): error %v", err)
			}
			if s, err := a.Slice(0, 0); err != nil || s.Len() != 0 {
				t.Errorf("Slice: %v, %v", s, err)
			}
			if r, err := a.Reshape(3, 0); err != nil || !slices.Equal(r.Shape(), []int{3, 0}) {
				t.Errorf("Reshape: %v, %v", r, err)
			}
			if v, err := a.VecDense(); err != nil || v.Len() != 0 {
				t.Errorf("VecDense: %v, %v", v, err)
			}
			if _, err := a.Dense(); !errors.Is(err, array.ErrShape) {
				t.Errorf("Dense: error %v", err)
			}
			if err := a.Encode(nil, 0); err != nil {
				t.Errorf("Encode: %v", err)
			}
			if err := a.Decode(0, make([]byte, 8)); !errors.Is(err, array.ErrShape) {
				t.Errorf("Decode: error %v", err)
			}
			if b, _ := a.Bytes(); len(b) != 0 {
				t.Errorf("Bytes: %v", b)
			}
			if a.Digest() != empty.Digest() {
				t.Error("its digest is not that of an empty array")
			}
		})
	}
}

func TestShareWithGonum(t *testing.T) {
	m := mat.NewDense(2, 3, fill(6))
	a, err := array.FromDense(m)
	if err != nil {
		t.Fatal(err)
	}
	a.Data()[4] = -4
	if m.At(1, 1) != -4 {
		t.Error("FromDense copied a matrix without gaps")
	}
	back, err := a.Dense()
	if err != nil || !mat.Equal(back, m) {
		t.Fatalf("Dense: %v, %v", back, err)
	}
	back.Set(0, 0, -1)
	if m.At(0, 0) != -1 {
		t.Error("Dense copied")
	}
	row, err := array.FromDense(m.Slice(1, 2, 0, 2).(*mat.Dense))
	if err != nil || &row.Data()[0] != &m.RawMatrix().Data[3] {
		t.Errorf("FromDense of one row of a wider matrix: %v, %v", row, err)
	}
	_ = append(row.Data(), 77)
	if m.At(1, 2) == 77 {
		t.Error("append to an array of a part writes behind it")
	}
	gaps := m.Slice(0, 2, 1, 3).(*mat.Dense)
	if a, err = array.FromDense(gaps); err != nil || &a.Data()[0] == &gaps.RawMatrix().Data[0] {
		t.Errorf("FromDense of a strided view: %v, %v", a, err)
	}
	v := mat.NewVecDense(3, fill(3))
	b, err := array.FromVecDense(v)
	if err != nil || &b.Data()[0] != &v.RawVector().Data[0] {
		t.Errorf("FromVecDense: %v, %v", b, err)
	}
	if w, err := b.VecDense(); err != nil || &w.RawVector().Data[0] != &v.RawVector().Data[0] {
		t.Errorf("VecDense: %v, %v", w, err)
	}
	if c, err := array.FromVecDense(m.ColView(1).(*mat.VecDense)); err != nil || !slices.Equal(c.Data(), []float64{m.At(0, 1), m.At(1, 1)}) {
		t.Errorf("FromVecDense of a column: %v, %v", c, err)
	}
	for _, empty := range []*mat.Dense{{}, mat.NewDense(3, 3, nil).Grow(0, 0).(*mat.Dense)} {
		a, err := array.FromDense(empty)
		if r, c := empty.Dims(); err != nil || !slices.Equal(a.Shape(), []int{r, c}) {
			t.Errorf("FromDense of %d×%d: %v, %v", r, c, a, err)
		}
	}
	if a, err := array.FromVecDense(&mat.VecDense{}); err != nil || !slices.Equal(a.Shape(), []int{0}) {
		t.Errorf("FromVecDense of nothing: %v, %v", a, err)
	}
}

func TestDenseRefuses(t *testing.T) {
	for _, tt := range []struct {
		shape      []int
		dense, vec error
	}{
		{[]int{}, array.ErrShape, array.ErrShape},
		{[]int{4}, array.ErrShape, nil},
		{[]int{0}, array.ErrShape, nil},
		{[]int{2, 2}, nil, array.ErrShape},
		{[]int{0, 0}, nil, array.ErrShape},
		{[]int{0, 3}, array.ErrShape, array.ErrShape},
		{[]int{3, 0}, array.ErrShape, array.ErrShape},
		{[]int{1, 2, 3}, array.ErrShape, array.ErrShape},
	} {
		a, err := array.New[float64](tt.shape...)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := a.Dense(); !errors.Is(err, tt.dense) || (m == nil) != (err != nil) {
			t.Errorf("Dense of %v: %v, %v", tt.shape, m, err)
		}
		if v, err := a.VecDense(); !errors.Is(err, tt.vec) || (v == nil) != (err != nil) {
			t.Errorf("VecDense of %v: %v, %v", tt.shape, v, err)
		}
	}
	f32, _ := array.New[float32](2, 2)
	if _, err := f32.Dense(); !errors.Is(err, array.ErrDType) {
		t.Errorf("Dense of float32: error %v", err)
	}
	if _, err := f32.VecDense(); !errors.Is(err, array.ErrDType) {
		t.Errorf("VecDense of float32: error %v", err)
	}
}

// Elements of every type, with each byte distinct, in the bytes that NumPy's
// tobytes gives for them.
func TestCodec(t *testing.T) {
	f := math.Float64frombits(0x0807060504030201)
	g := math.Float32frombits(0x04030201)
	seq := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	for _, tt := range []struct {
		a    array.Any
		want []byte
	}{
		{mustSlice(t, []bool{true, false, true}), []byte{1, 0, 1}},
		{mustSlice(t, []int8{1, -1}), []byte{1, 255}},
		{mustSlice(t, []int16{0x0201, -1}), []byte{1, 2, 255, 255}},
		{mustSlice(t, []int32{0x04030201}), seq[:4]},
		{mustSlice(t, []int64{0x0807060504030201}), seq},
		{mustSlice(t, []uint8{1, 2}), seq[:2]},
		{mustSlice(t, []uint16{0x0201, 0x0403}), seq[:4]},
		{mustSlice(t, []uint32{0x04030201}), seq[:4]},
		{mustSlice(t, []uint64{0x0807060504030201}), seq},
		{mustSlice(t, []array.Half{0x0201, 0x7c01}), []byte{1, 2, 1, 0x7c}},
		{mustSlice(t, []float32{g}), seq[:4]},
		{mustSlice(t, []float64{f}), seq},
		{mustSlice(t, []complex64{complex(g, 0)}), []byte{1, 2, 3, 4, 0, 0, 0, 0}},
		{mustSlice(t, []complex128{complex(0, f)}), append(make([]byte, 8), seq...)},
		{mustSlice(t, []float32{math.Float32frombits(0x7f800001)}), []byte{1, 0, 0x80, 0x7f}}, // a signalling NaN
	} {
		if got := encoded(t, tt.a); !bytes.Equal(got, tt.want) {
			t.Errorf("%v encodes as %v, want %v", tt.a.DType(), got, tt.want)
		}
		if b, ok := tt.a.Bytes(); ok && !bytes.Equal(b, tt.want) {
			t.Errorf("%v has bytes %v, want %v", tt.a.DType(), b, tt.want)
		}
		back, err := array.Make(tt.a.DType(), tt.a.Shape()...)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Decode(0, tt.want); err != nil || !bytes.Equal(encoded(t, back), tt.want) {
			t.Errorf("%v does not decode what it encodes: %v", tt.a.DType(), err)
		}
		if err := back.Decode(1, tt.want); !errors.Is(err, array.ErrShape) {
			t.Errorf("%v decodes behind its end: %v", tt.a.DType(), err)
		}
	}
	b, _ := array.New[bool](3)
	if err := b.Decode(0, []byte{2, 0, 255}); err != nil || !slices.Equal(b.Data(), []bool{true, false, true}) ||
		!bytes.Equal(encoded(t, b), []byte{1, 0, 1}) {
		t.Errorf("bools other than 0 and 1: %v, %v", b.Data(), err)
	}
}
