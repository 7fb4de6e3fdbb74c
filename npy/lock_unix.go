//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package npy

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other Appenders, of this process too, away from f until it is closed.
// Where the file system has no locks it does nothing.
func lock(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var lockErr error
	if err := conn.Control(func(fd uintptr) {
		for {
			lockErr = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
			if lockErr != unix.EINTR {
				return
			}
		}
	}); err != nil {
		return err
	}
	if lockErr == unix.EWOULDBLOCK {
		return ErrLocked
	}
	return nil
}
