package store_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// eachReader runs a test with either way of reading.
func eachReader(t *testing.T, f func(t *testing.T, open func(t *testing.T, path string) *store.Dir)) {
	open := func(t *testing.T, path string) *store.Dir {
		t.Helper()
		d, err := store.OpenDir(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	t.Run("openat2", func(t *testing.T) {
		f(t, func(t *testing.T, path string) *store.Dir {
			d := open(t, path)
			if d.ReadsThroughRoot() {
				t.Skip("this system has no openat2, or forbids it")
			}
			return d
		})
	})
	t.Run("root", func(t *testing.T) {
		f(t, func(t *testing.T, path string) *store.Dir {
			d := open(t, path)
			if err := d.UseRootReader(); err != nil {
				t.Fatal(err)
			}
			return d
		})
	})
}

func write(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestDir(t *testing.T) {
	eachReader(t, func(t *testing.T, open func(*testing.T, string) *store.Dir) {
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir()) })
	})
}

// TestStagingIsLeftClean checks that no Put, failed or not, leaves a file.
func TestStagingIsLeftClean(t *testing.T) {
	eachReader(t, func(t *testing.T, open func(*testing.T, string) *store.Dir) {
		dir := t.TempDir()
		d := open(t, dir)
		broken := errors.New("broken")
		for _, f := range []func(io.Writer) error{write("x"), func(io.Writer) error { return broken }, func(io.Writer) error { panic(broken) }} {
			func() {
				defer func() { _ = recover() }()
				_ = d.Put(t.Context(), "a/b", store.PutOptions{Durable: true}, f)
			}()
		}
		if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
			t.Errorf("left in the staging folder: %v, %v", left, err)
		}
	})
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such bits")
	}
	dir := t.TempDir()
	d, err := store.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Put(t.Context(), "a/b/c", store.PutOptions{Durable: true}, write("x")); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "bad", store.PutOptions{Durable: true}, write("x")); err != nil {
		t.Fatal(err)
	}
	if err := d.Quarantine(t.Context(), "bad"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"a": 0o700, "a/b": 0o700, "a/b/c": 0o600, "tmp": 0o700, "quarantine": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

// TestFolderRemoved takes the folder away under an open store: errors, no more.
func TestFolderRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not remove a folder in use")
	}
	eachReader(t, func(t *testing.T, open func(*testing.T, string) *store.Dir) {
		dir := filepath.Join(t.TempDir(), "cache")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		d := open(t, dir)
		if err := d.Put(t.Context(), "a/b", store.PutOptions{}, write("x")); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Get(t.Context(), "a/b", 10); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Get: %v", err)
		}
		if err := d.Put(t.Context(), "a/b", store.PutOptions{Durable: true}, write("x")); err == nil {
			t.Error("Put into a folder that is gone: no error")
		}
		if err := errors.Join(d.Delete(t.Context(), "a/b"), d.Quarantine(t.Context(), "a/b")); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Delete, Quarantine: %v", err)
		}
		for _, err := range d.List(t.Context(), "a") {
			t.Errorf("List: %v", err)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder is back: %v", err)
		}
	})
}

// TestFaultyPassesThrough holds the fault-injecting store to the suite while it
// injects nothing.
func TestFaultyPassesThrough(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		d, err := store.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return &storetest.Faulty{Store: d}
	})
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return &storetest.Memory{} })
}

// TestMemoryAsServer holds a store in memory to what is asked of one on a server.
func TestMemoryAsServer(t *testing.T) {
	t.Parallel()
	storetest.RunWith(t, storetest.Abilities{FixedTimes: true, NoBubble: true}, func(t *testing.T) store.Store {
		return &storetest.Memory{FixedTimes: true}
	})
}
