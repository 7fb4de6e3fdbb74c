package storetest

import (
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// FaultyFiles are files whose operations can be made to fail, as those of a [Faulty]
// can: those of the folder and of the files that are opened in it.
type FaultyFiles struct {
	store.Files
	faults
}

// ErrShort is a fault of a write: a part of it is done, without an error.
var ErrShort = errors.New("short write")

// Late is a fault of an operation that is done all the same, as where the answer of a
// file server is lost.
type Late struct{ error }

// Unwrap returns the cause.
func (l Late) Unwrap() error { return l.error }

// perform does an operation, unless it fails.
func (f *FaultyFiles) perform(op string, operation func() error) error {
	fault := f.do(op)
	var late Late
	if fault != nil && !errors.As(fault, &late) {
		return fault
	}
	return errors.Join(operation(), fault)
}

// Open implements [store.Files].
func (f *FaultyFiles) Open(name string) (store.Blob, error) {
	if err := f.do("open"); err != nil {
		return nil, err
	}
	blob, err := f.Files.Open(name)
	if err != nil {
		return nil, err
	}
	return faultyFileBlob{blob, f}, nil
}

// faultyFileBlob is a file that is open for reading.
type faultyFileBlob struct {
	store.Blob
	f *FaultyFiles
}

func (b faultyFileBlob) ReadAt(p []byte, offset int64) (int, error) {
	if err := b.f.do("read"); err != nil {
		n, _ := b.Blob.ReadAt(p[:len(p)/2], offset)
		return n, err
	}
	return b.Blob.ReadAt(p, offset)
}

func (b faultyFileBlob) Close() error { return errors.Join(b.Blob.Close(), b.f.do("close read")) }

// Create implements [store.Files].
func (f *FaultyFiles) Create(name string) (store.File, error) {
	return f.opened("create", f.Files.Create, name)
}

// Edit implements [store.Files].
func (f *FaultyFiles) Edit(name string) (store.File, error) {
	return f.opened("edit", f.Files.Edit, name)
}

func (f *FaultyFiles) opened(op string, open func(string) (store.File, error), name string) (store.File, error) {
	var file store.File
	err := f.perform(op, func() (err error) {
		file, err = open(name)
		return err
	})
	if err != nil {
		if file != nil {
			_ = file.Close() // whose number nobody was told
		}
		return nil, err
	}
	return faultyFile{file, f}, nil
}

// faultyFile is a file that is open for writing.
type faultyFile struct {
	store.File
	f *FaultyFiles
}

// Write implements [io.Writer].
func (f faultyFile) Write(p []byte) (int, error) {
	err := f.f.do("write")
	if err == nil {
		return f.File.Write(p)
	}
	n, _ := f.File.Write(p[:len(p)/2])
	if errors.Is(err, ErrShort) {
		err = nil
	}
	return n, err
}

// Chmod implements [store.File].
func (f faultyFile) Chmod(mode fs.FileMode) error {
	return f.f.perform("chmod", func() error { return f.File.Chmod(mode) })
}

// Sync implements [store.File]. A disk in memory is told where it fails.
func (f faultyFile) Sync() error {
	err := f.f.do("sync")
	if err == nil {
		return f.File.Sync()
	}
	if file, ok := f.File.(interface{ LoseWrites() }); ok && !errors.Is(err, syscall.EINTR) {
		file.LoseWrites()
	}
	return err
}

// Lock implements [store.File].
func (f faultyFile) Lock() (release func(), err error) {
	if err := f.f.do("lock file"); err != nil {
		return nil, err
	}
	return f.File.Lock()
}

// Close implements [store.File].
func (f faultyFile) Close() error { return errors.Join(f.File.Close(), f.f.do("close")) }

// Lstat implements [store.Files].
func (f *FaultyFiles) Lstat(name string) (fs.FileInfo, error) {
	if err := f.do("lstat"); err != nil {
		return nil, err
	}
	return f.Files.Lstat(name)
}

// ReadDir implements [store.Files].
func (f *FaultyFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	fault := f.do("readdir")
	entries, err := f.Files.ReadDir(name)
	for i, e := range entries {
		entries[i] = faultyEntry{e, f}
	}
	if fault != nil {
		return entries[:len(entries)/2], fault
	}
	return entries, err
}

// faultyEntry is an entry of a folder.
type faultyEntry struct {
	fs.DirEntry
	f *FaultyFiles
}

func (e faultyEntry) Info() (fs.FileInfo, error) {
	if err := e.f.do("stat entry"); err != nil {
		return nil, err
	}
	return e.DirEntry.Info()
}

// Mkdir implements [store.Files].
func (f *FaultyFiles) Mkdir(name string) error {
	return f.perform("mkdir", func() error { return f.Files.Mkdir(name) })
}

// Chmod implements [store.Files].
func (f *FaultyFiles) Chmod(name string, mode fs.FileMode) error {
	return f.perform("chmod folder", func() error { return f.Files.Chmod(name, mode) })
}

// Chtimes implements [store.Files].
func (f *FaultyFiles) Chtimes(name string, modified time.Time) error {
	return f.perform("chtimes", func() error { return f.Files.Chtimes(name, modified) })
}

// Rename implements [store.Files].
func (f *FaultyFiles) Rename(from, to string) error {
	return f.perform("rename", func() error { return f.Files.Rename(from, to) })
}

// RenameNew implements [store.Files].
func (f *FaultyFiles) RenameNew(from, to string) error {
	return f.perform("rename new", func() error { return f.Files.RenameNew(from, to) })
}

// Link implements [store.Files].
func (f *FaultyFiles) Link(from, to string) error {
	return f.perform("link", func() error { return f.Files.Link(from, to) })
}

// Remove implements [store.Files].
func (f *FaultyFiles) Remove(name string) error {
	return f.perform("remove", func() error { return f.Files.Remove(name) })
}

// SyncFolder implements [store.Files].
func (f *FaultyFiles) SyncFolder(name string) error {
	return f.perform("sync folder", func() error { return f.Files.SyncFolder(name) })
}

// Identity implements [store.Files].
func (f *FaultyFiles) Identity(name string) (store.Identity, error) {
	if err := f.do("identity"); err != nil {
		return store.Identity{}, err
	}
	return f.Files.Identity(name)
}

// OpenLock implements [store.Files].
func (f *FaultyFiles) OpenLock(mode fs.FileMode) (store.LockFile, error) {
	if err := f.do("open lock"); err != nil {
		return nil, err
	}
	lock, err := f.Files.OpenLock(mode)
	if err != nil {
		return nil, err
	}
	return faultyLock{lock, f}, nil
}

// faultyLock is an open lock file.
type faultyLock struct {
	store.LockFile
	f *FaultyFiles
}

// Lock implements [store.LockFile].
func (l faultyLock) Lock(offset int64) error {
	return l.f.perform("lock", func() error { return l.LockFile.Lock(offset) })
}

// Unlock implements [store.LockFile].
func (l faultyLock) Unlock(offset int64) error {
	return l.f.perform("unlock", func() error { return l.LockFile.Unlock(offset) })
}

// Locked implements [store.LockFile].
func (l faultyLock) Locked(offset int64) (bool, error) {
	if err := l.f.do("locked"); err != nil {
		return false, err
	}
	return l.LockFile.Locked(offset)
}

// Close implements [store.LockFile].
func (l faultyLock) Close() error { return errors.Join(l.LockFile.Close(), l.f.do("close lock")) }

// Close implements [store.Files].
func (f *FaultyFiles) Close() error { return errors.Join(f.Files.Close(), f.do("close folder")) }

// NewLate returns the fault.
func NewLate(cause error) error { return Late{cause} }
