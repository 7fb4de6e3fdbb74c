package npy

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// MapMode says what may be done with a mapping.
type MapMode uint8

// The modes of a mapping. Neither of them ever writes to the file.
const (
	// ReadOnly is for reading. A write to it kills the process (SIGSEGV).
	ReadOnly MapMode = iota
	// CopyOnWrite is a private copy: what is written to it stays in this
	// mapping, and takes memory page by page.
	CopyOnWrite
)

// Mapping is an array whose memory is a part of a file. Nothing is read until it
// is touched, and the operating system drops what it needs the memory for.
// [MapFile] and [File.Map] make one.
//
// Several goroutines may read it, as any array. Before Close nothing frees it, and
// after Close nothing may touch it: neither the array nor a slice or matrix made of
// it, for such an access kills the process (SIGSEGV).
type Mapping struct {
	path  string
	array array.Any
	unmap func() error // once
}

// MapFile maps the array of the .npy file at path, as [File.Map] does.
func MapFile(path string, mode MapMode) (*Mapping, error) {
	f, err := open(path)
	if err != nil {
		return nil, onFile("map", path, err)
	}
	defer f.Close()
	return f.Map(mode)
}

// Map returns the array as it lies in the file. It costs the same for every size,
// but for bools, each of which is looked at: it must be 0 or 1. The mapping outlives
// the File, and must be closed.
//
// The file must neither be changed nor cut while it is mapped: a change shows, also
// where a digest was checked before; the rest of the page in which the file now ends
// reads as zeros, and a page that is no longer there kills the process that touches it
// (SIGBUS, "unexpected fault address"), unless the goroutine that does has called
// [runtime/debug.SetPanicOnFault] and recovers. Files that are removed or replaced, as
// [WriteFile] does, and files that grow, as by an [Appender], are safe.
//
// [ErrUnsupported] is whatever cannot be an array where it lies, and that
// [File.Read] reads: data in big-endian order, or in Fortran order with more than
// one extent above 1; elements that do not begin at a multiple of their alignment,
// which are in no file of np.save; bools other than 0 and 1; and anything but an
// empty array on systems other than linux and darwin, on big-endian machines and
// with the build tag purego. A file that was cut since it was opened is [ErrFormat].
func (f *File) Map(mode MapMode) (*Mapping, error) {
	a, unmap, err := f.mapArray(mode)
	if err != nil {
		return nil, onFile("map", f.path, err)
	}
	return &Mapping{f.path, a, sync.OnceValue(unmap)}, nil
}

func (f *File) mapArray(mode MapMode) (a array.Any, unmap func() error, err error) {
	if err := f.h.numbers(); err != nil {
		return nil, nil, err
	}
	switch {
	case mode > CopyOnWrite:
		return nil, nil, fmt.Errorf("%w: mode %d; ReadOnly and CopyOnWrite are known", ErrUnsupported, mode)
	case !f.h.inC():
		return nil, nil, fmt.Errorf("%w: an array in Fortran order cannot be mapped; use Read", ErrUnsupported)
	case f.h.BigEndian && f.h.ItemSize > 1:
		return nil, nil, fmt.Errorf("%w: big-endian elements cannot be mapped; use Read", ErrUnsupported)
	case f.size == 0: // which mmap refuses
		a, err := array.Make(f.h.DType, f.h.Shape...)
		return a, func() error { return nil }, err
	case f.held == unknown:
		return nil, nil, fmt.Errorf("%w: a file that does not tell its size cannot be mapped; use Read", ErrUnsupported)
	}
	file, ok := f.file.(*os.File)
	if !ok { // of NewFile
		a, err := f.Read()
		return a, func() error { return nil }, err
	}
	b, unmap, err := mapRange(file, f.start, f.size, mode)
	if err != nil {
		return nil, nil, err
	}
	a, err = array.FromBytes(f.h.DType, b, f.h.Shape...)
	if err != nil {
		unmap()
		if errors.Is(err, array.ErrNotShared) {
			err = fmt.Errorf("%w: %w; use Read", ErrUnsupported, err)
		}
		return nil, nil, err
	}
	return a, unmap, nil
}

// Array returns the array, whose memory is the mapping's.
func (m *Mapping) Array() array.Any { return m.array }

// Dense returns a 2-d float64 array as a gonum matrix over the mapping's memory.
// Errors are those of [File.ReadRowsDense].
func (m *Mapping) Dense() (*mat.Dense, error) {
	d, err := m.array.Dense()
	return d, onFile("map", m.path, err)
}

// VecDense returns a 1-d float64 array as a gonum vector over the mapping's memory.
func (m *Mapping) VecDense() (*mat.VecDense, error) {
	v, err := m.array.VecDense()
	return v, onFile("map", m.path, err)
}

// Close gives the memory back. A second Close does nothing and returns what the
// first one did.
func (m *Mapping) Close() error { return onFile("map", m.path, m.unmap()) }
