package store

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// folder is the [Files] of a folder of the operating system.
type folder struct {
	root   *os.Root
	reader reader
}

// OpenFiles returns the files of an existing folder.
func OpenFiles(path string) (Files, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	r, err := newReader(root)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &folder{root, r}, nil
}

// Close implements [Files].
func (f *folder) Close() error { return errors.Join(f.reader.close(), f.root.Close()) }

// Open implements [Files].
func (f *folder) Open(name string) (Blob, error) { return f.reader.open(name) }

// Create implements [Files].
func (f *folder) Create(name string) (File, error) {
	return f.openFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
}

// Edit implements [Files].
func (f *folder) Edit(name string) (File, error) {
	return f.openFile(name, os.O_RDWR|openFlags)
}

func (f *folder) openFile(name string, flags int) (File, error) {
	file, err := f.root.OpenFile(name, flags, fileMode)
	if err != nil {
		return nil, err
	}
	return osFile{file}, nil
}

// osFile is an [os.File] whose whole can be locked.
type osFile struct{ *os.File }

// Lock implements [File].
func (f osFile) Lock() (release func(), err error) { return lockStaged(f.File) }

// BeginSync implements [File].
func (f osFile) BeginSync() { beginSync(f.File) }

// Lstat implements [Files].
func (f *folder) Lstat(name string) (fs.FileInfo, error) { return f.root.Lstat(name) }

// ReadDir implements [Files].
func (f *folder) ReadDir(name string) ([]fs.DirEntry, error) { return f.reader.readDir(name) }

// Mkdir implements [Files].
func (f *folder) Mkdir(name string) error { return f.root.Mkdir(name, dirMode) }

// Chmod implements [Files].
func (f *folder) Chmod(name string, mode fs.FileMode) error { return f.root.Chmod(name, mode) }

// Chtimes implements [Files].
func (f *folder) Chtimes(name string, modified time.Time) error {
	return f.root.Chtimes(name, modified, modified)
}

// Rename implements [Files].
func (f *folder) Rename(from, to string) error { return f.root.Rename(from, to) }

// RenameNew implements [Files].
func (f *folder) RenameNew(from, to string) error { return f.reader.renameNew(from, to) }

// Link implements [Files].
func (f *folder) Link(from, to string) error { return f.root.Link(from, to) }

// Remove implements [Files].
func (f *folder) Remove(name string) error { return f.root.Remove(name) }

// SyncFolder implements [Files].
func (f *folder) SyncFolder(name string) error { return syncOpened(openFolder(f.root, name)) }

// Identity implements [Files].
func (f *folder) Identity(name string) (Identity, error) { return f.reader.identity(name) }

// Concurrent implements [Files].
func (f *folder) Concurrent() bool { return true }

// SyncFolder makes the names in any folder durable.
func SyncFolder(path string) error { return syncOpened(os.Open(path)) }

// syncOpened syncs and closes a folder that was opened.
func syncOpened(folder *os.File, err error) error {
	if err != nil {
		return err
	}
	err = syncFolder(folder)
	if closeErr := folder.Close(); err == nil {
		err = closeErr
	}
	return err
}
