package memo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damaged is a cache with one intact entry, for tests that spoil its files.
type damaged struct {
	t     *testing.T
	dir   string
	c     *Cache
	call  func()
	files map[string][]byte // of the entry, intact
}

func newDamaged(t *testing.T) *damaged {
	d := &damaged{t: t, dir: t.TempDir(), files: map[string][]byte{}}
	d.c = openQuiet(t, d.dir)
	f := memoizeSample(t, d.c)
	d.call = func() {
		t.Helper()
		got, err := f.Call(t.Context(), 7)
		checkSample(t, 7, got, err)
	}
	d.call()
	for _, folder := range []string{callsFolder, objectsFolder} {
		for _, name := range filesBelow(t, d.dir, folder) {
			d.files[name] = read(t, d.dir, name)
		}
	}
	if len(d.files) < 4 {
		t.Fatalf("the entry has %d files", len(d.files))
	}
	return d
}

// restore makes the entry whole again and empties the quarantine.
func (d *damaged) restore() {
	d.t.Helper()
	if err := os.RemoveAll(filepath.Join(d.dir, quarantineFolder)); err != nil {
		d.t.Fatal(err)
	}
	for name, b := range d.files {
		overwrite(d.t, b, d.dir, name)
	}
}

// check calls the function once and demands that the spoiled file is noticed, put
// aside and replaced, and once more, for a hit.
func (d *damaged) check(what, name string) {
	d.t.Helper()
	before := d.c.Stats()
	d.call()
	after := d.c.Stats()
	if after.Misses != before.Misses+1 || after.Hits != before.Hits {
		d.t.Errorf("%s of %s was not noticed: %+v, then %+v", what, name, before, after)
	}
	if after.Faults == before.Faults {
		d.t.Errorf("%s of %s counts as no fault", what, name)
	}
	if entries, err := os.ReadDir(filepath.Join(d.dir, quarantineFolder)); err != nil || len(entries) == 0 {
		d.t.Errorf("%s of %s: nothing was put aside: %v", what, name, err)
	}
	d.call()
	if again := d.c.Stats(); again.Hits != after.Hits+1 {
		d.t.Errorf("%s of %s: no hit after it was computed again: %+v", what, name, again)
	}
	if strings.HasPrefix(name, objectsFolder) && !bytes.Equal(read(d.t, d.dir, name), d.files[name]) {
		d.t.Errorf("%s of %s: the file is not as it was", what, name)
	}
}

// TestDamagedFiles spoils files in the folder itself, at some places;
// TestEveryFlippedBit and TestEveryTruncation go through all of them in memory.
func TestDamagedFiles(t *testing.T) {
	d := newDamaged(t)
	for name, intact := range d.files {
		for i := 0; i < len(intact); i += 1 + len(intact)/16 {
			spoiled := bytes.Clone(intact)
			spoiled[i] ^= 1 << (i % 8)
			overwrite(t, spoiled, d.dir, name)
			d.check("a flipped bit", name)
			d.restore()
			overwrite(t, intact[:i], d.dir, name)
			d.check("a truncation", name)
			d.restore()
		}
		for _, more := range []string{"\x00", "\n", "}", string(intact)} {
			overwrite(t, append(bytes.Clone(intact), more...), d.dir, name)
			d.check("an extension", name)
			d.restore()
		}
		overwrite(t, make([]byte, len(intact)), d.dir, name)
		d.check("zeroing", name)
		d.restore()
	}
}

