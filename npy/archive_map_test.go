//go:build linux || darwin

package npy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// Every member of our own archives lies where it can be mapped.
func TestArchiveMap(t *testing.T) {
	needMapping(t)
	check := leaks(t)
	arrays := samples()
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.WriteArchive(path, arrays, nil); err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name := range arrays {
		if h, err := a.Header(name); err != nil || h.Kind != npy.Numeric {
			continue
		}
		want, err := a.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := a.Map(name, npy.ReadOnly)
		if err != nil || !equal(m.Array(), want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	a.Close()
	check()
}

// A mapping outlives its archive.
func TestArchiveMapAfterClose(t *testing.T) {
	needMapping(t)
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := npy.WriteArchive(path, map[string]any{"x": []float64{1, 2, 3}}, nil); err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Map("x", npy.CopyOnWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := m.VecDense()
	if err != nil || v.AtVec(2) != 3 {
		t.Fatalf("%v, %v", v, err)
	}
	v.SetVec(2, 4)
	if got, err := npy.ReadArchive(path); err != nil || got["x"].(*array.Array[float64]).Data()[2] != 3 {
		t.Errorf("the file was written to, or %v", err)
	}
}

// What keeps a member from being mapped is an error that names it.
func TestArchiveMapRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	file := zipOf(stored("big.npy", append(headerOf(with("'>f8'", "(1,)"), 1), make([]byte, 8)...)))
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Map("big", npy.ReadOnly); !errors.Is(err, npy.ErrUnsupported) || !strings.Contains(err.Error(), `member "big"`) {
		t.Errorf("error %v", err)
	}
}
