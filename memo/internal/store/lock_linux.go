package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// lockFile is the file whose bytes are locked. It stays empty: lock n is byte 2n,
// and byte 2n+1 its pulse.
const lockFile = "lock"

// How often a waiter looks: soon at first, for most computations are short, and
// then so that many waiters cost little.
const (
	minPoll = time.Millisecond
	maxPoll = 20 * time.Millisecond
)

// Lock implements [Store], with locks that belong to an open file description
// (Linux 3.15): each holder opens the file anew, so that goroutines exclude each
// other as processes do, and the kernel drops the locks of a process that dies.
func (d *Dir) Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error) {
	if number > MaxLock {
		return nil, fmt.Errorf("lock %d: %w", number, fs.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := d.openLock()
	if errors.Is(err, ErrForeign) {
		// It goes the way of what stands in a blob's place. Where two do this at once,
		// one may put aside what the other has just made: they do not exclude each
		// other for once.
		if err := d.Quarantine(ctx, lockFile); err != nil {
			return nil, err
		}
		file, err = d.openLock()
	}
	if err != nil {
		return nil, err
	}
	l := &byteLock{file: file, offset: int64(2 * number)}
	if err := l.acquire(ctx, d.closed, patience); err != nil {
		closeLock(file)
		return nil, err
	}
	l.startPulse(d.pulse)
	return l.release, nil
}

// openLocks counts the lock files that are open in this process.
var openLocks atomic.Int64

// maxOpenLocks is a quarter of the files that the process may have open. The rest
// is the program's: a crowd of calls must not leave it without.
var maxOpenLocks = sync.OnceValue(func() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 256
	}
	return int64(min(limit.Cur/4, 1<<20))
})

// openLock opens the lock file, and makes it where it is missing.
func (d *Dir) openLock() (file LockFile, err error) {
	if open := openLocks.Add(1); open > maxOpenLocks() {
		openLocks.Add(-1)
		return nil, fmt.Errorf("%w: too many open locks, %d", errors.ErrUnsupported, open)
	}
	mode := fs.FileMode(fileMode)
	if d.group {
		mode = groupFile
	}
	if file, err = d.files.OpenLock(mode); err != nil {
		openLocks.Add(-1)
	}
	return file, err
}

// closeLock closes a lock file. Nothing was written that could be lost.
func closeLock(file LockFile) {
	_ = file.Close()
	openLocks.Add(-1)
}

// OpenLock implements [Files].
func (f *folder) OpenLock(mode fs.FileMode) (LockFile, error) {
	// The store's own descriptor of the folder may be closed by another goroutine,
	// and its number given to another file. This one cannot.
	folder, err := f.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	// The name has no folder in it, so O_NOFOLLOW is all that keeps it inside.
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_CLOEXEC | openFlags
	if mode != fileMode {
		f.makeSharedLock(mode)
	}
	fd, err := unix.Openat(int(folder.Fd()), lockFile, flags, uint32(mode))
	switch {
	case err == unix.ELOOP || err == unix.EISDIR || err == unix.ENXIO:
		// a symbolic link, a folder, or a socket
		return nil, &fs.PathError{Op: "open", Path: lockFile, Err: ErrForeign}
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: lockFile, Err: err}
	}
	stat, err := statRegular(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: lockFile, Err: err}
	}
	if mode != fileMode && fs.FileMode(stat.Mode&0o777) != mode && stat.Nlink == 1 {
		// The file system has no hard links. Whoever made the file does this; those who
		// cannot open it until then compute. A file with another name may be one outside,
		// which nobody is to be let into.
		_ = unix.Fchmod(fd, uint32(mode))
	}
	return lockDescriptor(fd), nil
}

