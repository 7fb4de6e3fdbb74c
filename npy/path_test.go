//go:build unix

package npy_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// Paths that are no files: an error that names them, at once.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(dir, "locked.npy")
	if err := npy.WriteFile(locked, []float64{1}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		want error
	}{
		{fifo, npy.ErrFormat},
		{dir, npy.ErrFormat},
		{os.DevNull, npy.ErrFormat},
		{"/dev/zero", npy.ErrFormat},
		{locked, fs.ErrPermission},
		{filepath.Join(dir, "none.npy"), fs.ErrNotExist},
		{filepath.Join(locked, "below.npy"), syscall.ENOTDIR},
		{"", fs.ErrNotExist},
		{"a\x00b", syscall.EINVAL},
	} {
		if tt.path == locked && os.Geteuid() == 0 {
			continue // root reads everything
		}
		for door, read := range map[string]func() (bool, error){
			"ReadFile":     func() (bool, error) { v, err := npy.ReadFile(tt.path); return v == nil, err },
			"ReadFileAs":   func() (bool, error) { v, err := npy.ReadFileAs[bool](tt.path); return v == nil, err },
			"ReadDense":    func() (bool, error) { v, err := npy.ReadDense(tt.path); return v == nil, err },
			"ReadVec":      func() (bool, error) { v, err := npy.ReadVec(tt.path); return v == nil, err },
			"ReadFloat64s": func() (bool, error) { v, err := npy.ReadFloat64s(tt.path); return v == nil, err },
			"ReadInt64s":   func() (bool, error) { v, err := npy.ReadInt64s(tt.path); return v == nil, err },
		} {
			none, err := read()
			var of *npy.Error
			if !none || !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Op != "read" || of.Path != tt.path {
				t.Errorf("%s(%q): error %v, want %v", door, tt.path, err, tt.want)
			} else if !strings.Contains(err.Error(), tt.path) {
				t.Errorf("%s(%q): error %v does not name it", door, tt.path, err)
			}
		}
	}
}

// The doors of handles refuse them, too, and leave no file open.
func TestPathsOfHandles(t *testing.T) {
	check := leaks(t)
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		fifo:                           npy.ErrFormat,
		"/dev/zero":                    npy.ErrFormat,
		filepath.Join(dir, "none.npy"): fs.ErrNotExist,
		"a\x00b":                       syscall.EINVAL,
	} {
		for door, err := range map[string]error{
			"Open":       second(npy.Open(path)),
			"MapFile":    second(npy.MapFile(path, npy.ReadOnly)),
			"OpenAppend": second(npy.OpenAppend(path)),
		} {
			var of *npy.Error
			if door == "OpenAppend" && errors.Is(err, fs.ErrPermission) {
				continue // only root writes to a device
			}
			if !errors.Is(err, want) || !errors.As(err, &of) || of.Path != path {
				t.Errorf("%s(%q): error %v, want %v", door, path, err, want)
			}
		}
	}
	check()
}

func TestSymbolicLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file.npy"), filepath.Join(dir, "link.npy")
	if err := npy.WriteFile(file, []float64{1}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if f, err := npy.ReadFloat64s(link); err != nil || f[0] != 1 {
		t.Errorf("read through a link: %v, %v", f, err)
	}
	if err := npy.WriteFile(link, []float64{2}); err != nil {
		t.Fatal(err)
	}
	if f, err := npy.ReadFloat64s(file); err != nil || f[0] != 1 {
		t.Errorf("what the link led to has changed: %v, %v", f, err)
	}
	if f, err := npy.ReadFloat64s(link); err != nil || f[0] != 2 {
		t.Errorf("the link was not replaced: %v, %v", f, err)
	}
}

func TestPermissionsAreThoseOfCreate(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "created"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := npy.WriteFile(filepath.Join(dir, "written"), values(t, array.Int8, nil)); err != nil {
		t.Fatal(err)
	}
	created, err := os.Stat(filepath.Join(dir, "created"))
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.Stat(filepath.Join(dir, "written"))
	if err != nil {
		t.Fatal(err)
	}
	if created.Mode() != written.Mode() {
		t.Errorf("mode %v, os.Create gives %v", written.Mode(), created.Mode())
	}
}
