package storetest

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"syscall"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Files returns the files of the disk, as one process has them.
func (d *Disk) Files() store.Files { return &diskFiles{disk: d} }

type diskFiles struct {
	disk   *Disk
	closed bool
}

// do does one operation.
func (f *diskFiles) do(op, name string, perform func() error) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := fs.ErrClosed
	if !f.closed {
		if err = f.disk.power(); err == nil {
			err = perform()
		}
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// Close implements [store.Files].
func (f *diskFiles) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	return nil
}

// Open implements [store.Files].
func (f *diskFiles) Open(name string) (blob store.Blob, err error) {
	err = f.do("open", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil && n.mode.IsDir() {
			err = store.ErrForeign
		}
		if err == nil {
			blob = &diskBlob{diskFile{disk: f.disk, node: n, name: name}, n.content, n.modified()}
			f.disk.open++
		}
		return err
	})
	return blob, err
}

// Create implements [store.Files].
func (f *diskFiles) Create(name string) (file store.File, err error) {
	err = f.do("create", name, func() error {
		folder, base, err := f.disk.missing(name)
		if err != nil {
			return err
		}
		n := &node{number: f.disk.next(), mode: 0o600, times: []timeChange{{0, f.disk.now()}}}
		folder.change(n.number, base, n)
		file = f.disk.opened(n, name)
		return nil
	})
	return file, err
}

// Edit implements [store.Files].
func (f *diskFiles) Edit(name string) (file store.File, err error) {
	err = f.do("edit", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil && n.mode.IsDir() {
			err = syscall.EISDIR
		}
		if err == nil {
			file = f.disk.opened(n, name)
		}
		return err
	})
	return file, err
}

// Lstat implements [store.Files].
func (f *diskFiles) Lstat(name string) (info fs.FileInfo, err error) {
	err = f.do("lstat", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil {
			info = n.info(path.Base(name))
		}
		return err
	})
	return info, err
}

// diskInfo is what is known of a file.
type diskInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (n *node) info(name string) diskInfo {
	return diskInfo{name, int64(len(n.content)), n.mode, n.modified()}
}

func (i diskInfo) Name() string       { return i.name }
func (i diskInfo) Size() int64        { return i.size }
func (i diskInfo) Mode() fs.FileMode  { return i.mode }
func (i diskInfo) ModTime() time.Time { return i.modified }
func (i diskInfo) IsDir() bool        { return i.mode.IsDir() }
func (i diskInfo) Sys() any           { return nil }

// ReadDir implements [store.Files].
func (f *diskFiles) ReadDir(name string) (entries []fs.DirEntry, err error) {
	err = f.do("readdir", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil && !n.mode.IsDir() {
			err = syscall.ENOTDIR
		}
		if err != nil {
			return err
		}
		for base, child := range n.names {
			entries = append(entries, diskEntry{fs.FileInfoToDirEntry(child.info(base)), f, path.Join(name, base)})
		}
		return nil
	})
	return entries, err
}

// diskEntry is looked at again when its Info is asked for.
type diskEntry struct {
	fs.DirEntry
	files *diskFiles
	name  string
}

func (e diskEntry) Info() (fs.FileInfo, error) { return e.files.Lstat(e.name) }

// Mkdir implements [store.Files].
func (f *diskFiles) Mkdir(name string) error {
	return f.do("mkdir", name, func() error {
		folder, base, err := f.disk.missing(name)
		if err == nil {
			n := newFolder(fs.ModeDir | 0o700)
			n.number = f.disk.next()
			folder.change(n.number, base, n)
		}
		return err
	})
}

// Chmod implements [store.Files].
func (f *diskFiles) Chmod(name string, mode fs.FileMode) error {
	return f.do("chmod", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil {
			n.mode = n.mode.Type() | mode
		}
		return err
	})
}