// makeSharedLock makes the lock file of a group where it is missing. It has its mode before
// it has its name, as the group's folders have, and replaces none: locks of two files
// would not exclude each other. Where this fails the file is made without.
func (f *folder) makeSharedLock(mode fs.FileMode) {
	if _, err := f.root.Lstat(lockFile); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	temporary := staging + "/" + rand.Text()
	file, err := f.Create(temporary)
	if err != nil {
		return
	}
	if err := errors.Join(file.Chmod(mode), file.Close()); err == nil {
		_ = f.root.Link(temporary, lockFile)
	}
	_ = f.root.Remove(temporary) // else it is swept
}

// lockDescriptor is an open lock file.
type lockDescriptor int

// Lock implements [LockFile].
func (fd lockDescriptor) Lock(offset int64) error { return setLock(int(fd), unix.F_WRLCK, offset) }

// Unlock implements [LockFile].
func (fd lockDescriptor) Unlock(offset int64) error { return setLock(int(fd), unix.F_UNLCK, offset) }

// Locked implements [LockFile].
func (fd lockDescriptor) Locked(offset int64) (bool, error) { return isLocked(int(fd), offset) }

// Close implements [LockFile].
func (fd lockDescriptor) Close() error { return unix.Close(int(fd)) }

// byteLock is a lock that is held or waited for.
type byteLock struct {
	offset int64

	mu    sync.Mutex
	file  LockFile // nil when it is released
	beat  bool
	timer *time.Timer
}

// acquire takes the lock. It waits as long as the holder's pulse goes on, and for
// patience after it has stopped. Patience is spent by looking and not by the
// clock: whoever was stopped himself meanwhile, or his machine, has not waited.
func (l *byteLock) acquire(ctx context.Context, closed <-chan struct{}, patience time.Duration) error {
	var quiet time.Duration // waited without a change of the pulse
	for wait, last := minPoll, false; ; wait = min(2*wait, maxPoll) {
		err := l.file.Lock(l.offset)
		if !errors.Is(err, ErrLocked) {
			return err
		}
		beat, err := l.file.Locked(l.offset + 1)
		if err != nil {
			return err
		}
		if beat != last {
			quiet, last = 0, beat
		}
		if quiet >= patience {
			return ErrLocked
		}
		wait = min(wait, patience-quiet)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closed:
			return fs.ErrClosed
		case <-time.After(wait):
		}
		quiet += wait
	}
}

// startPulse has the holder give signs of life, the first one after a period, so
// that short work pays nothing for them.
func (l *byteLock) startPulse(period time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(period, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.file == nil {
			return // released while this began
		}
		change := l.file.Lock
		if l.beat {
			change = l.file.Unlock
		}
		if change(l.offset+1) == nil { // else the next one may show
			l.beat = !l.beat
		}
		l.timer.Reset(period)
	})
}

// release gives the lock back. A second call does nothing.
func (l *byteLock) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return
	}
	l.timer.Stop()
	// To close the file would do, but for a child process that is just being
	// started and has it open until it runs another program.
	_ = l.file.Unlock(l.offset)
	closeLock(l.file)
	l.file = nil
}

// setLock takes or drops the lock on one byte, [ErrLocked] where another has it.
func setLock(fd int, kind int16, offset int64) error {
	return flock(fd, unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: offset, Len: 1})
}

// isLocked reports whether somebody else has the lock on one byte.
func isLocked(fd int, offset int64) (bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: offset, Len: 1}
	err := flock(fd, unix.F_OFD_GETLK, &lock)
	return lock.Type != unix.F_UNLCK, err
}

func flock(fd, command int, lock *unix.Flock_t) error {
	switch err := unix.FcntlFlock(uintptr(fd), command, lock); err {
	case nil:
		return nil
	case unix.EAGAIN, unix.EACCES: // the second one from CIFS
		return ErrLocked
	case unix.ENOLCK, unix.EOPNOTSUPP, unix.EINVAL, unix.ENOSYS, unix.EOVERFLOW:
		return &fs.PathError{Op: "lock", Path: lockFile, Err: fmt.Errorf("%w: %w", errors.ErrUnsupported, err)}
	default:
		return &fs.PathError{Op: "lock", Path: lockFile, Err: err}
	}
}
