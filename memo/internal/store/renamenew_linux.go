package store

import (
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// renameNew renames with renameat2(2), in folders that are opened as all others are.
func (r beneathReader) renameNew(from, to string) error {
	fail := func(err error) error { return &os.LinkError{Op: "renameat2", Old: from, New: to, Err: err} }
	source, err := r.openat2(path.Dir(from), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return fail(err)
	}
	defer unix.Close(source)
	target, err := r.openat2(path.Dir(to), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return fail(err)
	}
	defer unix.Close(target)
	if err := unix.Renameat2(source, path.Base(from), target, path.Base(to), unix.RENAME_NOREPLACE); err != nil {
		return fail(err)
	}
	return nil
}
