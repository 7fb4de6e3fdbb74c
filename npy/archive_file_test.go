package npy_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// A stored member is a file like any other.
func TestArchiveFile(t *testing.T) {
	arrays := samples()
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.WriteArchive(path, arrays, nil); err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	r := rand.New(rand.NewPCG(3, 4))
	for name := range arrays {
		f, err := a.File(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if f.Header().Kind != npy.Numeric {
			if s, err := f.Strings(); err != nil || len(s.Data) == 0 {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		want, err := a.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Read(); err != nil || !equal(got, want) {
			t.Errorf("%s: other elements, %v", name, err)
		}
		if d, err := f.Hash(t.Context()); err != nil || d != want.Digest() {
			t.Errorf("%s: digest %v, %v", name, d, err)
		}
		if len(f.Shape()) > 0 {
			lo := r.IntN(f.Rows() + 1)
			hi := lo + r.IntN(f.Rows()-lo+1)
			if got, err := f.ReadRows(lo, hi); err != nil || !equal(got, rowsOf(t, want, lo, hi)) {
				t.Errorf("%s: rows %d to %d: %v", name, lo, hi, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := a.Read("text"); !errors.Is(err, array.ErrDType) {
		t.Errorf("the archive is closed: %v", err)
	}
}

func TestArchiveFileRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.WriteArchive(path, map[string]any{"x": make([]float64, 1000)}, &npy.ArchiveOptions{Level: 1}); err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inMemory, err := npy.NewArchive(bytes.NewReader(b), int64(len(b)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"deflated":         second(a.File("x")),
		"deflated, to map": second(a.Map("x", npy.ReadOnly)),
		"in memory":        second(inMemory.File("x")),
	} {
		if !errors.Is(err, npy.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := second(a.File("y")); !errors.Is(err, npy.ErrMissing) {
		t.Errorf("no member: %v", err)
	}
}

// A member may claim to be a thousand times its deflated bytes, which zeros are.
// Memory for it is taken as it proves true.
func TestArchiveClaims(t *testing.T) {
	const claimed = 60 << 20
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	header := headerOf(with("'|u1'", "(62000000,)"), 1)
	if _, err := w.Write(append(header, make([]byte, 1<<16)...)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	packed.Write(make([]byte, 1<<16)) // what nothing inflates
	file := zipOf(zipped{"x.npy", zip.Deflate, packed.Bytes(), claimed, 0, 0})
	var got array.Any
	memory := allocated(func() {
		var a *npy.Archive
		if a, err = npy.NewArchive(bytes.NewReader(file), int64(len(file)), nil); err == nil {
			got, err = a.Read("x")
		}
	})
	if got != nil || !errors.Is(err, npy.ErrFormat) {
		t.Errorf("error %v", err)
	}
	if memory > 2<<20 {
		t.Errorf("%d bytes were allocated for a file of %d", memory, len(file))
	}
}

// A context that has ended ends a digest of every member, and a nil one is an error.
func TestArchiveHashEnds(t *testing.T) {
	fortran := headerOf("{'descr': '<f8', 'fortran_order': True, 'shape': (300, 500)}", 1)
	file := zipOf(stored("c.npy", append(npy.AppendHeader(nil, array.Float64, []int{1000}), make([]byte, 8000)...)),
		stored("fortran.npy", append(fortran, make([]byte, 8*300*500)...)))
	a, err := npy.NewArchive(bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range a.Names() {
		if d, _, err := a.Hash(t.Context(), name); err != nil || d == (array.Digest{}) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
		memory := allocated(func() { _, _, err = a.Hash(ended, name) })
		if !errors.Is(err, context.Canceled) || memory > 1<<17 {
			t.Errorf("%s: error %v after %d bytes", name, err, memory)
		}
		var none context.Context
		if _, _, err := a.Hash(none, name); !errors.Is(err, array.ErrNil) {
			t.Errorf("%s without a context: %v", name, err)
		}
	}
}
