package store

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// readDir lists a folder that is opened once, with one openat2(2), and asks for what is
// known of each file relative to it. It follows no symbolic link: a path with one, and one
// that leads to no folder, is [ErrForeign].
func (r beneathReader) readDir(name string) ([]fs.DirEntry, error) {
	fd, err := r.openat2(name, unix.O_RDONLY|folderFlags)
	switch {
	case err == unix.EAGAIN: // a rename raced with resolving the path
		return r.fallback.readDir(name)
	case err == unix.ELOOP || err == unix.EXDEV || err == unix.ENOTDIR:
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrForeign}
	case err != nil:
		return nil, &fs.PathError{Op: "openat2", Path: name, Err: err}
	}
	entries, err := readOpened(fd)
	if err != nil {
		err = &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	if closeErr := unix.Close(fd); err == nil && closeErr != nil {
		err = &fs.PathError{Op: "close", Path: name, Err: closeErr}
	}
	return entries, err
}

// direntBuffers are what getdents64(2) writes to, which takes a small folder whole.
var direntBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// readOpened lists an open folder. A file that goes meanwhile is left out.
func readOpened(fd int) (entries []fs.DirEntry, err error) {
	buffer := direntBuffers.Get().(*[32 << 10]byte)
	defer direntBuffers.Put(buffer)
	var names []string
	for {
		n, err := unix.ReadDirent(fd, buffer[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			break
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names)
	}
	infos := make([]direntInfo, 0, len(names))
	entries = make([]fs.DirEntry, 0, len(names))
	for _, name := range names {
		var stat unix.Stat_t
		err := unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		for err == unix.EINTR {
			err = unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		}
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			return entries, err
		}
		infos = append(infos, direntInfo{name, modeOf(stat.Mode), stat.Size, time.Unix(stat.Mtim.Unix())})
		entries = append(entries, &infos[len(infos)-1])
	}
	return entries, nil
}

// modeOf is what kind of file it is, and its permissions.
func modeOf(mode uint32) fs.FileMode {
	kind := fs.ModeIrregular
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		kind = 0
	case unix.S_IFDIR:
		kind = fs.ModeDir
	case unix.S_IFLNK:
		kind = fs.ModeSymlink
	case unix.S_IFIFO:
		kind = fs.ModeNamedPipe
	case unix.S_IFSOCK:
		kind = fs.ModeSocket
	case unix.S_IFBLK:
		kind = fs.ModeDevice
	case unix.S_IFCHR:
		kind = fs.ModeDevice | fs.ModeCharDevice
	}
	return kind | fs.FileMode(mode)&fs.ModePerm
}

// direntInfo is an entry of a folder, and what was known of it when that was listed.
type direntInfo struct {
	name     string
	mode     fs.FileMode
	size     int64
	modified time.Time
}

func (i *direntInfo) Name() string               { return i.name }
func (i *direntInfo) Size() int64                { return i.size }
func (i *direntInfo) Mode() fs.FileMode          { return i.mode }
func (i *direntInfo) Type() fs.FileMode          { return i.mode.Type() }
func (i *direntInfo) ModTime() time.Time         { return i.modified }
func (i *direntInfo) IsDir() bool                { return i.mode.IsDir() }
func (i *direntInfo) Sys() any                   { return nil }
func (i *direntInfo) Info() (fs.FileInfo, error) { return i, nil }
