package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// Both ways with NumPy, stored and deflated.
func TestArchiveNumPy(t *testing.T) {
	dir := t.TempDir()
	arrays := samples()
	var ours []string
	for level, name := range map[int]string{0: "stored", 6: "deflated"} {
		file, stream := filepath.Join(dir, name+".npz"), filepath.Join(dir, name+"_stream.npz")
		if err := npy.WriteArchive(file, arrays, &npy.ArchiveOptions{Level: level}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(stream, archiveStream(t, arrays, level), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := npy.OpenArchive(stream, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkSamples(t, a, arrays)
		a.Close()
		ours = append(ours, file, stream)
	}
	numpy.Run(t, `
import sys, zipfile, numpy as np
*ours, saved, compressed = sys.argv[1:]
arrays = {}
for path in ours:
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) for i in z.infolist())
    with np.load(path, allow_pickle=False) as d:
        for name in d.files:
            a = d[name]
            if "/" in name:
                dtype, shape = name.split("/")
                assert a.dtype == np.dtype(dtype) and str(a.shape) == shape, name
            if name in arrays:
                assert arrays[name].tobytes() == a.tobytes()
            arrays[name] = a
assert arrays["texts"].tolist() == ["a", "", "π"]
assert (arrays["long"] == np.arange(400000) % 1000 / 3).all()
np.savez(saved, **arrays)
np.savez_compressed(compressed, **arrays)
`, append(ours, filepath.Join(dir, "saved.npz"), filepath.Join(dir, "compressed.npz"))...)
	for _, name := range []string{"saved.npz", "compressed.npz"} {
		a, err := npy.OpenArchive(filepath.Join(dir, name), nil)
		if err != nil {
			t.Fatal(err)
		}
		checkSamples(t, a, arrays)
		a.Close()
	}
}

// archiveStream returns the archive of arrays as NewArchiveWriter writes it.
func archiveStream(t *testing.T, arrays map[string]any, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := npy.NewArchiveWriter(&out, &npy.ArchiveOptions{Level: level})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		if err := w.Write(name, arrays[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Write("late", []int{1}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	return out.Bytes()
}

// Many members, and each size beyond its limit of 32 bits, where zip64 begins.
func TestArchiveZip64(t *testing.T) {
	dir := t.TempDir()
	many := filepath.Join(dir, "many.npz")
	w, err := npy.CreateArchive(many, nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 1<<16 + 3
	for i := range n {
		if err := w.Write(fmt.Sprint(i), []int{i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	defer npy.SetZip64Limit(1000)()
	small := filepath.Join(dir, "small.npz")
	arrays := map[string]any{"a": make([]float64, 500), "b": []float64{1}, "c": make([]int8, 900)}
	if err := npy.WriteArchive(small, arrays, nil); err != nil {
		t.Fatal(err)
	}
	deflated := filepath.Join(dir, "deflated.npz")
	if err := npy.WriteArchive(deflated, arrays, &npy.ArchiveOptions{Level: 1}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{small, deflated} {
		a, err := npy.OpenArchive(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkSamples(t, a, arrays)
		a.Close()
	}
	a, err := npy.OpenArchive(many, nil)
	if err != nil || len(a.Names()) != n {
		t.Fatalf("%v", err)
	}
	defer a.Close()
	if x, err := a.Read(fmt.Sprint(n - 1)); err != nil || x.(*array.Array[int64]).Data()[0] != n-1 {
		t.Errorf("the last of many: %v", err)
	}
	numpy.Run(t, `
import sys, zipfile, numpy as np
many, *rest = sys.argv[1:]
with np.load(many) as d:
    assert len(d.files) == 65539 and d["65538"].tolist() == [65538]
for path in rest:
    assert zipfile.ZipFile(path).testzip() is None
    with np.load(path) as d:
        assert d["a"].shape == (500,) and d["b"].tolist() == [1] and d["c"].shape == (900,)
`, many, small, deflated)
}

// The sizes themselves, with NUMCACHE_LARGE set: it takes 5 GB of disk.
func TestArchiveBeyond4GB(t *testing.T) {
	if os.Getenv("NUMCACHE_LARGE") == "" {
		t.Skip("NUMCACHE_LARGE is not set")
	}
	if math.MaxInt == math.MaxInt32 {
		t.Skip("no such shape on 32 bits")
	}
	size := 5
	for range 30 {
		size *= 2
	}
	dir := t.TempDir()
	for _, level := range []int{0, 1} {
		path := filepath.Join(dir, fmt.Sprint(level))
		large := zeroSource{size}
		if err := npy.WriteArchive(path, map[string]any{"large": large, "last": []int{7}}, &npy.ArchiveOptions{Level: level}); err != nil {
			t.Fatal(err)
		}
		a, err := npy.OpenArchive(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := array.Hash(t.Context(), large)
		if err != nil {
			t.Fatal(err)
		}
		if d, _, err := a.Hash(t.Context(), "large"); d != want || err != nil {
			t.Errorf("level %d: %v, %v", level, d, err)
		}
		if x, err := a.Read("last"); err != nil || x.(*array.Array[int64]).Data()[0] != 7 {
			t.Errorf("level %d: the last: %v", level, err)
		}
		a.Close()
		numpy.Run(t, `
import sys, zipfile, numpy as np
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
assert np.load(sys.argv[1])["last"].tolist() == [7]
`, path)
		os.Remove(path)
	}
}

// zeroSource is that many zeros.
type zeroSource struct{ n int }

func (s zeroSource) DType() array.DType { return array.Uint8 }
func (s zeroSource) Shape() []int       { return []int{s.n} }
func (s zeroSource) Encode(b []byte, first int) error {
	clear(b)
	return nil
}

// What NumPy made, one of them with sizes behind the data.
func TestMadeArchives(t *testing.T) {
	for _, name := range []string{"saved", "compressed"} {
		a, err := npy.OpenArchive("../testdata/npz/"+name+".npz", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if want := []string{"a", "b", "c", "flags", "text", "texts", "bytes", "K", "net.w"}; !slices.Equal(a.Names(), want) {
			t.Errorf("%s: %q", name, a.Names())
		}
		for _, member := range []string{"b", "c"} {
			x, err := a.Read(member)
			if err != nil {
				t.Fatal(err)
			}
			data := reflect.ValueOf(x).MethodByName("Data").Call(nil)[0]
			if got := fmt.Sprint(data); got != "[0 1 2 3 4 5]" {
				t.Errorf("%s: %s is %s", name, member, got)
			}
			if d, _, err := a.Hash(t.Context(), member); err != nil || d != x.Digest() {
				t.Errorf("%s: Hash(%s): %v", name, member, err)
			}
		}
		if w, err := a.Dense("net.w"); err != nil || w.At(1, 1) != 1 {
			t.Errorf("%s: %v, %v", name, w, err)
		}
		if s, err := a.Strings("texts"); err != nil || !slices.Equal(s.Data, []string{"a", "bc"}) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	all, err := npy.ReadArchive("../testdata/npz/streamed.npz")
	if err != nil || !slices.Equal(all["x"].(*array.Array[int64]).Data(), []int64{0, 1, 2, 3, 4}) {
		t.Errorf("streamed: %v, %v", all, err)
	}
}
