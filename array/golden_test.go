package array_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// golden is the part of testdata/golden.json that pins array digests.
type golden struct {
	Arrays []struct {
		Name, NumPy, Descr, Digest string
		Shape                      []int
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	b, err := os.ReadFile("../testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func arange(n int) []float64 {
	data := make([]float64, n)
	for i := range data {
		data[i] = float64(i)
	}
	return data
}

// goldenValues makes, by its name in golden.json, each array in the Go types
// that can hold it. They are built apart from NumPy's expression, which stands
// in the file.
func goldenValues() map[string][]any {
	fortran := mat.NewDense(4, 3, nil) // the transpose of arange(12).reshape(3, 4)
	fortran.Copy(mat.NewDense(3, 4, arange(12)).T())
	column, _ := array.FromSlice(arange(3), 3, 1)
	empty, _ := array.New[float64](0, 3)
	scalar, _ := array.New[float64]()
	scalar.Data()[0] = 3
	everyOther := mat.NewDense(3, 16, arange(48)).Slice(0, 3, 0, 8) // rows 0, 2, 4 of a 6×8
	return map[string][]any{
		"row-major":                 {mat.NewDense(3, 4, arange(12))},
		"fortran order is equal":    {fortran.T()},
		"transpose":                 {mat.NewDense(3, 4, arange(12)).T(), fortran},
		"strided view":              {everyOther.(*mat.Dense).Slice(0, 3, 1, 5)},
		"empty":                     {empty},
		"0-d":                       {scalar},
		"1-d":                       {arange(3), mat.NewVecDense(3, arange(3)), mat.NewDense(3, 2, []float64{0, 9, 1, 9, 2, 9}).ColView(0)},
		"column":                    {column, mat.NewDense(3, 1, arange(3)), mat.NewDense(1, 3, arange(3)).T()},
		"negative zero":             {[]float64{math.Copysign(0, -1)}},
		"nan, inf":                  {[]float64{math.Float64frombits(0x7ff8000000000000), math.Inf(1), math.Inf(-1)}},
		"dtype bool":                {[]bool{false, true, true, false, true}},
		"dtype i1":                  {[]int8{0, 1, 1, 0, 1}},
		"dtype i2":                  {[]int16{0, 1, 1, 0, 1}},
		"dtype i4":                  {[]int32{0, 1, 1, 0, 1}},
		"dtype i8":                  {[]int64{0, 1, 1, 0, 1}, []int{0, 1, 1, 0, 1}},
		"dtype u1":                  {[]uint8{0, 1, 1, 0, 1}},
		"dtype u2":                  {[]uint16{0, 1, 1, 0, 1}},
		"dtype u4":                  {[]uint32{0, 1, 1, 0, 1}},
		"dtype u8":                  {[]uint64{0, 1, 1, 0, 1}, []uint{0, 1, 1, 0, 1}},
		"dtype f2":                  {[]array.Half{0, 0x3c00, 0x3c00, 0, 0x3c00}},
		"dtype f4":                  {[]float32{0, 1, 1, 0, 1}},
		"dtype f8":                  {[]float64{0, 1, 1, 0, 1}},
		"dtype c8":                  {[]complex64{0, 1, 1, 0, 1}},
		"dtype c16":                 {[]complex128{0, 1, 1, 0, 1}},
		"big endian is equal":       {arange(5)},
		"exactly one chunk":         {arange(32768)},
		"one chunk and one element": {arange(32769), mat.NewDense(32769, 2, interleaved(arange(32769))).ColView(0)},
		"many chunks":               {mat.NewDense(1000, 1000, arange(1000000))},
	}
}

// interleaved puts a stranger behind each element, for strided views.
func interleaved(data []float64) []float64 {
	out := make([]float64, 2*len(data))
	for i, v := range data {
		out[2*i], out[2*i+1] = v, -1
	}
	return out
}

func TestGoldenDigests(t *testing.T) {
	values := goldenValues()
	for _, want := range readGolden(t).Arrays {
		if len(values[want.Name]) == 0 {
			t.Errorf("golden array %q (%s) has no value in this test", want.Name, want.NumPy)
		}
		for _, v := range values[want.Name] {
			src, err := array.Of(v)
			if err != nil {
				t.Fatalf("%s as %T: %v", want.Name, v, err)
			}
			if got := array.FormatShape(src.Shape()); got != array.FormatShape(want.Shape) || src.DType().Descr() != want.Descr {
				t.Errorf("%s as %T is %s%s, want %s%v", want.Name, v, src.DType().Descr(), got, want.Descr, want.Shape)
				continue
			}
			got, err := array.Hash(context.Background(), src)
			if err != nil || got.String() != want.Digest {
				t.Errorf("%s as %T: digest %s, %v, want %s", want.Name, v, got, err, want.Digest)
			}
		}
	}
}
