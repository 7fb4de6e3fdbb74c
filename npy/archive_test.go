package npy_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// samples are arrays of every element type and sort of shape, by name.
func samples() map[string]any {
	r := rand.New(rand.NewPCG(1, 2))
	arrays := map[string]any{"texts": []string{"a", "", "π"}, "text": "one"}
	for d := array.Bool; d.Valid(); d++ {
		for _, shape := range [][]int{{}, {0}, {5}, {3, 4}, {0, 3}, {2, 3, 4}, {40_000}} {
			arrays[fmt.Sprintf("%v/%s", d, array.FormatShape(shape))] = filled(r, d, shape)
		}
	}
	arrays["ü ∑.x"] = []float64{1}
	long := make([]float64, 400_000) // several blocks
	for i := range long {
		long[i] = float64(i%1000) / 3
	}
	arrays["long"] = long
	arrays["random"] = filled(r, array.Uint8, []int{3<<20 + 5})
	return arrays
}

// checkSamples compares an archive with what samples returned.
func checkSamples(t *testing.T, a *npy.Archive, arrays map[string]any) {
	t.Helper()
	if names := a.Names(); len(names) != len(arrays) {
		t.Errorf("%d names, not %d", len(names), len(arrays))
	}
	for name, v := range arrays {
		switch want := v.(type) {
		case string:
			if s, err := a.Strings(name); err != nil || len(s.Shape) != 0 || s.Data[0] != want {
				t.Errorf("Strings(%s): %v, %v", name, s, err)
			}
			continue
		case []string:
			if s, err := a.Strings(name + ".npy"); err != nil || !slices.Equal(s.Data, want) {
				t.Errorf("Strings(%s): %v, %v", name, s, err)
			}
			if x, err := a.Read(name); x != nil || !errors.Is(err, array.ErrDType) {
				t.Errorf("Read of strings: %v", err)
			}
			continue
		}
		src, err := array.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := array.Copy(src)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := a.Read(name); err != nil || !equal(x, want) {
			t.Errorf("Read(%s): other elements, %v", name, err)
		}
		if h, err := a.Header(name + ".npy"); err != nil || h.DType != want.DType() || !slices.Equal(h.Shape, want.Shape()) {
			t.Errorf("Header(%s): %+v, %v", name, h, err)
		}
		if d, _, err := a.Hash(t.Context(), name); err != nil || d != want.Digest() {
			t.Errorf("Hash(%s): %v, %v", name, d, err)
		}
		r, err := a.Open(name)
		if err != nil {
			t.Errorf("Open(%s): %v", name, err)
			continue
		}
		if x, err := npy.Read(r); err != nil || !equal(x, want) {
			t.Errorf("the stream of %s: other elements, %v", name, err)
		}
		if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
			t.Errorf("the stream of %s ends with %d bytes, %v", name, len(rest), err)
		}
		r.Close()
	}
}

