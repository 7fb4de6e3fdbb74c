package array_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"reflect"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

func Example() {
	m := mat.NewDense(3, 4, []float64{
		0, 1, 2, 3,
		4, 5, 6, 7,
		8, 9, 10, 11,
	})
	a, err := array.FromDense(m)
	if err != nil {
		log.Fatal(err)
	}
	// In Python: np.arange(12.).reshape(3, 4)
	fmt.Println(a.DType(), a.Shape(), a.Digest())

	m.Set(0, 0, -1) // a shares the memory of m
	v, err := a.At(0, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v)
	// Output:
	// float64 [3 4] 3dbbec467ceba150bd0e18328cc3a754
	// -1
}

func ExampleFromSlice() {
	a, err := array.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	if err != nil {
		log.Fatal(err)
	}
	rows, err := a.Slice(1, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rows.Shape(), rows.Data())
	// Output: [2 2] [3 4 5 6]
}

func ExampleNew() {
	a, err := array.New[complex128](2, 2)
	if err != nil {
		log.Fatal(err)
	}
	a.Data()[3] = 2i
	v, err := a.At(1, 1)
	fmt.Println(v, err)

	_, err = a.At(1, 2)
	fmt.Println(errors.Is(err, array.ErrShape))
	// Output:
	// (0+2i) <nil>
	// true
}

func ExampleArray_Reshape() {
	a, err := array.FromSlice([]float64{1, 2, 3, 4, 5, 6})
	if err != nil {
		log.Fatal(err)
	}
	table, err := a.Reshape(2, 3)
	if err != nil {
		log.Fatal(err)
	}
	m, err := table.Dense()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(m))
	// Output:
	// ⎡1  2  3⎤
	// ⎣4  5  6⎦
}

// The digest of a value is that of its logical elements, whatever its layout.
func ExampleHash() {
	wide := mat.NewDense(2, 3, []float64{
		1, 2, 9,
		3, 4, 9,
	})
	for _, v := range []any{
		wide.Slice(0, 2, 0, 2),
		mat.NewDense(2, 2, []float64{1, 3, 2, 4}).T(),
		mat.NewDense(2, 2, []float64{1, 2, 3, 4}),
	} {
		src, err := array.Of(v)
		if err != nil {
			log.Fatal(err)
		}
		d, err := array.Hash(context.Background(), src)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d)
	}
	// Output:
	// d0bda024d630d8cef8b4bb9090023700
	// d0bda024d630d8cef8b4bb9090023700
	// d0bda024d630d8cef8b4bb9090023700
}

func ExampleOf() {
	symmetric := mat.NewSymDense(2, []float64{1, 2, 0, 3}) // reads the upper triangle
	src, err := array.Of(symmetric)
	if err != nil {
		log.Fatal(err)
	}
	a, err := array.Copy(src)
	if err != nil {
		log.Fatal(err)
	}
	switch a := a.(type) {
	case *array.Array[float64]:
		fmt.Println(a.Shape(), a.Data())
	}
	// Output: [2 2] [1 2 2 3]
}

// A table makes the digest of an array that comes piece by piece.
func ExampleTable() {
	data := make([]byte, 600_000) // as it would come from a network
	t, err := array.NewTable(array.Uint8, len(data))
	if err != nil {
		log.Fatal(err)
	}
	for i := range t.Len() {
		offset, length := t.Chunk(i)
		if err := t.Set(i, data[offset:offset+length]); err != nil {
			log.Fatal(err)
		}
	}
	a, err := array.FromSlice(data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Len(), t.Digest() == a.Digest())
	// Output: 3 true
}

func ExampleChunks() {
	src, err := array.Of(make([]float64, 100_000))
	if err != nil {
		log.Fatal(err)
	}
	for chunk, err := range array.Chunks(src) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(chunk))
	}
	// Output:
	// 262144
	// 262144
	// 262144
	// 13568
}

func ExampleParseDType() {
	d, bigEndian, err := array.ParseDType(">f4")
	fmt.Println(d, d.Size(), d.Descr(), bigEndian, err)
	// Output: float32 4 <f4 true <nil>
}

func ExampleParseDigest() {
	d, err := array.ParseDigest("3dbbec467ceba150bd0e18328cc3a754")
	fmt.Println(d, err)
	_, err = array.ParseDigest("3DBB")
	fmt.Println(err)
	// Output:
	// 3dbbec467ceba150bd0e18328cc3a754 <nil>
	// array: digest: "3DBB" is not 32 hex digits
}

func ExampleFromDense() {
	m := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	whole, err := array.FromDense(m)
	if err != nil {
		log.Fatal(err)
	}
	part, err := array.FromDense(m.Slice(0, 2, 1, 3).(*mat.Dense))
	if err != nil {
		log.Fatal(err)
	}
	m.Set(0, 1, 20)
	fmt.Println(whole.Data()) // shared
	fmt.Println(part.Data())  // with gaps, so copied
	// Output:
	// [1 20 3 4 5 6]
	// [2 3 5 6]
}

