package storetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Disk is a file system in memory that knows what of it is durable: [Disk.Cut] tells
// what a power cut may leave. Several processes may use it, each by [Disk.Files].
type Disk struct {
	now func() time.Time

	mu      sync.Mutex
	top     *node
	changes int // of names and times, that is the number of the last one
	born    int // the number of the last change before the disk was found after a cut
	locks   map[any]*diskFile
	open    int      // files
	misuse  []string // of files that are closed
	left    int      // operations until the power fails
	off     bool
}

// NewDisk returns an empty disk with a clock of the caller's.
func NewDisk(now func() time.Time) *Disk {
	return &Disk{now: now, top: newFolder(fs.ModeDir | 0o700), locks: map[any]*diskFile{}}
}

// node is a file or a folder.
type node struct {
	number int // of the change that made it
	mode   fs.FileMode
	times  []timeChange // the first one is durable

	// Of a file.
	content []byte
	pieces  []int  // where each write since the last sync ended
	synced  []byte // what is durable
	lost    bool   // a sync failed: no later one makes anything durable

	// Of a folder: what it holds, what is durable of that, and the changes since.
	names   map[string]*node
	durable map[string]*node
	pending []nameChange
}

// nameChange is one that is not durable yet. Without a node the name was removed.
type nameChange struct {
	number int
	name   string
	node   *node
}

// timeChange is one of a time of modification.
type timeChange struct {
	number int
	time   time.Time
}

func newFolder(mode fs.FileMode) *node {
	return &node{mode: mode, names: map[string]*node{}, durable: map[string]*node{}, times: []timeChange{{}}}
}

func (n *node) modified() time.Time { return n.times[len(n.times)-1].time }

// change gives a name in a folder another node, or none.
func (n *node) change(number int, name string, to *node) {
	n.pending = append(n.pending, nameChange{number, name, to})
	if to == nil {
		delete(n.names, name)
	} else {
		n.names[name] = to
	}
}

// Leaks reports files that are still open, and what was done with closed ones.
func (d *Disk) Leaks() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open != 0 {
		return fmt.Errorf("%d files are open, %q", d.open, d.misuse)
	}
	if len(d.misuse) > 0 {
		return fmt.Errorf("misused: %q", d.misuse)
	}
	return nil
}

// FailAfter has the power fail after so many operations more: all fail from then on.
func (d *Disk) FailAfter(operations int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = operations
}

// Failed reports whether the power has failed.
func (d *Disk) Failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Contents returns what every file holds, by name.
func (d *Disk) Contents() map[string][]byte {
	contents := map[string][]byte{}
	d.walk(func(name string, n *node) {
		if !n.mode.IsDir() {
			contents[name] = n.content
		}
	})
	return contents
}

// Modes returns the mode of every file and folder, by name.
func (d *Disk) Modes() map[string]fs.FileMode {
	modes := map[string]fs.FileMode{}
	d.walk(func(name string, n *node) { modes[name] = n.mode })
	return modes
}

// walk calls f for every file and folder in the top one.
func (d *Disk) walk(f func(name string, n *node)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var below func(at string, n *node)
	below = func(at string, n *node) {
		for name, child := range n.names {
			f(path.Join(at, name), child)
			below(path.Join(at, name), child)
		}
	}
	below("", d.top)
}

// Clone returns a disk with the same files, all durable or not as here. None may be open.
func (d *Disk) Clone(now func() time.Time) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	copied := map[*node]*node{nil: nil}
	var clone func(n *node) *node
	names := func(of map[string]*node) map[string]*node {
		m := maps.Clone(of)
		for name, n := range m {
			m[name] = clone(n)
		}
		return m
	}
	clone = func(n *node) *node {
		if c, ok := copied[n]; ok {
			return c
		}
		c := &node{number: n.number, mode: n.mode, times: slices.Clone(n.times), content: slices.Clip(n.content), pieces: slices.Clip(n.pieces), synced: n.synced, lost: n.lost}
		copied[n] = c
		c.names, c.durable, c.pending = names(n.names), names(n.durable), slices.Clone(n.pending)
		for i := range c.pending {
			c.pending[i].node = clone(c.pending[i].node)
		}
		return c
	}
	c := NewDisk(now)
	c.top, c.changes, c.born = clone(d.top), d.changes, d.born
	return c
}

var errPower = fmt.Errorf("%w: the power is off", syscall.EIO)

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

// power counts an operation.
func (d *Disk) power() error {
	if d.left > 0 {
		d.left--
		d.off = d.left == 0
	}
	if d.off {
		return errPower
	}
	return nil
}

// find returns what has a name, and the folder it is or would be in.
func (d *Disk) find(name string) (folder *node, base string, n *node, err error) {
	folder, n = nil, d.top
	if name == "." {
		return nil, name, n, nil
	}
	for rest, more := name, true; more; {
		folder = n
		base, rest, more = strings.Cut(rest, "/")
		if !folder.mode.IsDir() {
			return nil, base, nil, syscall.ENOTDIR
		}
		n = folder.names[base]
		if n == nil && more {
			return nil, base, nil, fs.ErrNotExist
		}
	}
	return folder, base, n, nil
}

