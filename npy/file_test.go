package npy_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// allTypes are the element types that arrays have.
var allTypes = append(slices.Clone(dtypes), array.Float16)

// random returns an array of random bits, NaNs among them.
func random(t testing.TB, r *rand.Rand, d array.DType, shape ...int) array.Any {
	t.Helper()
	a, err := array.Make(d, shape...)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, a.Len()*d.Size())
	for i := range b {
		b[i] = byte(r.Uint32())
		if d == array.Bool {
			b[i] &= 1
		}
	}
	if err := a.Decode(0, b); err != nil {
		t.Fatal(err)
	}
	return a
}

// elementsOf returns the elements of a in C order, little-endian.
func elementsOf(t testing.TB, a array.Any) []byte {
	t.Helper()
	b := make([]byte, a.Len()*a.DType().Size())
	if err := a.Encode(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// rowsOf returns a copy of the rows [lo, hi) of a.
func rowsOf(t testing.TB, a array.Any, lo, hi int) array.Any {
	t.Helper()
	b := elementsOf(t, a)
	shape := a.Shape()
	row := len(b) / max(shape[0], 1)
	shape[0] = hi - lo
	part, err := array.Make(a.DType(), shape...)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Decode(0, b[lo*row:hi*row]); err != nil {
		t.Fatal(err)
	}
	return part
}

// layout returns the .npy file of a in the given order and endianness.
func layout(t testing.TB, a array.Any, fortran, big bool) []byte {
	t.Helper()
	d, shape := a.DType(), a.Shape()
	b, size := elementsOf(t, a), a.DType().Size()
	if fortran {
		in := bytes.Clone(b)
		for k := range a.Len() { // k counts in C order
			at, rest, step := 0, k, a.Len()
			for axis := len(shape) - 1; axis >= 0; axis-- {
				step /= shape[axis]
				at += rest % shape[axis] * step
				rest /= shape[axis]
			}
			copy(b[at*size:(at+1)*size], in[k*size:])
		}
	}
	descr, order := d.Descr(), "False"
	if big && size > 1 {
		descr = ">" + descr[1:]
		array.SwapBytes(b, d)
	}
	if fortran {
		order = "True"
	}
	text := "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + array.FormatShape(shape) + ", }"
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n" // the elements begin at a multiple of 64
	return append(headerOf(text, 1), b...)
}

// write writes a file of a test's folder.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens a file for the length of a test.
func open(t testing.TB, path string) *npy.File {
	t.Helper()
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// leaks returns a function that fails the test where a goroutine or an open file
// is left over.
func leaks(t *testing.T) func() {
	files := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return 0 // no such folder on this system
		}
		return len(entries)
	}
	goroutines, open := runtime.NumGoroutine(), files()
	return func() {
		t.Helper()
		// One that has done its work may take a moment to be gone.
		for start := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(start) < 5*time.Second; {
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines more", n-goroutines)
		}
		if n := files(); n > open {
			t.Errorf("%d open files more", n-open)
		}
	}
}

