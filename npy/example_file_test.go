package npy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

func ExampleOpen() {
	f, err := npy.Open("../testdata/digits/digits.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Header().DType, f.Shape())

	rows, err := f.ReadRows(1000, 1003) // and nothing else of the file
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rows.Shape())
	// Output:
	// float64 [1797 64]
	// [3 64]
}

func ExampleFile_ReadRowsDense() {
	f, err := npy.Open("../testdata/npy/f8-3x4-big-fortran-v1.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	m, err := f.ReadRowsDense(1, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(m))
	// Output:
	// ⎡6  2  9  5⎤
	// ⎣1  8  4  0⎦
}

// Sums of columns of a file that may be larger than memory.
func ExampleFile_Blocks() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x.npy")
	if err := npy.WriteFile(path, mat.NewDense(5, 2, []float64{1, 10, 2, 20, 3, 30, 4, 40, 5, 50})); err != nil {
		log.Fatal(err)
	}

	f, err := npy.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	sums := make([]float64, f.Shape()[1])
	for block, err := range f.Blocks(context.Background(), 2) { // 0 chooses the number of rows
		if err != nil {
			log.Fatal(err)
		}
		m, err := block.Rows.Dense()
		if err != nil {
			log.Fatal(err)
		}
		n, _ := m.Dims()
		for i := range n {
			floats.Add(sums, m.RawRowView(i))
		}
		fmt.Println(n, "rows from", block.First, "on")
	}
	fmt.Println(sums)
	// Output:
	// 2 rows from 0 on
	// 2 rows from 2 on
	// 1 rows from 4 on
	// [15 150]
}

// A run that may be killed at any time goes on where its file ends.
func ExampleOpenAppend() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "steps.npy")

	for range 2 { // two runs
		a, err := npy.OpenAppend(path)
		if errors.Is(err, os.ErrNotExist) {
			a, err = npy.Create(path, array.Float64, 3)
		}
		if err != nil {
			log.Fatal(err)
		}
		for range 2 {
			step := float64(a.Rows())
			if err := a.Append([]float64{step, step * step, 1}); err != nil {
				log.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			log.Fatal(err)
		}
	}
	m, err := npy.ReadDense(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(m))
	// Output:
	// ⎡0  0  1⎤
	// ⎢1  1  1⎥
	// ⎢2  4  1⎥
	// ⎣3  9  1⎦
}

func ExampleAppender_Append() {
	dir, err := os.MkdirTemp("", "npy")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	a, err := npy.Create(filepath.Join(dir, "x.npy"), array.Float64, 2)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	m := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	fmt.Println(a.Append(m.T()))                                                // three rows
	fmt.Println(a.Append(m.ColView(0)))                                         // one
	fmt.Println(errors.Is(a.Append(m), array.ErrShape))                         // rows of three elements
	fmt.Println(errors.Is(a.Append([]float32{1, 2}), array.ErrDType), a.Rows()) // nothing is converted
	// Output:
	// <nil>
	// <nil>
	// true
	// true 4
}

func ExampleMapFile() {
	m, err := npy.MapFile("../testdata/npy/f8-3x4-c-v1.npy", npy.CopyOnWrite)
	if errors.Is(err, npy.ErrUnsupported) { // this system or this file: read it
		fmt.Println("⎡ 0   7   3  10⎤\n⎢ 6   2   9   5⎥\n⎣ 1   8   4  99⎦")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	d, err := m.Dense()
	if err != nil {
		log.Fatal(err)
	}
	d.Set(2, 3, 99) // in memory only
	fmt.Println(mat.Formatted(d))
	// Output:
	// ⎡ 0   7   3  10⎤
	// ⎢ 6   2   9   5⎥
	// ⎣ 1   8   4  99⎦
}
