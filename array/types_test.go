package array_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

func halves(bits ...array.Half) []array.Half { return bits }

// plain computes, by nothing but At, the shape and bytes that v has.
func plain(v any) (shape []int, elements []byte) {
	var out []byte
	float := func(f float64) { out = append(out, binaryLE(math.Float64bits(f))...) }
	switch v := v.(type) {
	case mat.Matrix:
		rows, cols := v.Dims()
		for i := range rows {
			for j := range cols {
				float(v.At(i, j))
			}
		}
		if v, ok := v.(mat.Vector); ok && (cols == 1 || v.Len() == 0) {
			if _, row := v.(mat.TransposeVec); !row {
				return []int{v.Len()}, out
			}
		}
		return []int{rows, cols}, out
	case mat.CMatrix:
		rows, cols := v.Dims()
		for i := range rows {
			for j := range cols {
				float(real(v.At(i, j)))
				float(imag(v.At(i, j)))
			}
		}
		return []int{rows, cols}, out
	}
	return nil, nil
}

func binaryLE(u uint64) []byte {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(u >> (8 * i))
	}
	return b
}

func TestEveryFunctionOverEveryType(t *testing.T) {
	everyValue(t, func(t *testing.T, v any) {
		src, err := array.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := array.Of(src)
		if err != nil || again != src {
			t.Fatalf("Of a Source: %v, %v", again, err)
		}
		c, err := array.Copy(src)
		if err != nil {
			t.Fatal(err)
		}
		shape, elements := plain(v)
		want := array.Float64
		if _, ok := v.(mat.CMatrix); ok {
			want = array.Complex128
		}
		if shape == nil { // a slice; the codec has a test of its own
			shape, elements, want = c.Shape(), encoded(t, c), c.DType()
		}
		if !slices.Equal(src.Shape(), shape) || !slices.Equal(c.Shape(), shape) {
			t.Fatalf("shape %v, copied %v, want %v", src.Shape(), c.Shape(), shape)
		}
		if src.DType() != want || c.DType() != want {
			t.Fatalf("type %v, copied %v, want %v", src.DType(), c.DType(), want)
		}
		if got := encoded(t, src); !bytes.Equal(got, elements) {
			t.Fatalf("Encode differs from At")
		}
		if got := encoded(t, c); !bytes.Equal(got, elements) {
			t.Fatalf("the copy differs from At")
		}
		var chunks []byte
		for chunk, err := range array.Chunks(src) {
			if err != nil {
				t.Fatal(err)
			}
			chunks = append(chunks, chunk...)
		}
		if !bytes.Equal(chunks, elements) {
			t.Errorf("Chunks differ from At")
		}
		encodeParts(t, src, elements)

		reference, err := array.Make(want, shape...)
		if err != nil {
			t.Fatal(err)
		}
		if err := reference.Decode(0, elements); err != nil {
			t.Fatal(err)
		}
		d, err := array.Hash(context.Background(), src)
		if err != nil || d != reference.Digest() {
			t.Errorf("digest %v, %v; that of the elements is %v", d, err, reference.Digest())
		}
		table, err := array.HashTable(context.Background(), src)
		if err != nil || table.Digest() != d {
			t.Errorf("HashTable: %v", err)
		}
		if got := format(t, src); got != format(t, reference) {
			t.Errorf("Format writes\n%s\nwant\n%s", got, format(t, reference))
		}
		fromGonum(t, v, reference)
		rebuild(t, v, c)
	})
}

// fromGonum makes an array of a value by the function for its type.
func fromGonum(t *testing.T, v any, want array.Any) {
	t.Helper()
	var a *array.Array[float64]
	var err error
	switch v := v.(type) {
	case *mat.Dense:
		a, err = array.FromDense(v)
	case *mat.VecDense:
		a, err = array.FromVecDense(v)
	default:
		return
	}
	if err != nil || !slices.Equal(a.Shape(), want.Shape()) || a.Digest() != want.Digest() {
		t.Errorf("From…: %v", err)
	}
}

