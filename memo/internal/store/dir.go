package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"
)

const (
	// staging and quarantine are the folders of blobs that have no name yet,
	// and of those that lost it.
	staging    = "tmp"
	quarantine = "quarantine"

	// stagedStaging begins the name that the staging folder of a group has until it
	// has its mode. An empty one is left where its maker dies just then.
	stagedStaging = staging + "-"

	// Caches are private: what is computed is nobody else's business, and
	// whoever can write a cache can forge its results.
	dirMode  = 0o700
	fileMode = 0o600

	// GroupFolder and groupFile are the modes of a cache that a group shares. What
	// is made in a folder with the setgid bit belongs to the folder's group.
	GroupFolder = 0o770 | fs.ModeSetgid
	groupFile   = 0o660
)

// Dir is a [Store] in a folder. It never reads or writes outside of it: paths
// are resolved beneath the folder, symbolic links are not followed out of it.
type Dir struct {
	files Files
	group bool          // what is made is the group's
	pulse time.Duration // between two signs of life of one who holds a lock

	durable durableNames

	closing sync.Once
	closed  chan struct{} // tells those who wait for a lock
}

// OpenDir returns the store in an existing folder.
func OpenDir(path string) (*Dir, error) {
	files, err := OpenFiles(path)
	if err != nil {
		return nil, err
	}
	return NewDir(files, false), nil
}

// NewDir returns the store in the folder whose files are given, and which it closes.
// With group, the members of the folder's group may read and write what it makes,
// whatever the process's umask.
func NewDir(files Files, group bool) *Dir {
	return &Dir{files: uninterrupted{files}, group: group, pulse: Pulse, closed: make(chan struct{})}
}

// Folder returns what is known of the folder itself, also where another one has its
// name by now.
func (d *Dir) Folder() (fs.FileInfo, error) { return d.files.Lstat(".") }

// Names returns the names of what stands in the folder itself, blobs or not, in order.
func (d *Dir) Names() ([]string, error) {
	entries, err := d.readDir(".")
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// Close implements [Store].
func (d *Dir) Close() error {
	d.closing.Do(func() { close(d.closed) })
	return d.files.Close()
}

func valid(op, name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

// Open implements [Store].
func (d *Dir) Open(ctx context.Context, name string) (Blob, error) {
	if err := errors.Join(valid("open", name), ctx.Err()); err != nil {
		return nil, err
	}
	return d.files.Open(name)
}

// Get implements [Store].
func (d *Dir) Get(ctx context.Context, name string, limit int64) (b []byte, modified time.Time, err error) {
	blob, err := d.Open(ctx, name)
	if err != nil {
		return nil, modified, err
	}
	defer blob.Close()
	if blob.Size() > limit {
		return nil, modified, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("%w: %d bytes", ErrTooLarge, blob.Size())}
	}
	b = make([]byte, blob.Size())
	if n, err := blob.ReadAt(b, 0); n < len(b) {
		return nil, modified, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return b, blob.Modified(), nil
}

// Freshen implements [Store].
func (d *Dir) Freshen(ctx context.Context, name string, modified time.Time) error {
	if err := errors.Join(valid("freshen", name), ctx.Err()); err != nil {
		return err
	}
	return d.freshen(name, modified)
}

// freshen sets a file's time of modification, to now where none is given.
func (d *Dir) freshen(name string, modified time.Time) error {
	if modified.IsZero() {
		modified = time.Now()
	}
	return d.files.Chtimes(name, modified)
}

// Stat implements [Store].
func (d *Dir) Stat(ctx context.Context, name string) (Info, error) {
	if err := errors.Join(valid("stat", name), ctx.Err()); err != nil {
		return Info{}, err
	}
	info, err := d.files.Lstat(name)
	if err != nil {
		return Info{}, err
	}
	if !info.Mode().IsRegular() {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: ErrForeign}
	}
	return Info{name, info.Size(), info.ModTime()}, nil
}

// Delete implements [Store]. Folders that it leaves empty go too, but for the
// top one of the name.
func (d *Dir) Delete(ctx context.Context, name string) error {
	if err := errors.Join(valid("delete", name), ctx.Err()); err != nil {
		return err
	}
	if err := d.files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for folder := path.Dir(name); strings.Contains(folder, "/"); folder = path.Dir(folder) {
		if d.files.Remove(folder) != nil {
			break // not empty, or somebody else was faster
		}
	}
	return nil
}

// Quarantine implements [Store].
func (d *Dir) Quarantine(ctx context.Context, name string) error {
	if err := errors.Join(valid("quarantine", name), ctx.Err()); err != nil {
		return err
	}
	err := d.move(d.files.Rename, name, quarantine+"/"+path.Base(name)+"-"+rand.Text()[:8])
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another reader put it aside already
	}
	return err
}
