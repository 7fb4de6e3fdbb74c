//go:build linux || darwin

package npy_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// modes are the two ways to map a file.
var modes = []npy.MapMode{npy.ReadOnly, npy.CopyOnWrite}

// needMapping skips a test of mapped arrays where this build has none.
func needMapping(t testing.TB) {
	t.Helper()
	if _, err := array.FromBytes(array.Uint8, []byte{1}, 1); errors.Is(err, array.ErrNotShared) {
		t.Skip("this build cannot show memory as an array")
	}
}

// A mapping is the array that Read returns, of every type and shape, or says that
// Read is to be used.
func TestMap(t *testing.T) {
	needMapping(t)
	check := leaks(t)
	r := rand.New(rand.NewPCG(19, 20))
	for _, d := range allTypes {
		for _, shape := range append([][]int{{}, {100_000}}, rowShapes...) {
			a := random(t, r, d, shape...)
			for _, o := range orders {
				path := write(t, "x.npy", layout(t, a, o.fortran, o.big))
				for _, mode := range modes {
					m, err := npy.MapFile(path, mode)
					long := slices.DeleteFunc(slices.Clone(shape), func(extent int) bool { return extent == 1 })
					if o.big && d.Size() > 1 || o.fortran && len(long) > 1 && a.Len() > 0 {
						var of *npy.Error
						if m != nil || !errors.Is(err, npy.ErrUnsupported) || !strings.Contains(err.Error(), "use Read") ||
							!errors.As(err, &of) || of.Op != "map" || of.Path != path {
							t.Errorf("%v %v %s: error %v", d, shape, o.name, err)
						}
						continue
					}
					if err != nil {
						t.Errorf("%v %v %s: %v", d, shape, o.name, err)
						continue
					}
					if !equal(m.Array(), a) {
						t.Errorf("%v %v %s: other elements", d, shape, o.name)
					}
					if err := errors.Join(m.Close(), m.Close()); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	check()
}

// What is written to one mapping is in no other one, and not in the file.
func TestCopyOnWrite(t *testing.T) {
	needMapping(t)
	v := make([]float64, 10_000)
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := npy.WriteFile(path, v); err != nil {
		t.Fatal(err)
	}
	before := content(t, path)
	f := open(t, path)
	var maps []*npy.Mapping
	for _, mode := range []npy.MapMode{npy.ReadOnly, npy.CopyOnWrite, npy.CopyOnWrite} {
		m, err := f.Map(mode)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		maps = append(maps, m)
	}
	if err := f.Close(); err != nil { // the mappings stay
		t.Fatal(err)
	}
	for i, m := range maps[1:] {
		vec, err := m.VecDense()
		if err != nil {
			t.Fatal(err)
		}
		for k := range vec.Len() {
			vec.SetVec(k, float64(i+1))
		}
	}
	for i, m := range maps {
		for k, v := range m.Array().(*array.Array[float64]).Data() {
			if v != float64(i) {
				t.Fatalf("element %d of mapping %d is %v", k, i, v)
			}
		}
	}
	if !bytes.Equal(content(t, path), before) {
		t.Error("the file has changed")
	}
	if err := maps[1].Close(); err != nil {
		t.Error(err)
	}
	if maps[2].Array().(*array.Array[float64]).Data()[9999] != 2 {
		t.Error("a mapping went with another one")
	}
}

func TestMapDoors(t *testing.T) {
	needMapping(t)
	m, err := npy.MapFile(filepath.Join(vectorFolder, "f8-3x4-c-v1.npy"), npy.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if d, err := m.Dense(); err != nil || !mat.Equal(d, mat.NewDense(3, 4, []float64{0, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0})) {
		t.Errorf("Dense: %v, %v", d, err)
	}
	var of *npy.Error
	if v, err := m.VecDense(); v != nil || !errors.Is(err, array.ErrShape) || !errors.As(err, &of) {
		t.Errorf("VecDense of two dimensions: %v", err)
	}
	if digest, err := array.Hash(context.Background(), m.Array()); err != nil || digest != values(t, array.Float64, []int{3, 4}).Digest() {
		t.Errorf("digest %v, %v", digest, err)
	}
}

func TestMapRefuses(t *testing.T) {
	check := leaks(t)
	for name, tt := range map[string]struct {
		file []byte
		mode npy.MapMode
		want error
	}{
		"a bool of 2":     {append(npy.AppendHeader(nil, array.Bool, []int{3}), 0, 1, 2), npy.ReadOnly, npy.ErrUnsupported},
		"not aligned":     {append(headerOf(with("'<f8'", "(1,)")+" ", 1), make([]byte, 8)...), npy.CopyOnWrite, npy.ErrUnsupported},
		"no such mode":    {fileOf(t, []float64{1}), 2, npy.ErrUnsupported},
		"a byte too few":  {fileOf(t, []float64{1})[:135], npy.ReadOnly, npy.ErrFormat},
		"nothing but 2⁴⁰": {headerOf(with("'<f8'", "(1099511627776,)"), 1), npy.ReadOnly, npy.ErrFormat},
	} {
		path := write(t, "x.npy", tt.file)
		if m, err := npy.MapFile(path, tt.mode); m != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	check()
}

// Mappings may be read, made and closed by many goroutines.
func TestConcurrentMappings(t *testing.T) {
	needMapping(t)
	want := random(t, rand.New(rand.NewPCG(21, 22)), array.Float64, 300, 100)
	f := open(t, write(t, "x.npy", fileOf(t, want)))
	m, err := f.Map(npy.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if !equal(m.Array(), want) {
				t.Error("other elements")
			}
			own, err := f.Map(npy.CopyOnWrite)
			if err != nil {
				t.Error(err)
				return
			}
			clear(own.Array().(*array.Array[float64]).Data())
			if err := own.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for range 4 {
		wg.Go(func() {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A file grows and is replaced while it is mapped.
func TestMapOfAGrowingFile(t *testing.T) {
	needMapping(t)
	a, path := appender(t, array.Float64)
	if err := a.Append([]float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	m, err := npy.MapFile(path, npy.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := errors.Join(a.Append(make([]float64, 10_000)), a.Close(), npy.WriteFile(path, []float64{7}), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	if got := m.Array().(*array.Array[float64]).Data(); !slices.Equal(got, []float64{1, 2}) {
		t.Errorf("%v", got)
	}
}

// A mapping of 64 GiB costs what one of 8 bytes does.
func TestMapOfALargeFile(t *testing.T) {
	needMapping(t)
	path := sparse(t, 1<<23, 1<<10, "False")
	for _, mode := range modes {
		var m *npy.Mapping
		var err error
		got := allocated(func() { m, err = npy.MapFile(path, mode) })
		if err != nil {
			t.Fatal(err)
		}
		if n := m.Array().Len(); int64(n) != 1<<33 || got > 1<<16 {
			t.Errorf("%d elements for %d bytes of memory", n, got)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
