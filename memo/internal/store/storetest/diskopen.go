package storetest

import (
	"io"
	"io/fs"
	"maps"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

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

// BeginSync implements [store.File]. What of it was done by a power cut chance says in any
// case.
func (f *diskFile) BeginSync() {}

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
