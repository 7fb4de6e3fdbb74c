package npy_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// Large arrays are read in parts, in parallel and in tiles; a stream of unknown
// length is not. Both give the same, for shapes that cut the parts in every way.
func TestLargeArrays(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{1})
	shapes := func(size int) [][]int {
		n := 5 << 18 / size // elements
		return [][]int{
			{n + 1}, {n / 7, 7}, {7, n / 7}, {2, n / 2}, {n / 2, 2}, {1000, n/1000 + 1}, {n/3000 + 1, 3000},
			{1, n/900 + 1, 1, 900}, {n, 1}, {1, n}, {31, 37, n/31/37 + 1}, {3, n / 15, 5},
		}
	}
	for _, d := range []array.DType{array.Bool, array.Uint8, array.Float16, array.Int32, array.Float64, array.Complex128} {
		for _, shape := range shapes(d.Size()) {
			elements := 1
			for _, extent := range shape {
				elements *= extent
			}
			data := make([]byte, elements*d.Size())
			rng.Read(data)
			for _, fortran := range []string{"False", "True"} {
				for _, order := range []string{"<", ">"} {
					descr := d.Descr()
					if d.Size() > 1 {
						descr = order + descr[1:]
					}
					name := fmt.Sprintf("%s %v fortran %s", descr, shape, fortran)
					text := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s}", descr, fortran, array.FormatShape(shape))
					file := append(headerOf(text, 1), data...)
					want, err := npy.Read(stream{bytes.NewReader(file)})
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					r := bytes.NewReader(append(file, "behind"...))
					a, err := npy.Read(r)
					if err != nil || !equal(a, want) {
						t.Errorf("%s: other elements, %v", name, err)
					}
					if rest, err := io.ReadAll(r); string(rest) != "behind" {
						t.Errorf("%s: %d bytes are left, %v", name, len(rest), err)
					}
				}
			}
		}
	}
}

// A large file in Fortran order is read as NumPy reads it.
func TestLargeFortranFile(t *testing.T) {
	const rows, cols = 1500, 333
	path := filepath.Join(t.TempDir(), "x.npy")
	file := headerOf(fmt.Sprintf("{'descr': '<f8', 'fortran_order': True, 'shape': (%d, %d)}", rows, cols), 1)
	columns := make([]float64, rows*cols)
	for i := range columns {
		columns[i] = float64(i)
	}
	a, err := array.FromSlice(columns)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 8*len(columns))
	if err := a.Encode(data, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(file, data...), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := npy.ReadDense(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		for j := range cols {
			if m.At(i, j) != columns[j*rows+i] {
				t.Fatalf("element %d, %d is %v, not %v", i, j, m.At(i, j), columns[j*rows+i])
			}
		}
	}
}
