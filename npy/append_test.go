package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// appender makes a new file for the length of a test.
func appender(t testing.TB, d array.DType, row ...int) (*npy.Appender, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npy")
	a, err := npy.Create(path, d, row...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, path
}

// content reads a file.
func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fileOf returns what Write writes, which other tests compare with np.save.
func fileOf(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// After each Append the file is the one of all rows, byte for byte, whatever its
// type and the shape of its rows, and across closing and opening it.
func TestAppend(t *testing.T) {
	check := leaks(t)
	r := rand.New(rand.NewPCG(11, 12))
	for _, d := range allTypes {
		for _, row := range [][]int{{}, {1}, {4}, {0}, {2, 3}, {3, 0}, {70_000}} {
			const rows = 120
			shape := append([]int{min(rows, 1_000_000/max(1, mustElements(t, row)*d.Size()))}, row...)
			all := random(t, r, d, shape...)
			path := filepath.Join(t.TempDir(), "x.npy")
			a, err := npy.Create(path, d, row...)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; ; {
				if !bytes.Equal(content(t, path), fileOf(t, rowsOf(t, all, 0, at))) || a.Rows() != at {
					t.Fatalf("%v %v: the file of %d rows is another one", d, row, at)
				}
				if at == shape[0] {
					break
				}
				n := r.IntN(min(shape[0]-at, 20) + 1)
				part := rowsOf(t, all, at, at+n)
				if n == 1 && r.IntN(2) == 0 { // one dimension less
					one, err := array.Make(d, row...)
					if err != nil {
						t.Fatal(err)
					}
					if err := one.Decode(0, elementsOf(t, part)); err != nil {
						t.Fatal(err)
					}
					part = one
				}
				if err := a.Append(part); err != nil {
					t.Fatalf("%v %v: %v", d, row, err)
				}
				at += n
				if r.IntN(5) == 0 {
					if err := a.Close(); err != nil {
						t.Fatal(err)
					}
					if a, err = npy.OpenAppend(path); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := errors.Join(a.Sync(), a.Close()); err != nil {
				t.Error(err)
			}
			if got, err := npy.ReadFile(path); err != nil || !equal(got, all) {
				t.Errorf("%v %v: %v", d, row, err)
			}
		}
	}
	check()
}

func mustElements(t testing.TB, shape []int) int {
	t.Helper()
	n, err := array.Elements(shape, 1)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The number of rows gets more digits, up to the room that NumPy leaves.
func TestAppendThroughDigits(t *testing.T) {
	a, path := appender(t, array.Uint8)
	rows := 0
	for _, n := range []int{9, 1, 89, 1, 899, 1, 8999, 1, 989_999, 1, 1} {
		if err := a.Append(make([]uint8, n)); err != nil {
			t.Fatal(err)
		}
		if rows += n; !bytes.Equal(content(t, path), fileOf(t, make([]uint8, rows))) {
			t.Errorf("the file of %d rows is another one", rows)
		}
	}
	// Rows without elements are as many as they like.
	b, path := appender(t, array.Float64, 0)
	many := source{dtype: array.Float64, shape: []int{1 << 20, 0}}
	for range 40 {
		if err := b.Append(many); err != nil && !errors.Is(err, array.ErrShape) {
			t.Fatal(err)
		}
	}
	if f := open(t, path); f.Rows() != b.Rows() || f.Rows() < 1<<20 {
		t.Errorf("%d rows, the file has %d", b.Rows(), f.Rows())
	}
}

// Every file that NumPy made grows, or says why it does not.
func TestAppendToEveryVector(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, v := range vectors(t) {
		old := content(t, filepath.Join(vectorFolder, v.File))
		path := write(t, v.File, old)
		a, err := npy.OpenAppend(path)
		if n := len(v.Shape); n == 0 || v.Fortran && mustElements(t, v.Shape[1:]) > 1 {
			var of *npy.Error
			if a != nil || !errors.Is(err, npy.ErrUnsupported) || !errors.As(err, &of) || of.Op != "append" || of.Path != path {
				t.Errorf("%s: error %v", v.Name, err)
			}
			if !bytes.Equal(content(t, path), old) {
				t.Errorf("%s: the file has changed", v.Name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		was, size, err := npy.ReadHeader(bytes.NewReader(old))
		if err != nil {
			t.Fatal(err)
		}
		first, err := npy.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		more := random(t, r, was.DType, append([]int{2000}, v.Shape[1:]...)...)
		if err := errors.Join(a.Append(more), a.Close()); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		now, newSize, err := npy.ReadHeader(bytes.NewReader(content(t, path)))
		if err != nil || newSize != size || now.Descr() != was.Descr() || !bytes.Equal(content(t, path)[:8], old[:8]) {
			t.Errorf("%s: header %+v of %d bytes, %v; it was %+v of %d", v.Name, now, newSize, err, was, size)
		}
		all, err := npy.ReadFile(path)
		if err != nil || !bytes.Equal(elementsOf(t, all), append(elementsOf(t, first), elementsOf(t, more)...)) {
			t.Errorf("%s: other elements, %v", v.Name, err)
		}
	}
}

// np.load reads the file after each Append, and np.save writes the same bytes.
func TestAppendForNumPy(t *testing.T) {
	dir := t.TempDir()
	a, path := appender(t, array.Float64, 3)
	m := mat.NewDense(7, 5, nil)
	for k := range m.RawMatrix().Data {
		m.RawMatrix().Data[k] = float64(k)
	}
	for i, v := range []any{
		m.Slice(0, 7, 1, 4), m.RowView(2).(*mat.VecDense).SliceVec(0, 3), m.Slice(0, 3, 0, 5).T(),
		m.ColView(4).(*mat.VecDense).SliceVec(1, 4), mat.NewDiagDense(3, []float64{1, 2, 3}), []float64{7, 8, 9}, &rows{m},
	} {
		if err := a.Append(v); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.npy", i)), content(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := numpy.Run(t, `
import os, sys
import numpy as np
os.chdir(sys.argv[1])
m = np.arange(35.0).reshape(7, 5)
parts = [m[:, 1:4], m[2:3, :3], m[:3].T, m[None, 1:4, 4], np.diag([1.0, 2, 3]), [[7.0, 8, 9]], m[:, :3]]
for i in range(len(parts)):
    want = np.concatenate(parts[:i + 1])
    got = np.load("%d.npy" % i)
    np.save("want.npy", np.ascontiguousarray(want))
    if not np.array_equal(got, want) or open("want.npy", "rb").read() != open("%d.npy" % i, "rb").read():
        print(i, got)
print("done")
`, dir)
	if strings.TrimSpace(out) != "done" {
		t.Error(out)
	}
}

// rows is a foreign matrix: the first three columns of another one.
type rows struct{ m *mat.Dense }

func (r *rows) Dims() (int, int)    { n, _ := r.m.Dims(); return n, 3 }
func (r *rows) At(i, j int) float64 { return r.m.At(i, j) }
func (r *rows) T() mat.Matrix       { return mat.Transpose{Matrix: r} }

// Rows of one Append stay together, whoever appends.
func TestConcurrentAppends(t *testing.T) {
	a, path := appender(t, array.Int32, 2)
	var wg sync.WaitGroup
	for i := range int32(8) {
		wg.Go(func() {
			for range 20 {
				if err := a.Append([]int32{i, i}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	all, err := npy.ReadFileAs[int32](path)
	if err != nil || all.Len() != 320 {
		t.Fatal(err)
	}
	for k := 0; k < all.Len(); k += 2 {
		if all.Data()[k] != all.Data()[k+1] {
			t.Errorf("row %d is torn", k/2)
		}
	}
}

// While rows are appended, whoever reads the file reads whole ones.
func TestReadersOfAGrowingFile(t *testing.T) {
	a, path := appender(t, array.Int64)
	done := make(chan error, 1)
	go func() {
		for i := range int64(2000) {
			if err := a.Append([]int64{2 * i, 2*i + 1}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for last, over := 0, false; !over; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			over = true
		default:
		}
		all, err := npy.ReadFileAs[int64](path)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range all.Data() {
			if v != int64(k) {
				t.Fatalf("element %d of %d is %d", k, all.Len(), v)
			}
		}
		if all.Len() < last || over && all.Len() != 4000 {
			t.Errorf("%d elements after %d", all.Len(), last)
		}
		last = all.Len()
	}
}