func TestArchive(t *testing.T) {
	arrays := samples()
	for _, level := range []int{0, 1, 6, 9} {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := npy.WriteArchive(path, arrays, &npy.ArchiveOptions{Level: level}); err != nil {
			t.Fatal(err)
		}
		a, err := npy.OpenArchive(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		checkSamples(t, a, arrays)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { // at once: streams are shared
				for name := range arrays {
					if _, err := a.Header(name); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()

		// Go's own reader takes it, every element lies aligned, and equal data
		// make equal bytes on any number of cores.
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); err != nil || uint64(n) != f.UncompressedSize64 {
				t.Errorf("archive/zip: %s: %v", f.Name, err)
			}
			if offset, err := f.DataOffset(); level == 0 && (offset%64 != 0 || err != nil) {
				t.Errorf("%s begins at %d, %v", f.Name, offset, err)
			}
		}
		again := filepath.Join(t.TempDir(), "again.npz")
		before := runtime.GOMAXPROCS(5)
		err = npy.WriteArchive(again, arrays, &npy.ArchiveOptions{Level: level})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := os.ReadFile(again); err != nil || !bytes.Equal(b, c) {
			t.Errorf("level %d: written again, it has other bytes, %v", level, err)
		}
	}
}

func TestReadArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	m := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
	if err := npy.WriteArchive(path, map[string]any{"m": m.T(), "v": []float64{5, 6}}, nil); err != nil {
		t.Fatal(err)
	}
	arrays, err := npy.ReadArchive(path)
	if err != nil || len(arrays) != 2 || arrays["m"].(*array.Array[float64]).Data()[1] != 3 {
		t.Errorf("%v, %v", arrays, err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := a.Dense("m"); err != nil || !mat.Equal(d, m.T()) {
		t.Errorf("Dense: %v, %v", d, err)
	}
	if v, err := a.VecDense("v.npy"); err != nil || v.AtVec(1) != 6 {
		t.Errorf("VecDense: %v, %v", v, err)
	}
	if d, err := a.Dense("v"); d != nil || !errors.Is(err, array.ErrShape) || !strings.Contains(err.Error(), `"v"`) {
		t.Errorf("Dense of a vector: %v", err)
	}
	for what, err := range map[string]error{
		"Read":     second(a.Read("none")),
		"Strings":  second(a.Strings("none")),
		"Open":     second(a.Open("none")),
		"Header":   second(a.Header("none")),
		"VecDense": second(a.VecDense("none")),
	} {
		var of *npy.Error
		if !errors.Is(err, npy.ErrMissing) || !errors.As(err, &of) || of.Path != path {
			t.Errorf("%s of no member: %v", what, err)
		}
	}
	if _, err := a.Strings("v"); !errors.Is(err, array.ErrDType) {
		t.Errorf("Strings of numbers: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.Read("m"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), "archive_test.go"} {
		var of *npy.Error
		if a, err := npy.OpenArchive(path, nil); a != nil || !errors.As(err, &of) || of.Path != path {
			t.Errorf("OpenArchive(%s): %v", path, err)
		}
	}
	if _, err := npy.OpenArchive(path, &npy.ArchiveOptions{MaxInflated: -1}); err == nil {
		t.Error("a negative MaxInflated")
	}
}

// What cannot be written leaves the old file and nothing beside it.
func TestArchiveWriteErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npz")
	if err := npy.WriteArchive(path, map[string]any{"old": []int8{1}}, nil); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		names []string
		v     any
		level int
		want  error
	}{
		"twice":         {[]string{"a", "a"}, 1, 0, npy.ErrName},
		"with .npy":     {[]string{"a.npy", "a"}, 1, 6, npy.ErrName},
		"without .npy":  {[]string{"a", "a.npy"}, 1, 0, npy.ErrName},
		"absolute":      {[]string{"/a"}, 1, 0, npy.ErrName},
		"out":           {[]string{"a/../../b"}, 1, 6, npy.ErrName},
		"backslash":     {[]string{`a\b`}, 1, 0, npy.ErrName},
		"NUL":           {[]string{"a\x00"}, 1, 0, npy.ErrName},
		"not UTF-8":     {[]string{"\xff"}, 1, 0, npy.ErrName},
		"long":          {[]string{strings.Repeat("x", 1<<16)}, 1, 0, npy.ErrName},
		"type":          {[]string{"a"}, "type", 0, array.ErrDType},
		"type deflated": {[]string{"a", "b"}, "type", 6, array.ErrDType},
		"late":          {[]string{"a"}, lateSource{}, 0, errLate},
		"late deflated": {[]string{"a"}, lateSource{}, 6, errLate},
	} {
		w, err := npy.CreateArchive(path, &npy.ArchiveOptions{Level: tt.level})
		if err != nil {
			t.Fatal(err)
		}
		v := tt.v
		switch v {
		case 1:
			v = []int{1}
		case "type":
			v = map[int]int{}
		}
		for _, n := range tt.names {
			err = w.Write(n, v)
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if closed := w.Close(); !errors.Is(closed, tt.want) {
			t.Errorf("%s: Close: %v", name, closed)
		}
	}
	w, err := npy.CreateArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { recover() }()
		w.Write("a", panicSource{})
	}()
	if err := w.Close(); err == nil {
		t.Error("Close after a panic")
	}
	if w, err = npy.CreateArchive(path, nil); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if err := w.Write("a", []int{1}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Abort: %v", err)
	}
	if err := w.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Close after Abort: %v", err)
	}
	for _, level := range []int{-1, 10} {
		if _, err := npy.CreateArchive(path, &npy.ArchiveOptions{Level: level}); err == nil {
			t.Errorf("level %d", level)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if a, err := npy.ReadArchive(path); err != nil || a["old"] == nil {
		t.Errorf("the old archive: %v", err)
	}
}

var errLate = errors.New("late")

// lateSource fails behind its first megabytes, panicSource at once.
type (
	lateSource  struct{}
	panicSource struct{ lateSource }
)

func (lateSource) DType() array.DType { return array.Uint8 }
func (lateSource) Shape() []int       { return []int{8 << 20} }
func (lateSource) Encode(b []byte, first int) error {
	if first > 5<<20 {
		return errLate
	}
	return nil
}
func (panicSource) Encode(b []byte, first int) error { panic("panicSource") }