// rebuild makes v again of its elements and compares type, layout and elements.
func rebuild(t *testing.T, v any, a array.Any) {
	t.Helper()
	layout, typ := array.Layout(v), reflect.TypeOf(v)
	if !array.IsMatrix(typ) {
		if m, err := array.Matrix(a, layout, typ); layout != "" || m != nil || !errors.Is(err, array.ErrDType) {
			t.Errorf("layout %q; Matrix: %v, %v", layout, m, err)
		}
		return
	}
	m, err := array.Matrix(a, layout, typ)
	if err != nil {
		if b, ok := v.(*mat.BandDense); ok && errors.Is(err, array.ErrShape) && overlongBand(b) {
			return
		}
		t.Fatalf("layout %q: %v", layout, err)
	}
	wantShape, want := plain(v)
	shape, elements := plain(m)
	if reflect.TypeOf(m) != typ || array.Layout(m) != layout || !slices.Equal(shape, wantShape) || !bytes.Equal(elements, want) {
		t.Errorf("layout %q %v of %T came back as %T with %q %v", layout, wantShape, v, m, array.Layout(m), shape)
	}
}

// overlongBand reports whether b takes more than twice the memory that it has as
// a full matrix, and more than 64 KiB.
func overlongBand(b *mat.BandDense) bool {
	r, c := b.Dims()
	kl, ku := b.Bandwidth()
	return min(r, c+kl)*(kl+ku+1) > 2*r*c+8<<10
}

// encoded returns all elements of src by one Encode.
func encoded(t *testing.T, src array.Source) []byte {
	t.Helper()
	n, err := array.Elements(src.Shape(), src.DType().Size())
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n*src.DType().Size())
	for i := range b {
		b[i] = 0xa5 // zeros must be written too
	}
	if err := src.Encode(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// encodeParts encodes ranges that begin and end anywhere, into memory that is not
// aligned, and such as lie outside.
func encodeParts(t *testing.T, src array.Source, elements []byte) {
	t.Helper()
	size := src.DType().Size()
	n := len(elements) / size
	r := rand.New(rand.NewPCG(uint64(n), 3))
	cuts := []int{0, 1, n / 3, n/3 + 13, n - 1, n, r.IntN(n + 1), r.IntN(n + 1)}
	memory := make([]byte, len(elements)+16)
	for _, lo := range cuts {
		for _, hi := range cuts {
			if lo < 0 || hi < lo || hi > n {
				continue
			}
			skip := r.IntN(16)
			b := memory[skip : skip+(hi-lo)*size]
			if err := src.Encode(b, lo); err != nil || !bytes.Equal(b, elements[lo*size:hi*size]) {
				t.Fatalf("Encode [%d, %d) of %d differs, error %v", lo, hi, n, err)
			}
		}
	}
	for _, bad := range []struct{ first, bytes int }{
		{-1, 0}, {n + 1, 0}, {n, size}, {0, (n + 1) * size}, {math.MinInt, size}, {math.MaxInt, size},
	} {
		if err := src.Encode(make([]byte, bad.bytes), bad.first); !errors.Is(err, array.ErrShape) {
			t.Errorf("Encode of %d bytes from %d of %d elements: error %v", bad.bytes, bad.first, n, err)
		}
	}
	if size > 1 && n > 0 {
		if err := src.Encode(make([]byte, size-1), 0); !errors.Is(err, array.ErrShape) {
			t.Errorf("Encode of a part of an element: error %v", err)
		}
	}
}

// v and vᵀ are different arguments of a function, and so are different keys.
func TestTransposedVectorDiffers(t *testing.T) {
	for _, n := range []int{1, 5} {
		v := vector(n)
		a, err := array.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := array.Of(v.T())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.Shape(), []int{n}) || !slices.Equal(b.Shape(), []int{1, n}) {
			t.Errorf("v is %v, vᵀ %v", a.Shape(), b.Shape())
		}
	}
}
