package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// beginSync has the pages of a file that are not on the disk sent there. What fails then the
// sync tells.
func beginSync(f *os.File) {
	_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
}