// Chtimes implements [store.Files].
func (f *diskFiles) Chtimes(name string, modified time.Time) error {
	return f.do("chtimes", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil {
			n.times = append(n.times, timeChange{f.disk.next(), modified})
		}
		return err
	})
}

// Rename implements [store.Files].
func (f *diskFiles) Rename(from, to string) error {
	return f.do("rename", from, func() error {
		source, old, n, err := f.disk.existing(from)
		if err != nil {
			return err
		}
		target, base, there, err := f.disk.find(to)
		switch {
		case err != nil:
			return err
		case there == n:
			return nil
		case there != nil && there.mode.IsDir():
			return fs.ErrExist
		case there != nil && n.mode.IsDir():
			return syscall.ENOTDIR
		}
		number := f.disk.next() // a journal has both or neither
		target.change(number, base, n)
		source.change(number, old, nil)
		return nil
	})
}

// RenameNew implements [store.Files].
func (f *diskFiles) RenameNew(from, to string) error {
	return f.do("rename new", from, func() error {
		source, old, n, err := f.disk.existing(from)
		if err != nil {
			return err
		}
		target, base, err := f.disk.missing(to)
		if err == nil {
			number := f.disk.next()
			target.change(number, base, n)
			source.change(number, old, nil)
		}
		return err
	})
}

// Link implements [store.Files].
func (f *diskFiles) Link(from, to string) error {
	return f.do("link", from, func() error {
		_, _, n, err := f.disk.existing(from)
		if err == nil && n.mode.IsDir() {
			err = fs.ErrPermission
		}
		if err != nil {
			return err
		}
		folder, base, err := f.disk.missing(to)
		if err == nil {
			folder.change(f.disk.next(), base, n)
		}
		return err
	})
}

var errNotEmpty = errors.New("the folder is not empty")

// Remove implements [store.Files].
func (f *diskFiles) Remove(name string) error {
	return f.do("remove", name, func() error {
		folder, base, n, err := f.disk.existing(name)
		if err == nil && len(n.names) > 0 {
			err = errNotEmpty
		}
		if err == nil {
			folder.change(f.disk.next(), base, nil)
		}
		return err
	})
}

// SyncFolder implements [store.Files].
func (f *diskFiles) SyncFolder(name string) error {
	return f.do("sync folder", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil && !n.mode.IsDir() {
			err = syscall.ENOTDIR
		}
		if err == nil {
			n.durable, n.pending = maps.Clone(n.names), nil
		}
		return err
	})
}

// tick is the number of changes of names and times in which the clock of the disk stands
// still.
const tick = 64

// Identity implements [store.Files]. All folders have one number, as if that of each which
// is removed were given to the next: only their births tell them apart, as far as the clock
// does.
func (f *diskFiles) Identity(name string) (id store.Identity, err error) {
	err = f.do("identity", name, func() error {
		_, _, n, err := f.disk.existing(name)
		if err == nil && !n.mode.IsDir() {
			err = syscall.ENOTDIR
		}
		if err == nil {
			at := func(change int) time.Time { return time.Unix(int64(change/tick), 0) }
			id = store.Identity{Device: 1, Inode: 1, Born: at(n.number), Changed: at(n.changed)}
		}
		return err
	})
	return id, err
}

// Concurrent implements [store.Files]: what fails is to be the same each time.
func (f *diskFiles) Concurrent() bool { return false }

// OpenLock implements [store.Files].
func (f *diskFiles) OpenLock(mode fs.FileMode) (file store.LockFile, err error) {
	err = f.do("open lock", "lock", func() error {
		n := f.disk.top.names["lock"]
		if n == nil {
			n = &node{number: f.disk.next(), mode: mode, times: []timeChange{{0, f.disk.now()}}}
			f.disk.top.change(n.number, "lock", n)
		}
		if !n.mode.IsRegular() {
			return store.ErrForeign
		}
		file = diskLock{f.disk.opened(n, "lock")}
		return nil
	})
	return file, err
}
