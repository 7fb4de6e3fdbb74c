package npy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/numcache/numcache/array"
)

// HashFile returns the digest of the array in the .npy file at path, and the
// header: [File.Hash] of a path. It fails as [ReadFile] does, and where ctx ends;
// the header comes with the error, too, where it could be read.
func HashFile(ctx context.Context, path string) (array.Digest, Header, error) {
	f, err := open(path)
	if err != nil {
		return array.Digest{}, Header{}, onFile("hash", path, err)
	}
	defer f.Close()
	digest, err := f.Hash(ctx)
	return digest, f.h, err
}

// Hash returns the digest of the array, the one that the array of [File.Read] has.
// A file in C order is hashed chunk by chunk, on all cores where it is large, and
// never whole in memory; one in Fortran order of two or more dimensions is read
// first. It fails as Read does, and where ctx ends.
func (f *File) Hash(ctx context.Context) (array.Digest, error) {
	t, err := f.HashTable(ctx)
	if err != nil {
		return array.Digest{}, err
	}
	return t.Digest(), nil
}

// HashTable returns the chunk table of the array, the one that [array.HashTable] makes of
// the array of [File.Read]. It is made, and fails, as Hash.
func (f *File) HashTable(ctx context.Context) (*array.Table, error) {
	t, err := f.hashTable(ctx)
	return t, onFile("hash", f.path, err)
}

func (f *File) hashTable(ctx context.Context) (*array.Table, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	err := f.h.numbers()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if f.held != unknown && f.h.inC() {
		if t, err := f.hashMapped(ctx); !errors.Is(err, errNotMapped) {
			return t, err
		}
		return array.HashTable(ctx, f.source())
	}
	a, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	return array.HashTable(ctx, a)
}

// Source returns the array as one that is read where and when it is asked for, from
// several goroutines too, until the File is closed: for array.HashTable, or a copy of
// what does not fit in memory. It returns [ErrUnsupported] for an array in Fortran
// order with more than one extent above 1, and for a file that does not tell its size;
// use Read.
func (f *File) Source() (array.Source, error) {
	err := f.h.numbers()
	if err == nil && (f.held == unknown || !f.h.inC()) {
		err = fmt.Errorf("%w: it does not lie there in C order, or does not tell its size; use Read", ErrUnsupported)
	}
	if err != nil {
		return nil, onFile("read", f.path, err)
	}
	return f.source(), nil
}

func (f *File) source() fileSource { return fileSource{body{f.file, f.h, f.start, f.size}} }

// fileSource shows the elements of a file in C order without reading them before they
// are asked for.
type fileSource struct{ body }

func (s fileSource) DType() array.DType { return s.Type.DType }
func (s fileSource) Shape() []int       { return slices.Clone(s.Header.Shape) }

// Encode implements array.Source; reads at given offsets may go on at once.
func (s fileSource) Encode(dst []byte, first int) error {
	if err := s.readAt(dst, int64(first)*int64(s.ItemSize)); err != nil {
		return err
	}
	if s.DType() == array.Bool {
		onlyOnes(dst)
	}
	return nil
}

// onlyOnes makes every true of the bools in b 1: NumPy takes every byte but 0 for
// true.
func onlyOnes(b []byte) {
	for i, v := range b {
		b[i] = min(v, 1)
	}
}