func ExampleFromVecDense() {
	v := mat.NewVecDense(3, []float64{1, 2, 3})
	a, err := array.FromVecDense(v)
	if err != nil {
		log.Fatal(err)
	}
	back, err := a.VecDense()
	if err != nil {
		log.Fatal(err)
	}
	back.SetVec(0, 10)
	fmt.Println(a.Shape(), v.AtVec(0))
	// Output: [3] 10
}

func ExampleMake() {
	d, _, err := array.ParseDType("<i2")
	if err != nil {
		log.Fatal(err)
	}
	a, err := array.Make(d, 3)
	if err != nil {
		log.Fatal(err)
	}
	if err := a.Decode(1, []byte{1, 2}); err != nil { // element 1, little-endian
		log.Fatal(err)
	}
	fmt.Println(a.DType(), a.(*array.Array[int16]).Data())
	// Output: int16 [0 513 0]
}

func ExampleCopy() {
	m := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
	src, err := array.Of(m.T())
	if err != nil {
		log.Fatal(err)
	}
	a, err := array.Copy(src)
	if err != nil {
		log.Fatal(err)
	}
	m.Zero()
	fmt.Println(a.(*array.Array[float64]).Data())
	// Output: [1 3 2 4]
}

func ExampleElements() {
	n, err := array.Elements([]int{3, 4}, 8)
	fmt.Println(n, err)
	_, err = array.Elements([]int{1 << 30, 1 << 30, 1 << 30}, 8)
	fmt.Println(errors.Is(err, array.ErrShape))
	// Output:
	// 12 <nil>
	// true
}

// Printing a matrix as NumPy does, only the edges where it is large.
func ExampleFormat() {
	m := mat.NewDense(100, 100, nil)
	m.Set(0, 0, 0.5)
	m.Set(99, 98, -12.25)
	src, err := array.Of(m)
	if err != nil {
		log.Fatal(err)
	}
	text, err := array.Format(src)
	fmt.Println(text, err)
	// Output:
	// [[  0.5    0.     0.   ...   0.     0.     0.  ]
	//  [  0.     0.     0.   ...   0.     0.     0.  ]
	//  [  0.     0.     0.   ...   0.     0.     0.  ]
	//  ...
	//  [  0.     0.     0.   ...   0.     0.     0.  ]
	//  [  0.     0.     0.   ...   0.     0.     0.  ]
	//  [  0.     0.     0.   ...   0.   -12.25   0.  ]] <nil>
}

func ExampleArray_String() {
	a, err := array.FromSlice([]complex64{1, 2i, -0.5, 1 + 1i}, 2, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v\n", a)
	// Output:
	// [[ 1. +0.j  0. +2.j]
	//  [-0.5+0.j  1. +1.j]]
}

// Tables tell which rows of a large array have changed, without its old elements.
func ExampleDiff() {
	a, err := array.New[float64](1_000_000, 10)
	if err != nil {
		log.Fatal(err)
	}
	before, err := array.HashTable(context.Background(), a)
	if err != nil {
		log.Fatal(err)
	}
	a.Data()[5_000_000] = 1 // row 500000
	after, err := array.HashTable(context.Background(), a)
	if err != nil {
		log.Fatal(err)
	}
	rows, err := array.Diff(before, after)
	fmt.Println(rows, err)
	// Output: [{498073 501351}] <nil>
}

// A table survives as an array that can be stored beside its own.
func ExampleTableOf() {
	a, err := array.FromSlice(make([]float32, 100_000), 1000, 100)
	if err != nil {
		log.Fatal(err)
	}
	t, err := array.HashTable(context.Background(), a)
	if err != nil {
		log.Fatal(err)
	}
	kept := t.Array()
	again, err := array.TableOf(array.Float32, []int{1000, 100}, kept)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(kept.DType(), kept.Shape(), again.Digest() == a.Digest())
	// Output: uint64 [2 2] true
}

func ExampleHalf() {
	h := array.ToHalf(0.1)
	fmt.Println(h, h.Float32(), array.ToHalf(70000))

	a, err := array.FromSlice([]array.Half{h, array.ToHalf(1.5)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.DType(), a)
	// Output:
	// 0.1 0.099975586 +Inf
	// float16 [0.1 1.5]
}

// A lower triangular matrix is stored as its elements and a word, and made again.
func ExampleMatrix() {
	l := mat.NewTriDense(2, mat.Lower, []float64{1, 0, 2, 3})
	src, err := array.Of(l)
	if err != nil {
		log.Fatal(err)
	}
	a, err := array.Copy(src)
	if err != nil {
		log.Fatal(err)
	}
	layout := array.Layout(l)
	m, err := array.Matrix(a, layout, reflect.TypeFor[*mat.TriDense]())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %T %v\n", layout, m, mat.Equal(m.(*mat.TriDense), l))
	// Output: lower *mat.TriDense true
}

func ExampleFromBytes() {
	// As from a mapped file. Copy what cannot be shared where it lies.
	b := []byte{1, 0, 1}
	a, err := array.FromBytes(array.Bool, b, 3)
	if errors.Is(err, array.ErrNotShared) {
		if a, err = array.Make(array.Bool, 3); err == nil {
			err = a.Decode(0, b)
		}
	}
	fmt.Println(a, err)
	// Output: [ True False  True] <nil>
}
