package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// syncedFolders are files that note which folders are synced.
type syncedFolders struct {
	store.Files
	names []string
}

func (f *syncedFolders) SyncFolder(name string) error {
	f.names = append(f.names, name)
	return f.Files.SyncFolder(name)
}

// TestFoldersKnownToBeDurable looks at the folders that are synced for a blob: all that it
// is in, until the names of those above are known to be durable.
func TestFoldersKnownToBeDurable(t *testing.T) {
	disk := storetest.NewDisk(time.Now)
	files := &syncedFolders{Files: disk.Files()}
	d, other := store.NewDir(files, false), store.NewDir(disk.Files(), false)
	defer d.Close()
	defer other.Close()
	put := func(want ...string) {
		t.Helper()
		files.names = nil
		if err := d.Put(t.Context(), "a/b/c/x", store.PutOptions{Durable: true}, write("x")); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(files.names, want) {
			t.Errorf("synced %q, want %q", files.names, want)
		}
	}
	// pass has the clock of the disk move on.
	pass := func() {
		t.Helper()
		for range 100 {
			if err := other.Put(t.Context(), "clock", store.PutOptions{}, write("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := []string{"a/b/c", "a/b", "a", "."}
	put(all...)
	put(all...) // a folder that takes the place of one now may be born at the same time
	pass()
	put(all...)
	put("a/b/c")
	if err := other.Delete(t.Context(), "a/b/c/x"); err != nil { // and a/b/c, and a/b
		t.Fatal(err)
	}
	put("a/b/c", "a/b", "a") // they were made again
	pass()
	put("a/b/c", "a/b", "a")
	put("a/b/c")
	if err := other.Put(t.Context(), "a/b/y", store.PutOptions{}, write("y")); err != nil {
		t.Fatal(err)
	}
	put("a/b/c")
	if err := other.Delete(t.Context(), "a/b/c/x"); err != nil { // and a/b/c
		t.Fatal(err)
	}
	if err := other.Put(t.Context(), "a/b/c/z", store.PutOptions{}, write("z")); err != nil { // which makes it
		t.Fatal(err)
	}
	put("a/b/c", "a/b")
}

// TestManyFoldersKnown has more folders than are remembered.
func TestManyFoldersKnown(t *testing.T) {
	d, err := store.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i := range 3 * store.MaxDurable {
		d.KnowDurable(fmt.Sprint("folder ", i))
		if n := d.KnownDurable(); n == 0 || n > store.MaxDurable {
			t.Fatalf("%d folders are known", n)
		}
	}
}

// TestIdentity makes a folder again and again, with files in it: each is another one, also
// where it gets the number of the one before, or is not known to be.
func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	files, err := store.OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if err := files.Mkdir("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Identity("a"); err != nil {
		t.Skip("the file system does not tell: ", err)
	}
	var seen []store.Identity
	again, known := 0, 0
	for range 200 {
		if err := os.WriteFile(filepath.Join(dir, "a", "x"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := files.Identity("a")
		if err != nil {
			t.Fatal(err)
		}
		for _, old := range seen {
			if old.Inode == id.Inode {
				again++
			}
			if old.Device == id.Device && old.Inode == id.Inode && old.Born.Equal(id.Born) && old.Changed.After(old.Born) {
				t.Errorf("%+v, and then %+v", old, id)
			}
		}
		if id.Changed.After(id.Born) {
			known++
		}
		seen = append(seen, id)
		if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
			t.Fatal(err)
		}
		if err := files.Mkdir("a"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d folders could be known; numbers were given %d times again", known, len(seen), again)
	if _, err := files.Identity("missing"); err == nil {
		t.Error("a folder that is not there: no error")
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err == nil {
		if _, err := files.Identity("link"); err == nil {
			t.Error("a symbolic link: no error")
		}
	}
}
