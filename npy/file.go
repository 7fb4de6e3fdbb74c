package npy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/numcache/numcache/array"
)

// File is an open .npy file, to read the whole of it or some rows, to hash it or
// to map it. [Open] makes one.
//
// Several goroutines may use a File at once: it reads at offsets and has no
// position. What it says of the array is what the header said when it was opened;
// rows that an [Appender] adds later are seen by whoever opens the file again.
// Errors of its methods are [*Error].
type File struct {
	file   readerAtCloser
	member bool // of an Archive, whose file it is
	path   string
	h      Header
	start  int64 // of the elements
	size   int64 // of the elements, by the header
	held   int64 // bytes behind the header, or unknown
}

// readerAtCloser is what a File reads from: a file of the operating system, which can be
// mapped, or another.
type readerAtCloser interface {
	io.ReaderAt
	io.Closer
}

// Open opens the .npy file at path and reads its header. It refuses what
// [ReadFile] refuses, a file that is shorter than its header says among it, but
// reads none of the elements. The caller must close the File.
func Open(path string) (*File, error) {
	f, err := open(path)
	return f, onFile("open", path, err)
}

// OpenFile is [Open] of a regular file that is open for reading already, and that the
// caller hands over: it is closed with the File, and where OpenFile fails. It is read
// from its beginning, and its name stands in errors.
func OpenFile(file *os.File) (*File, error) {
	err := regular(file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	var f *File
	if err == nil {
		f, err = newWholeFile(file, file.Name())
	}
	if err != nil {
		file.Close()
		return nil, onFile("open", file.Name(), err)
	}
	return f, nil
}

// NewFile is [OpenFile] of size bytes that stand somewhere else than in a file of the
// operating system, such as in an object store; name stands in errors. r is closed with
// the File, and where NewFile fails. Reads of rows read no others. [File.Map] reads the
// elements into memory.
func NewFile(r interface {
	io.ReaderAt
	io.Closer
}, size int64, name string) (*File, error) {
	f, err := newFileOf(r, bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 256), name, func() (int64, error) { return size, nil })
	if err = f.whole(err); err != nil {
		r.Close()
		return nil, onFile("open", name, err)
	}
	return f, nil
}

// Header returns what the file says of its array.
func (f *File) Header() Header {
	h := f.h
	h.Shape = slices.Clone(h.Shape)
	return h
}

// Shape returns the extents, outermost first; empty for a 0-d array. The caller
// may keep it.
func (f *File) Shape() []int { return slices.Clone(f.h.Shape) }

// Rows returns the extent of axis 0, and 0 for a 0-d array, which has no rows but
// one element.
func (f *File) Rows() int {
	if len(f.h.Shape) == 0 {
		return 0
	}
	return f.h.Shape[0]
}

// Read reads the whole array, which belongs to the caller: [ReadFile] of an open
// file. A file that was cut since it was opened is [ErrFormat].
func (f *File) Read() (array.Any, error) {
	a, err := f.read(context.Background())
	return a, onFile("read", f.path, err)
}

func (f *File) read(ctx context.Context) (array.Any, error) {
	return readData(until{ctx, f.section(0, f.size)}, f.h, f.held)
}

// section returns the n bytes of the elements from offset on.
func (f *File) section(offset, n int64) *io.SectionReader {
	return io.NewSectionReader(f.file, f.start+offset, n)
}

// until is a section that fails where ctx has ended.
type until struct {
	ctx context.Context
	*io.SectionReader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.SectionReader.Read(p)
}

func (u until) ReadAt(p []byte, offset int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.SectionReader.ReadAt(p, offset)
}

// Close closes the file. Arrays that were read from it stay, and so do its
// mappings. A second Close is [os.ErrClosed].
func (f *File) Close() error {
	if f.member {
		return nil
	}
	return onFile("close", f.path, f.file.Close())
}

// open opens the file at path and sees to it that all the elements are there.
func open(path string) (*File, error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	f, err := newWholeFile(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

// newWholeFile is newFile of one that must hold all the elements.
func newWholeFile(file *os.File, path string) (*File, error) {
	f, err := newFile(file, path)
	return f, f.whole(err)
}

// whole returns err, or that f, which was opened without one, has not all the elements.
func (f *File) whole(err error) error {
	if err == nil && f.held != unknown && f.held < f.size {
		err = truncated(f.h, f.held, f.size)
	}
	return err
}

// newFile reads the header of file, which was just opened at path.
func newFile(file *os.File, path string) (*File, error) {
	// The buffer holds the usual header of 128 bytes, read at once, and not
	// much behind it.
	return newFileOf(file, bufio.NewReaderSize(file, 256), path, func() (int64, error) {
		info, err := file.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	})
}

// newFileOf reads the header of file from beginning, and then asks for the length.
func newFileOf(file readerAtCloser, beginning io.Reader, path string, length func() (int64, error)) (*File, error) {
	h, start, err := ReadHeader(beginning)
	if err != nil {
		return nil, err
	}
	size, err := h.DataSize()
	if err != nil {
		return nil, err
	}
	// Only now, for an Appender may be at work, and its header comes last.
	total, err := length()
	if err != nil {
		return nil, err
	}
	// Files of /proc and its like say that they hold nothing, and yet do.
	held := total - start
	if held < 0 {
		held = unknown
	}
	return &File{file: file, path: path, h: h, start: start, size: size, held: held}, nil
}

// openRegular opens the regular file at path. A FIFO there is refused without
// waiting for who writes to it.
func openRegular(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|nonblock, 0)
	if err != nil {
		return nil, err
	}
	if err := regular(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// regular refuses an open file that is none to read at offsets.
func regular(f *os.File) error {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: it is not a regular file (%s)", ErrFormat, info.Mode().Type())
	}
	return err
}

// inC reports whether the elements lie in C order: those of an array in Fortran
// order do, too, where only one of its extents is more than 1.
func (h Header) inC() bool {
	return !h.Fortran || slices.Contains(h.Shape, 0) || len(longAxes(h.Shape)) < 2
}