// existing is find of what must be there.
func (d *Disk) existing(name string) (folder *node, base string, n *node, err error) {
	folder, base, n, err = d.find(name)
	if err == nil && n == nil {
		err = fs.ErrNotExist
	}
	return folder, base, n, err
}

// missing is find of what must not be there.
func (d *Disk) missing(name string) (folder *node, base string, err error) {
	folder, base, n, err := d.find(name)
	if err == nil && n != nil {
		err = fs.ErrExist
	}
	return folder, base, err
}

// next returns the number of a change.
func (d *Disk) next() int {
	d.changes++
	return d.changes
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

// diskBlob is a file that is open for reading.
type diskBlob struct {
	diskFile
	content  []byte
	modified time.Time
}

// ReadAt implements [io.ReaderAt].
func (b *diskBlob) ReadAt(p []byte, offset int64) (n int, err error) {
	err = b.do("read", func() error {
		n = copy(p, b.content[min(offset, int64(len(b.content))):])
		if n < len(p) {
			return io.EOF
		}
		return nil
	})
	return n, err
}

func (b *diskBlob) Size() int64 { return int64(len(b.content)) }

func (b *diskBlob) Modified() time.Time { return b.modified }

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

// opened returns an open file.
func (d *Disk) opened(n *node, name string) *diskFile {
	d.open++
	return &diskFile{disk: d, node: n, name: name}
}

// diskFile is an open file, to write or to lock.
type diskFile struct {
	disk   *Disk
	node   *node
	name   string
	closed bool
}

// do does an operation on an open file.
func (f *diskFile) do(op string, perform func() error) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		f.disk.misuse = append(f.disk.misuse, op+" of "+f.name+", which is closed")
		return fs.ErrClosed
	}
	if err := f.disk.power(); err != nil {
		return err
	}
	return perform()
}

// Write implements [store.File].
func (f *diskFile) Write(p []byte) (int, error) {
	err := f.do("write", func() error {
		f.node.content = append(f.node.content, p...)
		f.node.pieces = append(f.node.pieces, len(f.node.content))
		f.node.times = append(f.node.times, timeChange{f.disk.next(), f.disk.now()})
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Chmod implements [store.File].
func (f *diskFile) Chmod(mode fs.FileMode) error {
	return f.do("chmod", func() error {
		f.node.mode = mode
		return nil
	})
}

// Sync implements [store.File].
func (f *diskFile) Sync() error {
	return f.do("sync", func() error {
		if n := f.node; !n.lost {
			n.synced, n.pieces, n.times = n.content[:len(n.content):len(n.content)], nil, n.times[len(n.times)-1:]
		}
		return nil
	})
}

// LoseWrites is a sync that fails: as on Linux, the system takes what could not be
// written for written, so that the next sync succeeds and makes nothing durable.
func (f *diskFile) LoseWrites() {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.node.lost = f.node.lost || len(f.node.synced) < len(f.node.content)
}

// Close implements [store.File]. What it held stays locked only by Lock.
func (f *diskFile) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		f.disk.misuse = append(f.disk.misuse, f.name+" is closed twice")
		return fs.ErrClosed
	}
	f.closed = true
	f.disk.open--
	maps.DeleteFunc(f.disk.locks, func(_ any, holder *diskFile) bool { return holder == f })
	return f.disk.power()
}

// Lock implements [store.File].
func (f *diskFile) Lock() (release func(), err error) {
	err = f.do("lock", func() error {
		if f.disk.locks[f.node] != nil {
			return store.ErrLocked
		}
		// It outlives the file, as a descriptor of its own.
		holder := f.disk.opened(f.node, f.name)
		f.disk.locks[f.node] = holder
		release = func() { _ = holder.Close() }
		return nil
	})
	return release, err
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

// diskLock is an open lock file.
type diskLock struct{ file *diskFile }

// Lock implements [store.LockFile].
func (l diskLock) Lock(offset int64) error {
	return l.file.do("lock", func() error {
		if holder := l.file.disk.locks[offset]; holder != nil && holder != l.file {
			return store.ErrLocked
		}
		l.file.disk.locks[offset] = l.file
		return nil
	})
}

// Unlock implements [store.LockFile].
func (l diskLock) Unlock(offset int64) error {
	return l.file.do("unlock", func() error {
		if l.file.disk.locks[offset] == l.file {
			delete(l.file.disk.locks, offset)
		}
		return nil
	})
}

// Locked implements [store.LockFile].
func (l diskLock) Locked(offset int64) (locked bool, err error) {
	err = l.file.do("locked", func() error {
		holder := l.file.disk.locks[offset]
		locked = holder != nil && holder != l.file
		return nil
	})
	return locked, err
}

// Close implements [store.LockFile].
func (l diskLock) Close() error { return l.file.Close() }
