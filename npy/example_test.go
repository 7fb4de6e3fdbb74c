package npy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

func Example() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x.npy") // for np.load, too

	if err := npy.WriteFile(path, mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}).T()); err != nil {
		log.Fatal(err)
	}
	m, err := npy.ReadDense(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(m))
	// Output:
	// ⎡1  4⎤
	// ⎢2  5⎥
	// ⎣3  6⎦
}

func ExampleReadFile() {
	a, err := npy.ReadFile("../testdata/npy/i2-3x4-big-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	switch a := a.(type) {
	case *array.Array[int16]:
		fmt.Println(a.Shape(), a.Data())
	default:
		fmt.Println("not int16 but", a.DType())
	}
	// Output: [3 4] [0 7 3 10 6 2 9 5 1 8 4 0]
}

func ExampleHashFile() {
	digest, h, err := npy.HashFile(context.Background(), "../testdata/npy/i2-3x4-big-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	a, err := npy.ReadFile("../testdata/npy/i2-3x4-big-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.DType, h.Shape, h.BigEndian, digest == a.Digest())
	// Output: int16 [3 4] true true
}

func ExampleReadFileAs() {
	a, err := npy.ReadFileAs[complex64]("../testdata/npy/c8-3x4-fortran-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	v, err := a.At(2, 1)
	fmt.Println(v, err)

	_, err = npy.ReadFileAs[float64]("../testdata/npy/c8-3x4-fortran-v1.npy")
	fmt.Println(errors.Is(err, array.ErrDType))
	// Output:
	// (9-4.5i) <nil>
	// true
}

func ExampleReadVec() {
	v, err := npy.ReadVec("../testdata/npy/f8-5-c-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Len(), mat.Sum(v))
	// Output: 5 26
}

func ExampleReadFloat64s() {
	f, err := npy.ReadFloat64s("../testdata/npy/f8-5-c-v1.npy")
	fmt.Println(f, err)
	// Output: [0 7 3 10 6] <nil>
}

// Arrays can follow each other in one stream.
func ExampleRead() {
	var stream bytes.Buffer
	for _, v := range []any{[]float64{1, 2}, []bool{true}} {
		if err := npy.Write(&stream, v); err != nil {
			log.Fatal(err)
		}
	}
	for {
		a, err := npy.Read(&stream)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a.DType(), a.Shape())
	}
	// Output:
	// float64 [2]
	// bool [1]
}

func ExampleReadHeader() {
	f, err := os.Open("../testdata/npy/f8-3x4-big-fortran-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	h, size, err := npy.ReadHeader(f)
	if err != nil {
		log.Fatal(err)
	}
	data, err := h.DataSize()
	fmt.Println(h.DType, h.Shape, h.Fortran, h.BigEndian, size, data, err)
	// Output: float64 [3 4] true true 128 96 <nil>
}

func ExampleAppendHeader() {
	header := npy.AppendHeader(nil, array.Float64, []int{3, 4})
	fmt.Println(len(header), strings.TrimSpace(string(header[10:])))
	// Output: 128 {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
}

func ExampleHeader_Append() {
	point := npy.Type{Kind: npy.Struct, ItemSize: 16, Fields: []npy.Field{
		{Name: "id", Type: npy.Type{Kind: npy.Numeric, DType: array.Int32, ItemSize: 4}},
		{Name: "at", Type: npy.Type{Kind: npy.Numeric, DType: array.Float32, ItemSize: 4}, Shape: []int{2}, Offset: 8},
	}}
	header, err := npy.Header{Type: point, Shape: []int{3}}.Append(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.TrimSpace(string(header[10:])))
	// Output: {'descr': [('id', '<i4'), ('', '|V4'), ('at', '<f4', (2,))], 'fortran_order': False, 'shape': (3,), }
}

func ExampleReadStrings() {
	s, err := npy.ReadStrings("../testdata/npy/U3-3x4-c-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v %q\n", s.Shape, s.Data[:4])
	// Output: [3 4] ["" "⫁" "凑凑" "磡磡磡"]
}

func ExampleReadStringsFrom() {
	var file bytes.Buffer
	if err := npy.Write(&file, []string{"one", "two", "three"}); err != nil { // np.array(["one", …])
		log.Fatal(err)
	}
	s, err := npy.ReadStringsFrom(&file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Data, s.Width)
	// Output: [one two three] 5
}

func ExampleReadField() {
	x, err := npy.ReadField("../testdata/npy/struct-3x4-c-v1.npy", "x")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.DType(), x.Shape(), x.(*array.Array[float64]).Data()[:6])
	// Output: float64 [3 4 2] [0 0 1 -0.5 2 -1]
}

func ExampleReadStringField() {
	tag, err := npy.ReadStringField("../testdata/npy/struct-3x4-c-v1.npy", "tag")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", tag.Data[:4])
	// Output: ["" "b" "cc" "ddd"]
}

func ExampleWrite() {
	var file bytes.Buffer
	if err := npy.Write(&file, []int16{1, 2, 3}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Len(), file.Bytes()[128:])
	// Output: 134 [1 0 2 0 3 0]
}

func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "column.npy")

	m := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	if err := npy.WriteFile(path, m.ColView(1)); err != nil {
		log.Fatal(err)
	}
	a, err := npy.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Shape(), a.(*array.Array[float64]).Data())
	// Output: [3] [2 4 6]
}

func ExampleReadDense() {
	m, err := npy.ReadDense("../testdata/npy/f8-3x4-fortran-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(m))

	_, err = npy.ReadDense("../testdata/npy/u1-5-c-v1.npy")
	var failed *npy.Error
	fmt.Println(errors.As(err, &failed), failed.Op, filepath.Base(failed.Path))
	// Output:
	// ⎡ 0   7   3  10⎤
	// ⎢ 6   2   9   5⎥
	// ⎣ 1   8   4   0⎦
	// true read u1-5-c-v1.npy
}

func ExampleReadAs() {
	var file bytes.Buffer
	if err := npy.Write(&file, []float32{0.5, 1.5}); err != nil {
		log.Fatal(err)
	}
	a, err := npy.ReadAs[float32](&file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Data())
	// Output: [0.5 1.5]
}