func TestOpen(t *testing.T) {
	check := leaks(t)
	for _, v := range vectors(t) {
		path := filepath.Join(vectorFolder, v.File)
		f, err := npy.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		h := f.Header()
		if h.Descr() != v.Descr || h.Fortran != v.Fortran || !slices.Equal(h.Shape, v.Shape) || !slices.Equal(f.Shape(), v.Shape) {
			t.Errorf("%s: header %+v, shape %v", v.Name, h, f.Shape())
		}
		rows := 0
		if len(v.Shape) > 0 {
			rows = v.Shape[0]
			h.Shape[0], f.Shape()[0] = -1, -1 // the caller's own
		}
		if f.Rows() != rows {
			t.Errorf("%s: %d rows", v.Name, f.Rows())
		}
		want := values(t, h.DType, v.Shape)
		for range 2 { // there is no position
			if a, err := f.Read(); err != nil || !equal(a, want) {
				t.Errorf("%s: Read: other elements, %v", v.Name, err)
			}
			if digest, err := f.Hash(t.Context()); err != nil || digest != want.Digest() {
				t.Errorf("%s: Hash: %v, %v", v.Name, digest, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if f.Rows() != rows {
			t.Errorf("%s: %d rows once closed", v.Name, f.Rows())
		}
		for door, err := range map[string]error{
			"Close":    f.Close(),
			"Read":     second(f.Read()),
			"ReadRows": second(f.ReadRows(0, rows)),
			"Hash":     second(f.Hash(t.Context())),
		} {
			var of *npy.Error
			hollow := rows == 0 || want.Len() == 0 // of which nothing is read
			if !errors.Is(err, os.ErrClosed) && !(hollow && door != "Close") || err != nil && (!errors.As(err, &of) || of.Path != path) {
				t.Errorf("%s: %s once closed: error %v", v.Name, door, err)
			}
		}
	}
	check()
}

// second is the error of a call that returns a value, too.
func second[T any](_ T, err error) error { return err }

func TestOpenRefuses(t *testing.T) {
	check := leaks(t)
	dir := t.TempDir()
	for name, tt := range hostile {
		path := write(t, "x.npy", tt.file)
		f, err := npy.Open(path)
		var of *npy.Error
		if err == nil && tt.want == npy.ErrUnsupported {
			// The header is fine, and says that the elements are no numbers.
			for op, err := range map[string]error{"read": second(f.Read()), "hash": second(f.Hash(t.Context())), "map": second(f.Map(npy.ReadOnly))} {
				if !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Op != op || of.Path != path {
					t.Errorf("%s: %s: error %v, want %v", name, op, err, tt.want)
				}
			}
			f.Close()
			continue
		}
		if f != nil || !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Op != "open" || of.Path != path {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
		if err := second(npy.MapFile(path, npy.ReadOnly)); !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Op != "map" {
			t.Errorf("%s: MapFile: error %v", name, err)
		}
	}
	for path, want := range map[string]error{
		dir:                        npy.ErrFormat,
		filepath.Join(dir, "none"): fs.ErrNotExist,
		"":                         fs.ErrNotExist,
	} {
		if err := second(npy.Open(path)); !errors.Is(err, want) {
			t.Errorf("%q: error %v", path, err)
		}
	}
	check()
}

// A file that is cut while it is open.
func TestCutAfterOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, a := range map[string]array.Any{
		"C": random(t, r, array.Float64, 1000, 3), "Fortran": random(t, r, array.Float64, 1000, 3), "bool": random(t, r, array.Bool, 1000),
	} {
		content := layout(t, a, name == "Fortran", false)
		for _, cut := range []int{1, 100, len(content) - 10, len(content)} {
			path := write(t, "x.npy", content)
			f := open(t, path)
			if err := os.Truncate(path, int64(len(content)-cut)); err != nil {
				t.Fatal(err)
			}
			blocks := error(nil)
			for _, err := range f.Blocks(t.Context(), 10) {
				blocks = err
			}
			for door, err := range map[string]error{
				"Read":     second(f.Read()),
				"Hash":     second(f.Hash(t.Context())),
				"ReadRows": second(f.ReadRows(900, 1000)),
				"Blocks":   blocks,
				"Map":      second(f.Map(npy.ReadOnly)),
			} {
				if door == "Map" && errors.Is(err, npy.ErrUnsupported) {
					continue
				}
				if !errors.Is(err, npy.ErrFormat) {
					t.Errorf("%s cut by %d bytes: %s: error %v", name, cut, door, err)
				}
			}
		}
	}
}

// A part of a large file that is not there does not tell how much of it is.
func TestCutOfALargeFile(t *testing.T) {
	for _, order := range []string{"False", "True"} {
		path := sparse(t, 1<<9, 1<<10, order)
		f := open(t, path)
		if err := os.Truncate(path, 5000); err != nil {
			t.Fatal(err)
		}
		for door, err := range map[string]error{"Read": second(f.Read()), "Hash": second(f.Hash(t.Context()))} {
			if !errors.Is(err, npy.ErrFormat) || !strings.Contains(err.Error(), "it was cut while it was open") {
				t.Errorf("Fortran %s: %s: error %v", order, door, err)
			}
		}
	}
}

// Any number of goroutines use one handle.
func TestConcurrentReaders(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	a := random(t, r, array.Float32, 500, 31)
	for _, fortran := range []bool{false, true} {
		f := open(t, write(t, "x.npy", layout(t, a, fortran, false)))
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				lo, hi := 40*i, 60*i+1
				if rows, err := f.ReadRows(lo, hi); err != nil || !equal(rows, rowsOf(t, a, lo, hi)) {
					t.Errorf("rows %d to %d: %v", lo, hi, err)
				}
				if whole, err := f.Read(); err != nil || !equal(whole, a) {
					t.Errorf("Read: %v", err)
				}
				if digest, err := f.Hash(t.Context()); err != nil || digest != a.Digest() {
					t.Errorf("Hash: %v", err)
				}
			})
		}
		wg.Wait()
	}
}

// An array without elements needs no mapping, and so it is mapped everywhere.
func TestMapEmpty(t *testing.T) {
	for _, shape := range [][]int{{0}, {0, 3}, {3, 0}} {
		want := values(t, array.Float64, shape)
		m, err := npy.MapFile(write(t, "x.npy", fileOf(t, want)), npy.ReadOnly)
		if err != nil || !equal(m.Array(), want) {
			t.Fatalf("%v: %v", shape, err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Where files cannot be mapped, the error says what to do instead.
func TestMapOrRead(t *testing.T) {
	want := []float64{1, 2}
	path := write(t, "x.npy", fileOf(t, want))
	m, err := npy.MapFile(path, npy.ReadOnly)
	if err != nil {
		if !errors.Is(err, npy.ErrUnsupported) || !strings.Contains(err.Error(), "use Read") {
			t.Errorf("error %v", err)
		}
		return
	}
	if got := m.Array().(*array.Array[float64]).Data(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
