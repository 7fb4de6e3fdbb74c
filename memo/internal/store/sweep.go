package store

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Sweep implements [Store]. Where a writer locks the file that it writes, a file is
// removed when nobody holds its lock; elsewhere only age tells.
func (d *Dir) Sweep(ctx context.Context, now time.Time) (freed int64, err error) {
	entries, err := d.readDir(staging)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return freed, err
		}
		name := staging + "/" + entry.Name()
		switch {
		case entry.IsDir():
			d.sweepFolder(name, now)
		case entry.Type().IsRegular(): // else no writer made it
			size, err := d.sweep(name, now)
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
				return freed, err
			}
			freed += size
		}
	}
	return freed, err
}

// sweepFolder removes a folder of mkdirGroup that never got its name, and nothing that
// is not empty. Whoever is making it tries again.
func (d *Dir) sweepFolder(name string, now time.Time) {
	if info, err := d.files.Lstat(name); err == nil && now.Sub(info.ModTime()) >= lockedGrace {
		_ = d.files.Remove(name)
	}
}

// sweep removes a staging file if its writer is gone, and returns its size.
func (d *Dir) sweep(name string, now time.Time) (freed int64, err error) {
	info, err := d.files.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return 0, err
	}
	// A file from the future was written before the clock was set back.
	age := now.Sub(info.ModTime())
	if age.Abs() < lockedGrace {
		return 0, nil
	}
	f, err := d.files.Edit(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	release, err := f.Lock()
	switch {
	case err == nil:
		defer release() // after the removal
	case errors.Is(err, ErrLocked):
		return 0, nil
	case age < unlockedGrace:
		return 0, nil
	}
	if err := d.files.Remove(name); err != nil {
		return 0, err
	}
	return info.Size(), nil
}

const (
	// lockedGrace is the age from which on a staging file that nobody has locked is
	// nobody's. A writer locks it at once, or makes another if it was swept before;
	// this is for one that cannot.
	lockedGrace = time.Hour
	// unlockedGrace is the age where there are no locks: far longer than a writer
	// stays between two writes.
	unlockedGrace = 24 * time.Hour
)
