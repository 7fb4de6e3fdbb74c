package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

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
