package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// NewBlob is a blob to be stored.
type NewBlob struct {
	Name  string
	Size  int64 // as for PutIfAbsent
	Write func(io.Writer) error
}

// Together is a [Store] in which several blobs are made durable in less time than each for
// itself.
type Together interface {
	// PutTogether stores blobs, with one time of modification, and returns when a power
	// cut can no longer lose them: the last one as Put does, those before it as
	// PutIfAbsent. The last one may refer to the others: it gets its name when no power
	// cut can lose them. An error is of the blob that is named, or of none; some of the
	// others may be stored then, but not the last one without them. It is
	// [errors.ErrUnsupported], and nothing is stored, where blobs are to be put one after
	// the other.
	PutTogether(ctx context.Context, blobs []NewBlob, modified time.Time) (name string, err error)
}

// PutTogether implements [Together]. The disk is waited for twice, however many blobs there
// are: all files are synced at once, for what a journal has of them goes to the disk
// together, and then, with all of them named, the folders.
//
// So the last blob may have its name at a power cut, and another not: who reads the last
// one does not find what it refers to. This is as if neither was stored, and is what the
// caller has to expect of a power cut before PutTogether has returned. It is another matter
// where the last blob takes the place of one that is durable, with all that it refers to.
// Then the names of the others are synced first, which is a third time to wait. Which of
// the two it is only the rename itself can tell, for others put too.
func (d *Dir) PutTogether(ctx context.Context, blobs []NewBlob, modified time.Time) (name string, err error) {
	var folders []string // of the names that are to be synced
	for len(blobs) > 0 {
		some := blobs[:min(len(blobs), maxTogether)]
		blobs = blobs[len(some):]
		if name, err := d.putSome(ctx, some, len(blobs) == 0, modified, &folders); err != nil {
			return name, err
		}
	}
	return "", d.syncFolders(folders...)
}

// maxTogether is how many files and folders are open, and synced, at once.
const maxTogether = 32

// putSome syncs some blobs of PutTogether, and gives them their names. It adds the folders
// of these, unless they are synced already.
func (d *Dir) putSome(ctx context.Context, blobs []NewBlob, withLast bool, modified time.Time, folders *[]string) (name string, err error) {
	drafts := make([]*draft, 0, len(blobs))
	defer func() {
		for _, b := range drafts {
			b.discard()
		}
	}()
	for _, blob := range blobs {
		if err := errors.Join(valid("put", blob.Name), ctx.Err()); err != nil {
			return blob.Name, err
		}
		b, err := d.draft(ctx, true, blob.Write)
		if err != nil {
			return blob.Name, err
		}
		drafts = append(drafts, b)
	}
	others := len(blobs)
	if withLast {
		others--
	}
	if i, err := d.atOnce(len(drafts), func(i int) error {
		when := modified
		if i < others {
			when, _ = d.modified(ctx, blobs[i].Name, blobs[i].Size, modified)
		}
		return drafts[i].finish(true, when)
	}); err != nil {
		return blobs[i].Name, err
	}
	for i, b := range drafts[:others] {
		if err := d.publish(ctx, b.temporary, blobs[i].Name); err != nil {
			return blobs[i].Name, err
		}
		b.published = true
		*folders = append(*folders, path.Dir(blobs[i].Name))
	}
	if !withLast {
		return "", nil
	}
	name, b := blobs[others].Name, drafts[others]
	if b.published = d.renameNew(b.temporary, name) == nil; !b.published {
		if err := d.syncFolders(*folders...); err != nil {
			return "", err
		}
		*folders = nil
		if err := d.publish(ctx, b.temporary, name); err != nil {
			return name, err
		}
		b.published = true
	}
	*folders = append(*folders, path.Dir(name))
	return "", nil
}

// renameNew gives a file its name if nothing has it.
func (d *Dir) renameNew(temporary, name string) error {
	exists := false
	err := d.move(func(from, to string) error {
		err := d.files.RenameNew(from, to)
		if exists = errors.Is(err, fs.ErrExist); exists {
			return nil
		}
		return err
	}, temporary, name)
	if exists {
		return fs.ErrExist
	}
	return err
}

// atOnce calls f for each number below n, in several goroutines where the files gain by
// that, and returns the first error by number.
func (d *Dir) atOnce(n int, f func(i int) error) (failed int, err error) {
	if n < 2 || !d.files.Concurrent() {
		for i := range n {
			if err := f(i); err != nil {
				return i, err
			}
		}
		return 0, nil
	}
	errs := make([]error, n)
	var group errgroup.Group
	group.SetLimit(maxTogether)
	for i := range n {
		group.Go(func() error { errs[i] = f(i); return nil })
	}
	_ = group.Wait()
	failed = max(slices.IndexFunc(errs, func(err error) bool { return err != nil }), 0)
	return failed, errs[failed]
}
