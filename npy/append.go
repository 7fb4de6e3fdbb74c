package npy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/numcache/numcache/array"
)

// Appender adds rows to a .npy file in place. [Create] makes one of a new file,
// [OpenAppend] of an old one.
//
// Append writes the elements behind the last row, and only then the new number of
// rows into the header, over the spaces that NumPy leaves there. So at any time
// whoever opens the file, with np.load too, reads a whole array, of the old or of
// the new rows; and so does whoever comes after a process that was killed, also
// between the two writes. Elements that no header counts are ignored, and the next
// Append overwrites them. Only who reads the header in the very moment in which it
// is written, on a file system that lets the two overlap, as ext4 does, may see
// digits of both numbers: fewer rows, or a file that is [ErrFormat].
//
// A power cut is another matter: the disk gets both writes in any order. Sync waits
// until they are there, and so does Close. Rows that were appended since may be
// lost, and where the header reached the disk but not they, the file is [ErrFormat]
// until OpenAppend has set its header right.
//
// Several goroutines may use an Appender at once: rows of one Append stay together.
// Errors of its methods are [*Error].
type Appender struct {
	mu    sync.Mutex
	file  *os.File
	w     io.WriterAt // the file
	path  string
	h     Header
	start int64 // of the elements
	text  int   // bytes of the header's dictionary, which end at start
	row   int64 // bytes of a row
}

// Create makes a .npy file of no rows at path: an array of the shape (0, row…),
// little-endian and in C order. Without row the array is 1-d. After any number of
// rows the file is, byte for byte, the one that np.save would write of all of them.
//
// A file that is there already is [fs.ErrExist] and stays as it is. An invalid d is
// [array.ErrDType], a row that no array can have [array.ErrShape].
func Create(path string, d array.DType, row ...int) (*Appender, error) {
	a, err := create(path, d, row)
	return a, onFile("append", path, err)
}

func create(path string, d array.DType, row []int) (_ *Appender, err error) {
	if !d.Valid() {
		return nil, fmt.Errorf("%w: %v", array.ErrDType, d)
	}
	shape := append([]int{0}, row...)
	if _, err := array.Elements(shape, d.Size()); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w; OpenAppend opens it", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(path)
		}
	}()
	if err := lock(file); err != nil {
		return nil, err
	}
	if _, err := file.WriteAt(AppendHeader(nil, d, shape), 0); err != nil {
		return nil, err
	}
	return newAppender(file, path)
}

// OpenAppend opens the .npy file at path for more rows. It keeps its format
// version and its byte order. A file whose last rows are missing, which is what a
// power cut can leave, is opened with the rows that are there as a whole, and its
// header set right: ask Rows where to go on.
//
// One Appender at a time has a file: a second one, of any process, is [ErrLocked].
// This holds on linux, darwin and BSD; elsewhere, and on file systems without
// locks, the caller must see to it.
//
// [ErrUnsupported] is a file that cannot grow in place: one of a 0-d array; of
// elements that [array] lacks; in Fortran order with rows of several elements; with
// too little room in its header; or with another array behind its own. Read it and
// write it with [WriteFile], and it can.
func OpenAppend(path string) (*Appender, error) {
	a, err := openAppend(path)
	return a, onFile("append", path, err)
}

