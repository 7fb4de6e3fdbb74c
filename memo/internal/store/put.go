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
	b, err := d.draft(ctx, o.Durable, write)
	if err != nil {
		return err
	}
	defer b.discard()
	if err := b.finish(o.Durable, o.Modified); err != nil {
		return err
	}
	if err := publish(ctx, b.temporary, name); err != nil {
		return err
	}
	b.published = true
	if o.Durable {
		return d.syncFolders(path.Dir(name))
	}
	return nil
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
