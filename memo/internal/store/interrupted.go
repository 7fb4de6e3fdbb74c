package store

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
	"time"
)

// uninterrupted asks again for what a signal interrupts, as POSIX would have it. Package
// os does so itself for most operations, but not for a rename. Close is not asked for
// again: whether the file is closed by then nobody knows, on Linux it is, and its
// number may be another file's.
type uninterrupted struct{ Files }

// again calls f until no signal interrupts it.
func again(f func() error) error {
	for {
		if err := f(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// again2 is again for a function that returns something.
func again2[T any](f func() (T, error)) (v T, err error) {
	err = again(func() error {
		v, err = f()
		return err
	})
	return v, err
}

// Open implements [Files]. It is written out for the sake of hits.
func (u uninterrupted) Open(name string) (Blob, error) {
	for {
		if blob, err := u.Files.Open(name); err == nil || !errors.Is(err, syscall.EINTR) {
			return blob, err
		}
	}
}

// Create implements [Files].
func (u uninterrupted) Create(name string) (File, error) {
	f, err := again2(func() (File, error) { return u.Files.Create(name) })
	if err != nil {
		return nil, err
	}
	return uninterruptedFile{f}, nil
}

// Edit implements [Files].
func (u uninterrupted) Edit(name string) (File, error) {
	f, err := again2(func() (File, error) { return u.Files.Edit(name) })
	if err != nil {
		return nil, err
	}
	return uninterruptedFile{f}, nil
}

// Lstat implements [Files].
func (u uninterrupted) Lstat(name string) (fs.FileInfo, error) {
	return again2(func() (fs.FileInfo, error) { return u.Files.Lstat(name) })
}

// ReadDir implements [Files].
func (u uninterrupted) ReadDir(name string) ([]fs.DirEntry, error) {
	return again2(func() ([]fs.DirEntry, error) { return u.Files.ReadDir(name) })
}

// Mkdir implements [Files].
func (u uninterrupted) Mkdir(name string) error {
	return again(func() error { return u.Files.Mkdir(name) })
}

// Chmod implements [Files].
func (u uninterrupted) Chmod(name string, mode fs.FileMode) error {
	return again(func() error { return u.Files.Chmod(name, mode) })
}

// Chtimes implements [Files].
func (u uninterrupted) Chtimes(name string, modified time.Time) error {
	return again(func() error { return u.Files.Chtimes(name, modified) })
}

// Rename implements [Files].
func (u uninterrupted) Rename(from, to string) error {
	return again(func() error { return u.Files.Rename(from, to) })
}

// RenameNew implements [Files].
func (u uninterrupted) RenameNew(from, to string) error {
	return again(func() error { return u.Files.RenameNew(from, to) })
}

// Link implements [Files].
func (u uninterrupted) Link(from, to string) error {
	return again(func() error { return u.Files.Link(from, to) })
}

// Remove implements [Files].
func (u uninterrupted) Remove(name string) error {
	return again(func() error { return u.Files.Remove(name) })
}

// SyncFolder implements [Files].
func (u uninterrupted) SyncFolder(name string) error {
	return again(func() error { return u.Files.SyncFolder(name) })
}

// Identity implements [Files].
func (u uninterrupted) Identity(name string) (Identity, error) {
	return again2(func() (Identity, error) { return u.Files.Identity(name) })
}

// OpenLock implements [Files].
func (u uninterrupted) OpenLock(mode fs.FileMode) (LockFile, error) {
	l, err := again2(func() (LockFile, error) { return u.Files.OpenLock(mode) })
	if err != nil {
		return nil, err
	}
	return uninterruptedLock{l}, nil
}

// uninterruptedFile is a [File] that also goes on where a part was written.
type uninterruptedFile struct{ File }

// Write implements [io.Writer].
func (f uninterruptedFile) Write(p []byte) (n int, err error) {
	for n < len(p) {
		k, err := f.File.Write(p[n:])
		n += k
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return n, err
		case k == 0:
			return n, io.ErrShortWrite
		}
	}
	return n, nil
}

// Chmod implements [File].
func (f uninterruptedFile) Chmod(mode fs.FileMode) error {
	return again(func() error { return f.File.Chmod(mode) })
}

// Sync implements [File].
func (f uninterruptedFile) Sync() error { return again(f.File.Sync) }

// Lock implements [File].
func (f uninterruptedFile) Lock() (release func(), err error) { return again2(f.File.Lock) }

// uninterruptedLock is a [LockFile].
type uninterruptedLock struct{ LockFile }

// Lock implements [LockFile].
func (l uninterruptedLock) Lock(offset int64) error {
	return again(func() error { return l.LockFile.Lock(offset) })
}

// Unlock implements [LockFile].
func (l uninterruptedLock) Unlock(offset int64) error {
	return again(func() error { return l.LockFile.Unlock(offset) })
}

// Locked implements [LockFile].
func (l uninterruptedLock) Locked(offset int64) (bool, error) {
	return again2(func() (bool, error) { return l.LockFile.Locked(offset) })
}