func openAppend(path string) (*Appender, error) {
	file, err := openRegular(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		file.Close()
		return nil, err
	}
	a, err := newAppender(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	return a, nil
}

// newAppender reads the header of a file that is open for reading and writing,
// and corrects it where it counts rows that are not there.
func newAppender(file *os.File, path string) (*Appender, error) {
	f, err := newFile(file, path)
	if err != nil {
		return nil, err
	}
	a := &Appender{file: file, w: file, path: path, h: f.h, start: f.start}
	if err := a.check(f); err != nil {
		return nil, err
	}
	if f.held >= f.size {
		return a, nil
	}
	h, text, err := a.withRows(int(f.held / a.row))
	if err != nil {
		return nil, err
	}
	if err := a.writeHeader(h, text); err != nil {
		return nil, err
	}
	return a, nil
}

// check refuses a file that cannot grow, and finds how long its dictionary is.
func (a *Appender) check(f *File) error {
	if err := a.h.numbers(); err != nil {
		return err
	}
	switch {
	case len(a.h.Shape) == 0:
		return fmt.Errorf("%w: a 0-d array has no rows to append to", ErrUnsupported)
	case f.held == unknown:
		return fmt.Errorf("%w: a file that does not tell its size is not appended to", ErrUnsupported)
	}
	// An array without rows has no row to measure.
	elements, err := array.Elements(a.h.Shape[1:], a.h.ItemSize)
	if err != nil {
		return err
	}
	if a.h.Fortran && elements > 1 {
		return fmt.Errorf("%w: in Fortran order a new row belongs between the old elements; read the file and write it with WriteFile, which makes it C order", ErrUnsupported)
	}
	a.row = int64(elements) * int64(a.h.ItemSize)

	var version [1]byte
	if _, err := a.file.ReadAt(version[:], int64(len(magic))); err != nil {
		return err
	}
	a.text = int(a.start) - len(magic) - 2 - lengthBytes(version[0])
	if _, err := a.dictionary(a.h); err != nil {
		return err
	}
	next := make([]byte, len(magic))
	if n, err := a.file.ReadAt(next, a.end()); n < len(next) && err != io.EOF {
		return err
	}
	if string(next) == magic {
		return fmt.Errorf("%w: another array follows in this file, which new rows would overwrite", ErrUnsupported)
	}
	return nil
}

// end returns the offset behind the last row.
func (a *Appender) end() int64 { return a.start + int64(a.h.Shape[0])*a.row }

// dictionary returns the text of a header, with the spaces that keep its length.
func (a *Appender) dictionary(h Header) ([]byte, error) {
	text := h.appendDictionary(nil)
	if len(text) >= a.text {
		return nil, fmt.Errorf("%w: the header has no room for the shape %s; read the file and write it with WriteFile, which leaves room",
			ErrUnsupported, array.FormatShape(h.Shape))
	}
	return append(appendSpaces(text, a.text-1-len(text)), '\n'), nil
}

// Append adds rows to the end of the file: all of them, or after an error none. It
// takes what [array.Of] takes, which must not be written to meanwhile: an array
// of the file's shape but for its first extent, or one dimension less as a single
// row. So a matrix adds its rows to a 2-d file, a vector one row; to a 1-d file, a
// slice or a vector adds its elements. Strided and transposed matrices are gathered
// chunk by chunk.
//
// Another element type than the file's is [array.ErrDType], nothing is converted;
// another shape is [array.ErrShape].
func (a *Appender) Append(v any) error { return onFile("append", a.path, a.append(v)) }

func (a *Appender) append(v any) error {
	src, err := array.Of(v)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	n, err := a.rowsOf(src)
	if err != nil {
		return err
	}
	h, text, err := a.withRows(a.h.Shape[0] + n) // refuses, before anything is written
	if err != nil {
		return err
	}
	if err := a.writeElements(src, int64(n)*a.row); err != nil {
		return err
	}
	return a.writeHeader(h, text)
}

// rowsOf returns how many rows src is.
func (a *Appender) rowsOf(src array.Source) (int, error) {
	if d := src.DType(); d != a.h.DType {
		return 0, fmt.Errorf("%w: %v is to be appended to a file of %v", array.ErrDType, d, a.h.DType)
	}
	shape, row := src.Shape(), a.h.Shape[1:]
	switch {
	case slices.Equal(shape, row):
		return 1, nil
	case len(shape) > 0 && slices.Equal(shape[1:], row):
		if shape[0] >= 0 {
			return shape[0], nil
		}
	}
	return 0, fmt.Errorf("%w: %s is to be appended to %s, whose rows are %s", array.ErrShape,
		array.FormatShape(shape), array.FormatShape(a.h.Shape), array.FormatShape(row))
}

// withRows returns the header of that many rows and its dictionary. A sum of rows
// that has overflown is negative, and refused as such.
func (a *Appender) withRows(rows int) (Header, []byte, error) {
	h := a.h
	h.Shape = slices.Clone(h.Shape)
	h.Shape[0] = rows
	if _, err := h.DataSize(); err != nil {
		return h, nil, err
	}
	text, err := a.dictionary(h)
	return h, text, err
}

// writeElements writes the size bytes of src behind the last row.
func (a *Appender) writeElements(src array.Source, size int64) error {
	at := a.end()
	swap := a.h.BigEndian && a.h.ItemSize > 1
	if whole, ok := src.(array.Any); ok && !swap {
		if b, ok := whole.Bytes(); ok && int64(len(b)) == size {
			_, err := a.w.WriteAt(b, at)
			return err
		}
	}
	var swapped []byte
	for chunk, err := range array.Chunks(src) {
		if err != nil {
			return err
		}
		if swap { // a copy, for the chunk may be the caller's memory
			swapped = append(swapped[:0], chunk...)
			array.SwapBytes(swapped, a.h.DType)
			chunk = swapped
		}
		if _, err := a.w.WriteAt(chunk, at); err != nil {
			return err
		}
		at += int64(len(chunk))
	}
	return nil
}

// writeHeader makes the file one of header h. It is one write of some hundred bytes
// within a page, so that no kill can fall into it.
func (a *Appender) writeHeader(h Header, text []byte) error {
	if _, err := a.w.WriteAt(text, a.start-int64(a.text)); err != nil {
		return err
	}
	a.h = h
	return nil
}

// Rows returns how many rows the file has.
func (a *Appender) Rows() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.h.Shape[0]
}

// Sync waits until all rows are on the disk, where a power cut leaves them.
func (a *Appender) Sync() error { return onFile("append", a.path, a.file.Sync()) }

// Close syncs the file, closes it and lets others append to it. It must be called
// once; a second Close is [os.ErrClosed].
func (a *Appender) Close() error {
	err := a.file.Sync()
	if closeErr := a.file.Close(); err == nil {
		err = closeErr
	}
	return onFile("append", a.path, err)
}
