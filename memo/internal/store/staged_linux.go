package store

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockStaged locks a staging file as a whole, [ErrLocked] where another has it or has
// removed it. The lock belongs to the open file, and stays until release when f is
// closed before: a file is closed before it is published, and is its writer's until
// then. The kernel drops it when the process dies.
func lockStaged(f *os.File) (release func(), err error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := flock(fd, unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	if stat, err := statRegular(fd); err == nil && stat.Nlink == 0 {
		_ = unix.Close(fd)
		return nil, ErrLocked
	}
	return func() { _ = unix.Close(fd) }, nil
}
