package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
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

// Put implements [Store]: the blob is written to the staging folder and renamed.
func (d *Dir) Put(ctx context.Context, name string, o PutOptions, write func(io.Writer) error) error {
	return d.put(ctx, name, o, write, d.publish)
}

// put has a blob written to the staging folder, and published.
func (d *Dir) put(ctx context.Context, name string, o PutOptions, write func(io.Writer) error, publish func(ctx context.Context, temporary, name string) error) error {
	if err := errors.Join(valid("put", name), ctx.Err()); err != nil {
		return err
	}
	f, temporary, release, err := d.stage()
	if err != nil {
		return err
	}
	defer release() // after all that is done with the file
	published := false
	defer func() { // also where write panics
		if !published {
			// Best effort: what stays is swept with the staging folder.
			_ = d.files.Remove(temporary)
		}
	}()
	err = fill(ctx, f, o.Durable, write)
	if err == nil && !o.Modified.IsZero() {
		err = d.files.Chtimes(temporary, o.Modified)
	}
	if err == nil {
		err = publish(ctx, temporary, name)
	}
	if err != nil {
		return err
	}
	published = true
	if o.Durable {
		return d.syncFolders(path.Dir(name))
	}
	return nil
}

// fill has a new file written, and closes it.
func fill(ctx context.Context, f File, durable bool, write func(io.Writer) error) (err error) {
	defer func() { // also where write panics
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	err = write(&contextWriter{ctx, f})
	if err == nil && durable {
		err = f.Sync()
	}
	return err
}

// publish renames a written file to its name. A folder that stands there, which
// no rename replaces, is put aside.
func (d *Dir) publish(ctx context.Context, temporary, name string) error {
	err := d.move(d.files.Rename, temporary, name)
	if err == nil {
		return nil
	}
	if _, statErr := d.Stat(ctx, name); !errors.Is(statErr, ErrForeign) {
		return err
	}
	if asideErr := d.Quarantine(ctx, name); asideErr != nil {
		return errors.Join(err, asideErr)
	}
	return d.move(d.files.Rename, temporary, name)
}

// create makes a new file, and its folder where that is missing.
func (d *Dir) create(name string) (File, error) {
	f, err := d.files.Create(name)
	// Where others make the folder too, one of theirs may replace it just when it is used.
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < renameTries; try++ {
		if err = d.mkdirAll(path.Dir(name)); err == nil {
			f, err = d.files.Create(name)
		}
	}
	if err == nil && d.group {
		if err := f.Chmod(groupFile); err != nil {
			return nil, errors.Join(err, f.Close(), d.files.Remove(name))
		}
	}
	return f, err
}

// mkdirAll makes a folder, and those it is in, where they are missing.
func (d *Dir) mkdirAll(name string) error {
	var folders []string
	if d.group {
		folders = append(folders, staging)
	}
	for i := range len(name) + 1 {
		if i == len(name) || name[i] == '/' {
			folders = append(folders, name[:i])
		}
	}
	for _, folder := range folders {
		// Another process may be just making it, or removing it.
		if err := d.mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// mkdir makes a folder. One of the group gets its name last, for the umask takes bits
// away that only a second call gives it back: the other members meet none that they
// cannot use, even if this process dies between the two.
func (d *Dir) mkdir(name string) error {
	if !d.group {
		return d.files.Mkdir(name)
	}
	if _, err := d.files.Lstat(name); err == nil {
		return fs.ErrExist
	}
	staged := staging + "/" + rand.Text()
	if name == staging {
		staged = stagedStaging + rand.Text()
	}
	if err := d.files.Mkdir(staged); err != nil {
		return err
	}
	err := d.files.Chmod(staged, GroupFolder)
	if err == nil {
		err = d.files.Rename(staged, name)
	}
	if err != nil {
		_ = d.files.Remove(staged) // else it is swept
	}
	return err
}

// renameTries bounds the retries of move and create. Each failure but the first means that
// somebody else removed a folder at just that moment.
const renameTries = 20

// move gives a file its name, by a rename or a link. The name's folders may be missing,
// and may go missing again while they are made, as Delete removes empty ones: hence the
// retries.
func (d *Dir) move(by func(from, to string) error, from, to string) error {
	err := by(from, to)
	// mkdirAll too can find a folder gone that it has just made or found (ErrExist).
	for try := 0; (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist)) && try < renameTries; try++ {
		if _, missing := d.files.Lstat(from); missing != nil {
			return missing // there is nothing to wait for
		}
		if err = d.mkdirAll(path.Dir(to)); err == nil {
			err = by(from, to)
		}
	}
	return err
}

// syncFolders makes the names in a folder durable, and the folder's own name,
// up to the root. A folder that is gone was removed with what was in it. A system
// that cannot sync folders has nothing to sync.
func (d *Dir) syncFolders(name string) error {
	for {
		err := d.files.SyncFolder(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) || name == "." {
			return err
		}
		name = path.Dir(name)
	}
}

// PutIfAbsent implements [Store]. A durable blob is written anew whatever stands there:
// who wrote that may not have synced it, and a power cut may have left its length and
// not its content. To sync it now would not tell, as the system may have failed to write
// it before and told somebody else.
func (d *Dir) PutIfAbsent(ctx context.Context, name string, size int64, o PutOptions, write func(io.Writer) error) (written bool, err error) {
	modified, there := d.modified(ctx, name, size, o.Modified)
	if o.Durable {
		o.Modified = modified
		return true, d.Put(ctx, name, o, write)
	}
	if there && d.freshen(name, modified) == nil {
		return false, nil
	}
	written = true
	err = d.put(ctx, name, o, write, func(ctx context.Context, temporary, name string) (err error) {
		written, err = d.publishNew(ctx, temporary, name, size)
		if err == nil && !written {
			modified, _ := d.modified(ctx, name, size, o.Modified)
			_ = d.freshen(name, modified) // it is fresh
		}
		return err
	})
	return written, err
}

// modified reports whether a file of the given size has the name, and returns its time
// of modification once a blob with the given one was put in its place.
func (d *Dir) modified(ctx context.Context, name string, size int64, put time.Time) (modified time.Time, there bool) {
	info, err := d.Stat(ctx, name)
	if err != nil || info.Size != size && size >= 0 {
		return put, false
	}
	if ahead := info.Modified.Sub(put); !put.IsZero() && ahead > 0 && ahead <= MaxAhead {
		put = info.Modified
	}
	return put, true
}

// publishNew gives a written file its name, unless one of the given size has come to it
// meanwhile. A rename would take the place of that one, which may be durable, and leave
// nothing at the next power cut if this one is not.
func (d *Dir) publishNew(ctx context.Context, temporary, name string, size int64) (published bool, err error) {
	exists := false
	err = d.move(func(from, to string) error {
		err := d.files.Link(from, to)
		if exists = errors.Is(err, fs.ErrExist); exists {
			return nil
		}
		return err
	}, temporary, name)
	kept := false
	if exists {
		_, kept = d.modified(ctx, name, size, time.Time{})
	}
	if err != nil || exists && !kept { // there are no links, or what has the name is worth nothing
		err = d.publish(ctx, temporary, name)
	}
	if err == nil {
		_ = d.files.Remove(temporary) // also after a rename, which does nothing between two names of one file
	}
	return !kept, err
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

// List implements [Store].
func (d *Dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := valid("list", prefix); err != nil {
			yield(Info{}, err)
			return
		}
		d.walk(ctx, prefix, yield)
	}
}

// walk yields the files in a folder and below; false where yield said stop.
func (d *Dir) walk(ctx context.Context, folder string, yield func(Info, error) bool) bool {
	entries, err := d.readDir(folder)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		// Folders come and go while others write and clear.
		return errors.Is(err, fs.ErrNotExist) || yield(Info{}, err) && false
	}
	for _, entry := range entries {
		name := folder + "/" + entry.Name()
		switch {
		case entry.IsDir():
			if !d.walk(ctx, name, yield) {
				return false
			}
		case entry.Type().IsRegular():
			info, err := again2(entry.Info)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				yield(Info{}, err)
				return false
			}
			if !yield(Info{name, info.Size(), info.ModTime()}, nil) {
				return false
			}
		}
	}
	return true
}

func (d *Dir) readDir(folder string) ([]fs.DirEntry, error) {
	info, err := d.files.Lstat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, nil // a foreign file where a folder is expected holds no blobs
	}
	entries, err := d.files.ReadDir(folder)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return entries, err
}

// sortName makes files come in the order of their whole names: a-b/x before a/x.
func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
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

// contextWriter stops a long write when its context ends.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

// step is the most that is written between two looks at the context.
const step = 16 << 20

func (c *contextWriter) Write(p []byte) (n int, err error) {
	for {
		if err := c.ctx.Err(); err != nil {
			return n, err
		}
		k, err := c.w.Write(p[n:min(len(p), n+step)])
		if n += k; err != nil || n == len(p) {
			return n, err
		}
	}
}
