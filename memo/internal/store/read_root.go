package store

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// reader opens blobs for reading, and looks at folders.
type reader interface {
	open(name string) (Blob, error)
	readDir(name string) ([]fs.DirEntry, error)
	identity(name string) (Identity, error)
	renameNew(from, to string) error
	close() error
}

// rootReader opens blobs through os.Root, which every system has.
type rootReader struct{ root *os.Root }

func (r rootReader) close() error { return nil }

func (r rootReader) open(name string) (Blob, error) {
	// What os.Root opens it may have found through a symbolic link within the
	// folder, and opening a device can have effects: so look first.
	info, err := r.root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrForeign}
	}
	if err != nil {
		return nil, err
	}
	f, err := r.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrForeign}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return fileBlob{f, info.Size(), info.ModTime()}, nil
}

// openFolder opens a folder, and does not wait where a FIFO has its name by now.
func openFolder(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|folderFlags, 0)
}

func (r rootReader) readDir(name string) ([]fs.DirEntry, error) {
	f, err := openFolder(r.root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// identity does not know when a folder was born: package os does not tell.
func (r rootReader) identity(string) (Identity, error) { return Identity{}, errors.ErrUnsupported }

// renameNew does not know how: package os has no such rename.
func (r rootReader) renameNew(from, to string) error { return errors.ErrUnsupported }

type fileBlob struct {
	file     *os.File
	size     int64
	modified time.Time
}

func (b fileBlob) ReadAt(p []byte, offset int64) (int, error) { return b.file.ReadAt(p, offset) }

func (b fileBlob) Close() error { return b.file.Close() }

func (b fileBlob) Size() int64 { return b.size }

func (b fileBlob) Modified() time.Time { return b.modified }

// File implements [Filer]. The file has a name already.
func (b fileBlob) File(string) *os.File { return b.file }
