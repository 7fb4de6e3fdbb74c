package npy

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/numcache/numcache/array"
)

// HashFile returns the digest of the array in the .npy file at path, and the
// header: the digest that the array of [ReadFile] has. A file in C order is read
// chunk by chunk, on all cores where it is large, and never whole in memory; one
// in Fortran order of two or more dimensions is read first. It fails as ReadFile
// does, and where ctx ends.
func HashFile(ctx context.Context, path string) (array.Digest, Header, error) {
	digest, h, err := hashFile(ctx, path)
	return digest, h, onFile("hash", path, err)
}

func hashFile(ctx context.Context, path string) (array.Digest, Header, error) {
	f, h, held, err := openFile(path)
	if err != nil {
		return array.Digest{}, h, err
	}
	defer f.Close()
	var src array.Source
	if held == unknown || h.Fortran && len(h.Shape) > 1 {
		src, err = readData(f, h, held)
	} else {
		src, err = newFileSource(f, h, held)
	}
	if err != nil {
		return array.Digest{}, h, err
	}
	digest, err := array.Hash(ctx, src)
	return digest, h, err
}

// fileSource shows the elements of a file in C order without reading them before
// they are asked for.
type fileSource struct {
	file  *os.File
	h     Header
	start int64
	size  int64
}

// newFileSource takes the file at its first element.
func newFileSource(f *os.File, h Header, held int64) (*fileSource, error) {
	size, err := h.DataSize()
	if err != nil {
		return nil, err
	}
	if held < size {
		return nil, truncated(h, held, size)
	}
	start, err := f.Seek(0, io.SeekCurrent)
	return &fileSource{f, h, start, size}, err
}

func (s *fileSource) DType() array.DType { return s.h.DType }
func (s *fileSource) Shape() []int       { return slices.Clone(s.h.Shape) }

// Encode implements array.Source; reads at given offsets may go on at once.
func (s *fileSource) Encode(dst []byte, first int) error {
	offset := int64(first) * int64(s.h.DType.Size())
	n, err := s.file.ReadAt(dst, s.start+offset)
	switch {
	case n < len(dst) && errors.Is(err, io.EOF): // cut since it was opened
		return truncated(s.h, offset+int64(n), s.size)
	case n < len(dst):
		return err
	case s.h.BigEndian:
		array.SwapBytes(dst, s.h.DType)
	case s.h.DType == array.Bool:
		for i, b := range dst {
			dst[i] = min(b, 1) // NumPy takes every other byte than 0 for true
		}
	}
	return nil
}
