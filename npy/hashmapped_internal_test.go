//go:build linux || darwin

package npy

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/numcache/numcache/array"
)

// A file that is cut while it is hashed where it lies kills nothing, and reading it says
// what is wrong.
func TestHashMappedOfACutFile(t *testing.T) {
	const n = 2 * minHashMapped
	path := filepath.Join(t.TempDir(), "cut.npy")
	if err := WriteFile(path, make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := f.Map(ReadOnly); err == nil { // else there is nothing to be hashed where it lies
		defer m.Close()
		got, err := f.hashMapped(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want, err := array.HashTable(t.Context(), f.source())
		if err != nil || got.Digest() != want.Digest() {
			t.Errorf("digest %v, and of what is read %v, %v", got.Digest(), want.Digest(), err)
		}
	}
	b, unmap, err := mapRange(f.file.(*os.File), f.start, f.size, ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer unmap()
	table, err := array.NewTable(array.Uint8, n)
	if err != nil {
		t.Fatal(err)
	}
	last := table.Len() - 1
	offset, length := table.Chunk(last)
	if err := setMapped(table, last, b[offset:offset+length]); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, n/2); err != nil {
		t.Fatal(err)
	}
	if err := setMapped(table, last, b[offset:offset+length]); !errors.Is(err, errNotMapped) {
		t.Errorf("of a chunk that is gone: %v", err)
	}
	if debug.SetPanicOnFault(false) {
		t.Error("faults of this goroutine are panics from now on")
	}
	if err := setMapped(table, 0, b[1:]); errors.Is(err, errNotMapped) || !errors.Is(err, array.ErrShape) {
		t.Errorf("of a chunk of the wrong length: %v", err)
	}
	if _, err := f.Hash(t.Context()); !errors.Is(err, ErrFormat) {
		t.Errorf("Hash of a file that was cut: %v", err)
	}
}
