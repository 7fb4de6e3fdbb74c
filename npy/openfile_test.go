package npy_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/npy"
)

// TestOpenFile opens arrays of files that are open, wherever these stand, and closes
// those that it refuses.
func TestOpenFile(t *testing.T) {
	check := leaks(t)
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := npy.WriteFile(path, []float64{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	f, err := npy.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Read(); err != nil || a.Len() != 3 {
		t.Errorf("%v, %v", a, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	short := write(t, "x.npy", content(t, path)[:140])
	for path, want := range map[string]error{short: npy.ErrFormat, filepath.Dir(path): npy.ErrFormat} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var of *npy.Error
		if f, err := npy.OpenFile(file); f != nil || !errors.Is(err, want) || !errors.As(err, &of) || of.Path != path {
			t.Errorf("%s: %v", path, err)
		}
		if err := file.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s was left open", path)
		}
	}
	check()
}