// TestSwappedFilesAreNoticed puts each file of the entry, and others of the same
// kind, in the place of each other.
func TestSwappedFilesAreNoticed(t *testing.T) {
	d := newDamaged(t)
	f := memoizeSample(t, d.c)
	if _, err := f.Call(t.Context(), 8); err != nil { // other files of the same lengths
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, folder := range []string{callsFolder, objectsFolder} {
		for _, name := range filesBelow(t, d.dir, folder) {
			all[name] = read(t, d.dir, name)
		}
	}
	for name := range d.files {
		for other, b := range all {
			if other == name {
				continue
			}
			overwrite(t, b, d.dir, name)
			d.check("the content of "+other+" in place", name)
			d.restore()
		}
	}
}

// TestOtherThingsInPlace puts a folder, a symbolic link and the like in the place
// of each file of the entry.
func TestOtherThingsInPlace(t *testing.T) {
	d := newDamaged(t)
	outside := t.TempDir()
	for what, place := range otherThings {
		for name, b := range d.files {
			path := filepath.Join(d.dir, name)
			overwrite(t, b, outside, "copy") // what a link may lead to is intact, yet not the cache's
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := place(path, filepath.Join(outside, "copy")); err != nil {
				t.Fatal(err)
			}
			d.check(what, name)
			d.restore()
		}
	}
}

var otherThings = map[string]func(path, copied string) error{
	"an empty folder":  func(path, _ string) error { return os.Mkdir(path, 0o700) },
	"a full folder":    func(path, _ string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) },
	"a symbolic link":  func(path, copied string) error { return os.Symlink(copied, path) },
	"a link to itself": func(path, _ string) error { return os.Symlink(filepath.Base(path), path) },
}

// TestFoldersInPlaceWithoutRecord has no record that would lead a reader to the
// folders in the objects' places: the writer must find them.
func TestFoldersInPlaceWithoutRecord(t *testing.T) {
	d := newDamaged(t)
	for name := range d.files {
		path := filepath.Join(d.dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, objectsFolder) {
			if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.call()
	d.call()
	if s := d.c.Stats(); s.Hits != 1 {
		t.Errorf("no hit after folders stood in the objects' places: %+v", s)
	}
}

// TestMissingObjectsAreMisses: an object that was removed is no fault.
func TestMissingObjectsAreMisses(t *testing.T) {
	d := newDamaged(t)
	for name := range d.files {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil {
			t.Fatal(err)
		}
		before := d.c.Stats()
		d.call()
		if after := d.c.Stats(); after.Misses != before.Misses+1 || after.Faults != before.Faults {
			t.Errorf("without %s: %+v, then %+v", name, before, after)
		}
	}
}

// TestDamagedFormatFile spoils format.json in every byte: the cache is repaired
// and its entries are still there.
func TestDamagedFormatFile(t *testing.T) {
	d := newDamaged(t)
	intact := read(t, d.dir, formatFile)
	reopen := func(what string) {
		t.Helper()
		c, err := Open(d.dir, quiet())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer c.Close()
		got, err := memoizeSample(t, c).Call(t.Context(), 7)
		checkSample(t, 7, got, err)
		if s := c.Stats(); s.Hits != 1 || s.Faults != 1 {
			t.Fatalf("%s: %+v, want a hit and a fault", what, s)
		}
		if !bytes.Equal(read(t, d.dir, formatFile), intact) {
			t.Fatalf("%s: it was not written anew", what)
		}
	}
	for i := range intact {
		for bit := range 8 {
			if bit == i%8 || *damageEvery {
				spoiled := bytes.Clone(intact)
				spoiled[i] ^= 1 << bit
				overwrite(t, spoiled, d.dir, formatFile)
				reopen("a flipped bit")
			}
		}
		overwrite(t, intact[:i], d.dir, formatFile)
		reopen("a truncation")
	}
	overwrite(t, make([]byte, 1<<20), d.dir, formatFile)
	reopen("a large file")
	for what, place := range otherThings {
		path := filepath.Join(d.dir, formatFile)
		if err := errors.Join(os.Remove(path), place(path, filepath.Join(t.TempDir(), "copy"))); err != nil {
			t.Fatal(err)
		}
		reopen(what)
	}
}

// TestVerifyFindsDamage spoils each file in turn and has Verify find it.
func TestVerifyFindsDamage(t *testing.T) {
	d := newDamaged(t)
	if r, err := d.c.Verify(t.Context(), nil); err != nil || len(r.Damaged) > 0 || r.Incomplete > 0 || r.Records+r.Objects != len(d.files) {
		t.Errorf("intact: %+v, %v", r, err)
	}
	for name, intact := range d.files {
		spoiled := bytes.Clone(intact)
		spoiled[len(spoiled)/2] ^= 4
		overwrite(t, spoiled, d.dir, name)
		r, err := d.c.Verify(t.Context(), nil)
		if err != nil || len(r.Damaged) != 1 || !errors.Is(r.Damaged[0], ErrDamaged) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if _, err := os.Lstat(filepath.Join(d.dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s was left in place", name)
		}
		d.restore()
	}
}
