package store

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// identity asks statx(2) for the number and the time of birth of a folder, which ext4, XFS,
// Btrfs and others keep.
func (r beneathReader) identity(name string) (id Identity, err error) {
	fd, err := r.openat2(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err != nil {
		return id, &fs.PathError{Op: "openat2", Path: name, Err: err}
	}
	defer unix.Close(fd)
	const wanted = unix.STATX_INO | unix.STATX_BTIME | unix.STATX_CTIME
	var stat unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, wanted, &stat); err != nil {
		return id, &fs.PathError{Op: "statx", Path: name, Err: err}
	}
	if stat.Mask&wanted != wanted {
		return id, &fs.PathError{Op: "statx", Path: name, Err: errors.ErrUnsupported}
	}
	at := func(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }
	return Identity{unix.Mkdev(stat.Dev_major, stat.Dev_minor), stat.Ino, at(stat.Btime), at(stat.Ctime)}, nil
}
