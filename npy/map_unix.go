//go:build linux || darwin

package npy

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// mapRange maps size bytes of f from offset on, wherever they begin; size is not
// 0. unmap gives them back, and must be called once. A file that does not reach
// that far is ErrFormat: its mapping would be a trap.
func mapRange(f *os.File, offset, size int64, mode MapMode) (b []byte, unmap func() error, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if held := info.Size() - offset; held < size {
		return nil, nil, fmt.Errorf("%w: %d bytes from offset %d on are to be mapped, it holds %d", ErrFormat, size, offset, max(held, 0))
	}
	// A mapping begins at a page.
	lead := offset % int64(os.Getpagesize())
	if size > math.MaxInt-lead {
		return nil, nil, fmt.Errorf("%w: %d bytes are more than this machine can map", ErrUnsupported, size)
	}
	protection, flags := unix.PROT_READ, unix.MAP_SHARED
	if mode == CopyOnWrite {
		// Only pages that are written take memory, so none is set aside for all.
		protection, flags = unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_NORESERVE
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var pages []byte
	var mapErr error
	if err := conn.Control(func(fd uintptr) {
		pages, mapErr = unix.Mmap(int(fd), offset-lead, int(lead+size), protection, flags)
	}); err != nil {
		return nil, nil, err
	}
	if mapErr != nil {
		return nil, nil, os.NewSyscallError("mmap", mapErr)
	}
	unmap = func() error { return os.NewSyscallError("munmap", unix.Munmap(pages)) }
	return pages[lead:len(pages):len(pages)], unmap, nil
}
