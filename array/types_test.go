package array_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// foreign is a matrix type that gonum does not define.
type foreign struct{ mat.Matrix }

// foreignVector is foreign for vectors.
type foreignVector struct{ mat.Vector }

// foreignC is foreign for complex matrices.
type foreignC struct{ mat.CMatrix }

// dense returns a rows×cols matrix of distinct elements with a gap behind each
// row, so that reading by memory instead of by shape shows.
func dense(rows, cols int) *mat.Dense {
	if rows == 0 || cols == 0 {
		return &mat.Dense{}
	}
	wide := mat.NewDense(rows+1, cols+3, nil)
	for i := range rows + 1 {
		for j := range cols + 3 {
			wide.Set(i, j, float64(i*1000+j)+0.5)
		}
	}
	return wide.Slice(1, rows+1, 2, cols+2).(*mat.Dense)
}

// square holds a value of each gonum type that has n×n elements, n > 0.
func square(n int) map[string]any {
	d := mat.DenseCopyOf(dense(n, n))
	k := min(1, n-1)
	sym := mat.NewSymDense(n, d.RawMatrix().Data)
	band := mat.NewBandDense(n, n, k, k, fill(n*(2*k+1)))
	values := map[string]any{
		"SymDense":           sym,
		"SymDense slice":     mat.NewSymDense(n+2, fill((n+2)*(n+2))).SliceSym(1, n+1),
		"TriDense upper":     mat.NewTriDense(n, mat.Upper, d.RawMatrix().Data),
		"TriDense lower":     mat.NewTriDense(n, mat.Lower, d.RawMatrix().Data),
		"TriDense TTri":      mat.NewTriDense(n, mat.Lower, d.RawMatrix().Data).TTri(),
		"BandDense":          band,
		"BandDense TBand":    band.TBand(),
		"SymBandDense":       mat.NewSymBandDense(n, k, fill(n*(k+1))),
		"TriBandDense upper": mat.NewTriBandDense(n, k, mat.Upper, fill(n*(k+1))),
		"TriBandDense lower": mat.NewTriBandDense(n, k, mat.Lower, fill(n*(k+1))),
		"TriBandDense TTri":  mat.NewTriBandDense(n, k, mat.Lower, fill(n*(k+1))).TTriBand(),
		"DiagDense":          mat.NewDiagDense(n, fill(n)),
		"Tridiag":            mat.NewTridiag(n, fill(n-1), fill(n), fill(n-1)),
		"foreign symmetric":  foreign{sym},
	}
	if n > 1 {
		values["BandDense rectangular"] = mat.NewBandDense(n, n+2, 1, 1, fill(n*3))
	}
	return values
}

// rectangular holds a value of each gonum type that can be rows×cols.
func rectangular(rows, cols int) map[string]any {
	values := map[string]any{
		"Dense":         mat.DenseCopyOf(dense(rows, cols)),
		"Dense strided": dense(rows, cols),
		"foreign":       foreign{dense(rows, cols)},
		"foreign dense": struct{ *mat.Dense }{dense(rows, cols)},
	}
	c := mat.CDense{}
	if rows*cols > 0 {
		c = *mat.NewCDense(rows, cols, nil)
		for i := range rows {
			for j := range cols {
				c.Set(i, j, complex(float64(i), float64(-j)))
			}
		}
		values["CDense strided"] = c.Slice(0, rows, 0, (cols+1)/2)
		row := dense(rows, cols).RowView(rows - 1)
		column := dense(rows, cols).ColView(cols - 1)
		values["row view"], values["column view"] = row, column
		values["VecDense slice"] = column.(*mat.VecDense).SliceVec(0, (rows+1)/2)
		values["VecDense T"] = column.T()
		values["VecDense TVec"] = column.(*mat.VecDense).TVec()
		values["foreign vector"] = foreignVector{column}
	}
	values["CDense"], values["CDense H"], values["CDense T"] = &c, c.H(), c.T()
	values["foreign complex"] = foreignC{&c}
	values["VecDense"] = vector(rows)
	values["Transpose of VecDense"] = mat.Transpose{Matrix: vector(rows)}
	return values
}

func vector(n int) *mat.VecDense {
	if n == 0 {
		return &mat.VecDense{}
	}
	return mat.NewVecDense(n, fill(n))
}

