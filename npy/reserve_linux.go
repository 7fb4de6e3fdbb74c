package npy

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// reserve has the file system set blocks aside for size bytes from where f
// stands on, as np.save does: a full disk shows before anything is written, and
// ext4 does not wait for the disk when a file that replaces another is closed. The
// size of f stays what it is. Where it cannot be done nothing is lost.
func reserve(f *os.File, size int64) error {
	const keepSize = 1 // FALLOC_FL_KEEP_SIZE
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil // a pipe, whose write will say what is wrong with it
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Fallocate(int(fd), keepSize, at, size) }); err != nil {
		return nil
	}
	if errors.Is(failed, syscall.ENOSPC) || errors.Is(failed, syscall.EDQUOT) {
		return &os.PathError{Op: "fallocate", Path: f.Name(), Err: failed}
	}
	return nil
}
