package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// beneathReader opens a blob with one openat2(2), which resolves the whole path
// beneath the folder and refuses symbolic links: os.Root would open every folder
// on the way.
type beneathReader struct {
	folder   *os.File
	fallback rootReader
}

// newReader returns a beneathReader where the kernel has openat2 (5.6) and no
// sandbox forbids it.
func newReader(root *os.Root) (reader, error) {
	folder, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	r := beneathReader{folder, rootReader{root}}
	fd, err := r.openat2(".", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return r.fallback, folder.Close()
	}
	return r, unix.Close(fd)
}

func (r beneathReader) close() error { return r.folder.Close() }

func (r beneathReader) openat2(name string, flags uint64) (int, error) {
	how := unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		fd, err := unix.Openat2(int(r.folder.Fd()), name, &how)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func (r beneathReader) open(name string) (Blob, error) {
	fd, err := r.openat2(name, unix.O_RDONLY|openFlags)
	switch {
	case err == unix.EAGAIN: // a rename raced with resolving the path
		return r.fallback.open(name)
	case err == unix.ELOOP || err == unix.EXDEV || err == unix.ENXIO:
		// a symbolic link, a way out of the folder, or a socket
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrForeign}
	case err != nil:
		return nil, &fs.PathError{Op: "openat2", Path: name, Err: err}
	}
	stat, err := statRegular(fd)
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "fstat", Path: name, Err: err}, unix.Close(fd))
	}
	return &fdBlob{fd, stat.Size, time.Unix(stat.Mtim.Unix())}, nil
}

// statRegular returns what is known of an open file, [ErrForeign] where it is no
// regular one.
func statRegular(fd int) (stat unix.Stat_t, err error) {
	for {
		if err = unix.Fstat(fd, &stat); err != unix.EINTR {
			break
		}
	}
	if err == nil && stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = ErrForeign
	}
	return stat, err
}

// fdBlob is a bare file descriptor: an os.File would ask the poller first,
// which has no use for regular files.
type fdBlob struct {
	fd       int
	size     int64
	modified time.Time
}

func (b *fdBlob) Size() int64 { return b.size }

func (b *fdBlob) Modified() time.Time { return b.modified }

func (b *fdBlob) Close() error { return unix.Close(b.fd) }

// File implements [Filer].
func (b *fdBlob) File(name string) *os.File { return os.NewFile(uintptr(b.fd), name) }

func (b *fdBlob) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		k, err := unix.Pread(b.fd, p[n:], offset+int64(n))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case k == 0:
			return n, io.EOF
		default:
			n += k
		}
	}
	return n, nil
}
