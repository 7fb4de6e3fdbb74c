package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/numcache/numcache/npy"
)

// grace is how old a file in tmp is before it is nobody's, see memo's store.
const grace = time.Hour

// checkTrials writes files into the cache's folder tmp, where writers stage theirs, to
// see what works there, and removes them.
func (d *doctor) checkTrials() {
	folder := filepath.Join(d.dir, "tmp")
	if info, err := os.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
		d.warning("writing", "numcache verify opens the cache for writing, which makes it", "not tried, for there is no folder tmp")
		return
	} else if err != nil || !info.IsDir() {
		return // told of already
	}
	t := trials{base: filepath.Join(folder, "doctor-"+rand.Text())}
	defer t.clean(d)
	if d.tryWriting(&t) {
		d.tryClock(&t)
		d.tryLinks(&t)
		d.tryLocks(&t)
		d.tryMapping(&t)
	}
}

// trials are the files of one check.
type trials struct {
	base  string
	names []string
}

// name returns a new name, whose file will be removed.
func (t *trials) name(suffix string) string {
	t.names = append(t.names, t.base+suffix)
	return t.base + suffix
}

func (t *trials) clean(d *doctor) {
	for _, name := range t.names {
		if err := os.Remove(name); ignoreMissing(err) != nil {
			d.warning("writing", "remove it", "%s stays: %s", name, reason(err))
		}
	}
}

// tryWriting writes, syncs, renames and reads a file.
func (d *doctor) tryWriting(t *trials) bool {
	const check = "writing"
	text := []byte("numcache doctor\n")
	staged, file := t.name("-staged"), t.name("")
	err := writeSynced(staged, text)
	if err == nil {
		err = os.Rename(staged, file)
	}
	if err != nil {
		advice := "see to the disk; until it works, everything is computed"
		if errors.Is(err, fs.ErrPermission) {
			advice = "see that you may write the cache and its folders; until then everything is computed"
		}
		d.problem(check, advice, "a file cannot be written and named: %s", linkReason(err))
		return false
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, text) {
		d.problem(check, "use another disk", "a file does not read as it was written (%v)", err)
		return false
	}
	d.ok(check, "files can be written, synced and renamed")
	return true
}

// linkReason is reason of an error with two names.
func linkReason(err error) string {
	var link *os.LinkError
	if errors.As(err, &link) {
		return reason(link.Err)
	}
	return reason(err)
}

func writeSynced(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	return firstError(err, f.Close())
}

// tryClock compares the times of files with the clock.
func (d *doctor) tryClock(t *trials) {
	const check = "clock"
	before := d.now()
	file := t.name("-clock")
	err := writeSynced(file, nil)
	after := d.now()
	info, statErr := os.Lstat(file)
	if err = firstError(err, statErr); err != nil {
		d.problem(check, "see to the disk", "%s", reason(err))
		return
	}
	ahead := max(info.ModTime().Sub(after), 0) - max(before.Sub(info.ModTime()), 0)
	const coarse = 3 * time.Second // some file systems have times of two seconds
	switch {
	case before.Year() < 2020:
		d.problem(check, "set the clock", "it is %s, this machine says", before.Format(time.DateOnly))
	case ahead.Abs() >= grace:
		d.problem(check, "set the clocks of this machine and of the one that has the disk: limits of age go by them", "new files are of %s %s by this machine's clock", ageText(ahead.Abs()), aheadText(ahead))
	case ahead.Abs() > coarse:
		d.warning(check, "set the clocks of this machine and of the one that has the disk", "new files are of %s %s by this machine's clock", ageText(ahead.Abs()), aheadText(ahead))
	default:
		d.ok(check, "files have the time that it is")
	}
}

func aheadText(ahead time.Duration) string {
	if ahead > 0 {
		return "ahead"
	}
	return "ago"
}

// tryLinks makes a second name of a file.
func (d *doctor) tryLinks(t *trials) {
	if err := os.Link(t.base, t.name("-link")); err != nil {
		d.warning("links", "another file system has them; here writers of one result may replace each other's file", "hard links do not work: %s", linkReason(err))
		return
	}
	d.ok("links", "hard links work")
}

// tryLocks looks whether a lock of one file keeps others out.
func (d *doctor) tryLocks(t *trials) {
	const check = "locks"
	const without = "processes that miss the same call at the same time each compute it; results are right all the same"
	works, err := tryLock(t.base)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		d.ok(check, "not used on this system: %s", without)
	case err != nil:
		d.warning(check, "use a file system that has them, or start its lock service: "+without, "files cannot be locked: %s", reason(err))
	case !works:
		d.warning(check, "use a file system that has them: "+without, "a lock keeps nobody out")
	default:
		d.ok(check, "files can be locked")
	}
}

// tryMapping maps a file into memory.
func (d *doctor) tryMapping(t *trials) {
	const check = "mapping"
	file := t.name(".npy")
	want := []float64{1, 2, 3}
	err := npy.WriteFile(file, want)
	if err != nil {
		d.problem(check, "see to the disk", "a .npy file cannot be written: %s", reason(err))
		return
	}
	m, err := npy.MapFile(file, npy.ReadOnly)
	switch {
	case errors.Is(err, npy.ErrUnsupported):
		d.ok(check, "files are not mapped on this system, and read instead")
		return
	case err != nil:
		d.warning(check, "use another file system, or read files instead of mapping them", "files cannot be mapped: %s", reason(err))
		return
	}
	defer m.Close()
	if v, err := m.VecDense(); err != nil || v.Len() != len(want) || v.AtVec(2) != want[2] {
		d.problem(check, "use another file system", "a mapped file has not what was written (%v)", err)
		return
	}
	d.ok(check, "files can be mapped")
}
