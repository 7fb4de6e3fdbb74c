//go:build unix

package memo

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
)

// swapper is a store in whose folder something changes just after a look at a blob.
type swapper struct {
	store.Store
	swap func(name string)
}

func (s swapper) Stat(ctx context.Context, name string) (store.Info, error) {
	info, err := s.Store.Stat(ctx, name)
	s.swap(name)
	return info, err
}

// TestOpenResultStaysInside: the folder of an object becomes a symbolic link to
// another one, with the same files in it, after the cache has looked at the object.
func TestOpenResultStaysInside(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	c := openQuiet(t, dir)
	f, err := Func(c, Spec{Name: "numbers", Version: "1"}, func() []float64 { return []float64{1, 2, 3} })
	if err != nil {
		t.Fatal(err)
	}
	ref, err := f.Shelve()
	if err != nil {
		t.Fatal(err)
	}
	inside := c.store
	swapped := false
	c.store = swapper{inside, func(name string) {
		folder := filepath.Join(dir, filepath.Dir(name))
		if _, err := os.Lstat(outside); err == nil {
			return
		}
		if err := os.Rename(folder, outside); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, folder); err != nil {
			t.Fatal(err)
		}
		swapped = true
	}}
	defer func() { c.store = inside }()
	file, err := c.openObject(t.Context(), mustArray(t, ref), nil)
	if err == nil {
		t.Error("a result was opened that lies outside of the cache")
		file.Close()
	}
	if !swapped {
		t.Error("nothing was swapped")
	}
}

// mustArray returns what the record says of a call's first result.
func mustArray(t *testing.T, ref Ref) arrayRef {
	t.Helper()
	record, err := ref.Record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	node, err := decodeJSON(record.Results[0].raw)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := arrayRefOf(node)
	if !ok {
		t.Fatalf("%v is no array", record.Results[0])
	}
	return want
}
