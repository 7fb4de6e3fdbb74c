package npy_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// TestHashFileAgreesWithReadFile hashes every vector that NumPy made, in all
// orders, and large files, and compares with the digest of the array as read.
func TestHashFileAgreesWithReadFile(t *testing.T) {
	var paths []string
	for _, v := range vectors(t) {
		paths = append(paths, filepath.Join(vectorFolder, v.File))
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(5, 6))
	for name, n := range map[string]int{"chunk": array.ChunkSize / 8, "chunk and one": array.ChunkSize/8 + 1, "many": 7*array.ChunkSize/8 + 13, "mapped": 35*array.ChunkSize/8 + 13} {
		data := make([]float64, n)
		for i := range data {
			data[i] = r.NormFloat64()
		}
		path := filepath.Join(dir, name+".npy")
		if err := npy.WriteFile(path, data); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for _, path := range paths {
		a, err := npy.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		digest, h, err := npy.HashFile(t.Context(), path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if digest != a.Digest() || h.DType != a.DType() || array.FormatShape(h.Shape) != array.FormatShape(a.Shape()) {
			t.Errorf("%s: digest %v of %v%v, want %v of %v%v", path, digest, h.DType, h.Shape, a.Digest(), a.DType(), a.Shape())
		}
	}
}

// TestHashFileOfBools writes a byte that is neither 0 nor 1, which NumPy takes
// for true.
func TestHashFileOfBools(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bools.npy")
	content := append(npy.AppendHeader(nil, array.Bool, []int{3}), 0, 1, 2)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := npy.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if digest, _, err := npy.HashFile(t.Context(), path); err != nil || digest != a.Digest() {
		t.Errorf("digest %v, %v, want %v", digest, err, a.Digest())
	}
}

func TestHashFileErrors(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short.npy")
	if err := os.WriteFile(short, npy.AppendHeader(nil, array.Float64, []int{1 << 20}), 0o600); err != nil {
		t.Fatal(err)
	}
	var at *npy.Error
	if _, _, err := npy.HashFile(t.Context(), short); !errors.Is(err, npy.ErrFormat) || !errors.As(err, &at) || at.Op != "hash" || at.Path != short {
		t.Errorf("a short file: %v", err)
	}
	if _, _, err := npy.HashFile(t.Context(), dir); !errors.Is(err, npy.ErrFormat) {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := npy.HashFile(t.Context(), filepath.Join(dir, "none.npy")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(dir, "x.npy")
	if err := npy.WriteFile(path, make([]float64, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := npy.HashFile(cancelled, path); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A context that has ended costs neither memory nor reading, in any order, and
// none at all is an error.
func TestHashFileOfNoContext(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var none context.Context
	for _, order := range []string{"False", "True"} {
		path := sparse(t, 1<<12, 1<<10, order)
		for ctx, want := range map[context.Context]error{cancelled: context.Canceled, none: array.ErrNil} {
			before := bytesRead()
			var err error
			got := allocated(func() { _, _, err = npy.HashFile(ctx, path) })
			var at *npy.Error
			if !errors.Is(err, want) || !errors.As(err, &at) || at.Path != path {
				t.Errorf("Fortran %s: error %v, want %v", order, err, want)
			}
			if n := bytesRead() - before; n > 1<<16 || got > 1<<16 {
				t.Errorf("Fortran %s: %d bytes were read and %d allocated", order, n, got)
			}
		}
	}
}

// A context that ends while an array in Fortran order is read ends the reading.
func TestHashFileEndsEarly(t *testing.T) {
	path := sparse(t, 1<<12, 1<<10, "True")
	ctx := &countdown{Context: t.Context()}
	ctx.left.Store(5)
	before := bytesRead()
	if _, _, err := npy.HashFile(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if n := bytesRead() - before; n > 16<<20 {
		t.Errorf("%d bytes were read", n)
	}
}

// TestSource hashes every vector that NumPy made, where it lies in C order, by way of
// a source that reads it.
func TestSource(t *testing.T) {
	sources := 0
	for _, v := range vectors(t) {
		path := filepath.Join(vectorFolder, v.File)
		f, err := npy.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := f.Hash(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		src, err := f.Source()
		switch {
		case errors.Is(err, npy.ErrUnsupported) && f.Header().Fortran && len(f.Shape()) > 1:
		case err != nil:
			t.Errorf("%s: %v", path, err)
		default:
			sources++
			if got, err := array.Hash(t.Context(), src); got != want || err != nil {
				t.Errorf("%s: digest %v, want %v; %v", path, got, want, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if sources < 20 {
		t.Errorf("only %d vectors have a source", sources)
	}
}