func fill(n int) []float64 {
	data := make([]float64, n)
	for i := range data {
		data[i] = float64(i) + 0.25
	}
	return data
}

// everyValue calls f with a value of every kind that Of takes, transposes
// included, empty, 1×1, strided and over several chunks.
func everyValue(t *testing.T, f func(t *testing.T, v any)) {
	add := func(size string, values map[string]any) {
		for name, v := range values {
			t.Run(size+"/"+name, func(t *testing.T) { f(t, v) })
			if m, ok := v.(mat.Matrix); ok {
				t.Run(size+"/"+name+" transposed", func(t *testing.T) { f(t, m.T()) })
			}
		}
	}
	for _, n := range []int{1, 2, 5, 190} {
		add(fmt.Sprintf("%d×%d", n, n), square(n))
	}
	for _, shape := range [][2]int{{0, 0}, {1, 1}, {1, 7}, {7, 1}, {3, 4}, {17, 9}, {211, 300}, {7000, 7}, {7, 7000}} {
		add(fmt.Sprintf("%d×%d", shape[0], shape[1]), rectangular(shape[0], shape[1]))
	}
	add("slices", map[string]any{
		"bool": []bool{true, false}, "int8": []int8{-1, 2}, "int16": []int16{-1, 2},
		"int32": []int32{-1, 2}, "int64": []int64{-1, 2}, "uint8": []uint8{1, 255},
		"uint16": []uint16{1, 256}, "uint32": []uint32{1, 1 << 31}, "uint64": []uint64{1, 1 << 63},
		"float16": []array.Half{0x3c00, 0x7e01}, "float32": []float32{1, -2}, "float64": []float64{math.NaN(), math.Inf(-1)},
		"complex64": []complex64{1, -2i}, "complex128": []complex128{1, -2i},
		"int": []int{-1, 2}, "uint": []uint{1, math.MaxUint}, "nil": []float64(nil), "nil int": []int(nil),
	})
}

// plain computes, by nothing but At, the shape and bytes that v has.
func plain(v any) (shape []int, elements []byte) {
	var out bytes.Buffer
	float := func(f float64) { out.Write(binaryLE(math.Float64bits(f))) }
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
				return []int{v.Len()}, out.Bytes()
			}
		}
		return []int{rows, cols}, out.Bytes()
	case mat.CMatrix:
		rows, cols := v.Dims()
		for i := range rows {
			for j := range cols {
				float(real(v.At(i, j)))
				float(imag(v.At(i, j)))
			}
		}
		return []int{rows, cols}, out.Bytes()
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
		if shape == nil { // a slice; the codec has a test of its own
			shape, elements = c.Shape(), encoded(t, c)
		}
		if !slices.Equal(src.Shape(), shape) || !slices.Equal(c.Shape(), shape) {
			t.Fatalf("shape %v, copied %v, want %v", src.Shape(), c.Shape(), shape)
		}
		if c.DType() != src.DType() {
			t.Fatalf("type %v, copied %v", src.DType(), c.DType())
		}
		if got := encoded(t, src); !bytes.Equal(got, elements) {
			t.Errorf("Encode differs from At")
		}
		if got := encoded(t, c); !bytes.Equal(got, elements) {
			t.Errorf("the copy differs from At")
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
		d, err := array.Hash(context.Background(), src)
		if err != nil || d != c.Digest() {
			t.Errorf("digest %v, %v; that of a copy is %v", d, err, c.Digest())
		}
		encodeParts(t, src, elements)
	})
}

// encoded returns all elements of src by one Encode.
func encoded(t *testing.T, src array.Source) []byte {
	t.Helper()
	n, err := array.Elements(src.Shape(), src.DType().Size())
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n*src.DType().Size())
	if err := src.Encode(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// encodeParts encodes ranges that begin and end anywhere, and such as lie
// outside.
func encodeParts(t *testing.T, src array.Source, elements []byte) {
	t.Helper()
	size := src.DType().Size()
	n := len(elements) / size
	cuts := []int{0, 1, n / 3, n/3 + 13, n - 1, n}
	for _, lo := range cuts {
		for _, hi := range cuts {
			if lo < 0 || hi < lo || hi > n {
				continue
			}
			b := make([]byte, (hi-lo)*size)
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
