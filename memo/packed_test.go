package memo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/testdata/numpy"
)

// openCompressed opens a cache that compresses.
func openCompressed(t testing.TB, dir string, level int) *Cache {
	t.Helper()
	o := quiet()
	o.Compress = level
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// objectFiles returns the names of a folder's objects.
func objectFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, objectsFolder, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestCompressedResults stores results of every kind with every level, and has another
// cache, which does not compress, read them.
func TestCompressedResults(t *testing.T) {
	for level := 1; level <= 9; level++ {
		dir := t.TempDir()
		compute := func(n int) sample { return makeSample(n) }
		f, err := Func(openCompressed(t, dir, level), Spec{Name: "sample", Version: "1"}, compute)
		if err != nil {
			t.Fatal(err)
		}
		f.Call(3)
		for _, name := range objectFiles(t, dir) {
			if !strings.HasSuffix(name, ".npz") {
				t.Errorf("level %d: %s", level, name)
			}
		}
		plain := openQuiet(t, dir)
		g, err := Func(plain, Spec{Name: "sample", Version: "1"}, compute)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := g.Has(3); !ok || err != nil {
			t.Errorf("Has: %v, %v", ok, err)
		}
		if got, want := bits(g.Call(3)), bits(makeSample(3)); got != want {
			t.Errorf("level %d:\n%s\nwant\n%s", level, got, want)
		}
		if s := plain.Stats(); s.Hits != 1 || s.Faults != 0 {
			t.Errorf("level %d: %+v", level, s)
		}
		report, err := plain.Verify(t.Context(), nil)
		if err != nil || report.Objects != len(objectFiles(t, dir)) || report.Records != 1 || len(report.Damaged) != 0 || report.Incomplete != 0 {
			t.Errorf("level %d: %+v, %v", level, report, err)
		}
	}
}

// TestCompressedBytes checks that a large result is small on disk, that its bytes
// depend on nothing but it, and that NumPy opens it.
func TestCompressedBytes(t *testing.T) {
	var first []byte
	x := mat.NewDense(500, 700, nil)
	for i := range x.RawMatrix().Data {
		x.RawMatrix().Data[i] = float64(i % 100)
	}
	for range 2 {
		dir := t.TempDir()
		c := openCompressed(t, dir, 6)
		f, err := Func(c, Spec{Name: "large", Version: "1"}, func() *mat.Dense { return x })
		if err != nil {
			t.Fatal(err)
		}
		f.Call()
		if got := f.Call(); !mat.Equal(got, x) || c.Stats().Hits != 1 {
			t.Error("the result differs")
		}
		names := objectFiles(t, dir)
		if len(names) != 1 {
			t.Fatal(names)
		}
		b, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 8*500*700/10 || first != nil && !bytes.Equal(first, b) {
			t.Errorf("%d bytes, the same as before: %v", len(b), bytes.Equal(first, b))
		}
		first = b
		ref, err := f.Shelve()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ref.Open(t.Context(), 0); !errors.Is(err, ErrUnsupported) {
			t.Errorf("Open: %v, want ErrUnsupported", err)
		}
		var got *mat.Dense
		if err := ref.Get(t.Context(), &got); err != nil || !mat.Equal(got, x) {
			t.Errorf("Get: %v", err)
		}
		r, err := f.Record()
		if err != nil {
			t.Fatal(err)
		}
		digest := r.Results[0].Arrays()[0].Digest
		if path := c.ObjectPath(digest); filepath.FromSlash(path) != names[0] {
			t.Errorf("ObjectPath: %s, want %s", path, names[0])
		}
		if a, err := c.Object(t.Context(), digest); err != nil || !reflect.DeepEqual(a.Shape(), []int{500, 700}) {
			t.Errorf("Object: %v", err)
		}
		numpy.Run(t, `
import sys, numpy as np
with np.load(sys.argv[1], allow_pickle=False) as z:
    assert z.files == ["data"], z.files
    x = z["data"]
assert x.shape == (500, 700) and x.dtype == np.float64
assert (x.ravel() == np.arange(350000) % 100).all()
`, names[0])
	}
}

// TestCompressedDamage flips each bit and cuts at each length of a compressed object:
// the result is right, from the cache or computed anew.
func TestCompressedDamage(t *testing.T) {
	s := &storetest.Memory{}
	c := openOn(t, s)
	c.options.Compress = 9
	f, err := Func(c, Spec{Name: "f", Version: "1"}, func() []float64 { return []float64{1, 2, 3} })
	if err != nil {
		t.Fatal(err)
	}
	f.Call()
	r, err := f.Record()
	if err != nil {
		t.Fatal(err)
	}
	name := packedName(r.Results[0].Arrays()[0].Digest)
	intact := s.Blobs()[name]
	if intact == nil {
		t.Fatal("no object")
	}
	recomputed := 0
	check := func(b []byte, what string, at int) {
		t.Helper()
		s.Set(name, b)
		misses := c.Stats().Misses
		if v := f.Call(); !reflect.DeepEqual(v, []float64{1, 2, 3}) {
			t.Fatalf("%s at %d: %v", what, at, v)
		}
		if c.Stats().Misses > misses {
			recomputed++
			if now := s.Blobs()[name]; !bytes.Equal(now, intact) {
				t.Fatalf("%s at %d: the object was not written anew", what, at)
			}
		}
	}
	for i := range 8 * len(intact) {
		b := bytes.Clone(intact)
		b[i/8] ^= 1 << (i % 8)
		check(b, "bit flipped", i)
	}
	// What a zip says of dates and permissions may change; most of it matters.
	if recomputed < 4*len(intact) {
		t.Errorf("only %d flips of %d were noticed", recomputed, 8*len(intact))
	}
	recomputed = 0
	for n := range intact {
		check(intact[:n], "cut", n)
	}
	if recomputed != len(intact) {
		t.Errorf("%d cuts of %d were noticed", recomputed, len(intact))
	}
	if s.Aside() == 0 {
		t.Error("nothing was put aside")
	}
}

// TestForgedCompressed offers archives that are intact and not the object: another
// array, another shape, other members, a bomb.
func TestForgedCompressed(t *testing.T) {
	s := &storetest.Memory{}
	c := openOn(t, s)
	c.options.Compress = 1
	f, err := Func(c, Spec{Name: "f", Version: "1"}, func() []float64 { return []float64{1, 2, 3} })
	if err != nil {
		t.Fatal(err)
	}
	f.Call()
	r, err := f.Record()
	if err != nil {
		t.Fatal(err)
	}
	name := packedName(r.Results[0].Arrays()[0].Digest)
	three, err := array.FromSlice([]float64{1, 2, 3}, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, forged := range []any{[]float64{1, 2, 4}, three, []float32{1, 2, 3}, []float64{}, make([]float64, 1<<22), []int{1, 2, 3}} {
		src, err := array.Of(forged)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := writePacked(&b, src, 9); err != nil {
			t.Fatal(err)
		}
		s.Set(name, b.Bytes())
		misses := c.Stats().Misses
		if v := f.Call(); !reflect.DeepEqual(v, []float64{1, 2, 3}) || c.Stats().Misses != misses+1 {
			t.Errorf("%v for %T", v, forged)
		}
	}
}

// TestCompressedBesidePlain checks that an object which is there plain is not stored
// compressed too.
func TestCompressedBesidePlain(t *testing.T) {
	dir := t.TempDir()
	result := func() []float64 { return []float64{1, 2, 3} }
	for i, c := range []*Cache{openQuiet(t, dir), openCompressed(t, dir, 6)} {
		f, err := Func(c, Spec{Name: string(rune('a' + i)), Version: "1"}, result)
		if err != nil {
			t.Fatal(err)
		}
		f.Call()
	}
	if names := objectFiles(t, dir); len(names) != 1 || !strings.HasSuffix(names[0], ".npy") {
		t.Errorf("%q", names)
	}
	for _, level := range []int{-1, 10} {
		if _, err := Open(dir, &Options{Compress: level}); !errors.Is(err, ErrArguments) {
			t.Errorf("level %d: %v, want ErrArguments", level, err)
		}
	}
}
