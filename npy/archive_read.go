package npy

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// smallMember is up to what size a member is read at once, before it is looked at.
const smallMember = 1 << 16

// Open returns the bytes of a member, inflated, as a stream: of an array its .npy
// file. At its end, and only there, it is known whether they are those that were
// written: damage is [ErrFormat] instead of io.EOF. The caller must Close it,
// before the archive.
//
// An unknown name is [ErrMissing]. An encrypted member, or one that is neither
// stored nor deflated, is [ErrUnsupported]; one that is too large once inflated,
// [ErrTooLarge].
func (a *Archive) Open(name string) (io.ReadCloser, error) {
	m, err := a.find(name)
	if err != nil {
		return nil, a.fail("read", name, err)
	}
	r, err := a.open(m)
	if err != nil {
		return nil, a.fail("read", name, err)
	}
	return &openMember{r, a, name}, nil
}

// openMember names the archive and the member in the errors of a memberReader.
type openMember struct {
	*memberReader
	a    *Archive
	name string
}

func (m *openMember) Read(p []byte) (int, error) {
	n, err := m.memberReader.Read(p)
	if err != nil && err != io.EOF {
		err = m.a.fail("read", m.name, err)
	}
	return n, err
}

// Header returns the header of a member's .npy file. Errors are those of
// [ReadHeader] and [Archive.Open]. The checksum is not looked at.
func (a *Archive) Header(name string) (Header, error) {
	h, err := a.header(name)
	return h, a.fail("read", name, err)
}

func (a *Archive) header(name string) (Header, error) {
	m, err := a.find(name)
	if err != nil {
		return Header{}, err
	}
	r, err := a.open(m)
	if err != nil {
		return Header{}, err
	}
	defer r.Close()
	h, _, err := ReadHeader(r)
	return h, damaged(err)
}

// Read reads the array of a member, as [ReadFile] does from a file. A stored one
// is read straight into the array's memory. Errors are those of ReadFile and
// [Archive.Open]; among them, where the file was damaged, is a wrong checksum.
func (a *Archive) Read(name string) (array.Any, error) {
	x, err := a.read(name)
	return x, a.fail("read", name, err)
}

func (a *Archive) read(name string) (array.Any, error) {
	v, err := a.value(name)
	if err != nil {
		return nil, err
	}
	x, ok := v.(array.Any)
	if !ok {
		return nil, fmt.Errorf("%w: it holds strings; Strings reads them", array.ErrDType)
	}
	return x, nil
}

// Strings reads a member of strings. One of numbers is [array.ErrDType]; other
// errors are those of [Archive.Read].
func (a *Archive) Strings(name string) (*Strings, error) {
	v, err := a.value(name)
	if err != nil {
		return nil, a.fail("read", name, err)
	}
	s, ok := v.(*Strings)
	if !ok {
		return nil, a.fail("read", name, fmt.Errorf("%w: it holds %s, not strings", array.ErrDType, v.(array.Any).DType()))
	}
	return s, nil
}

// Dense reads a 2-d float64 member as a gonum matrix, which the caller owns.
func (a *Archive) Dense(name string) (*mat.Dense, error) {
	x, err := a.read(name)
	if err != nil {
		return nil, a.fail("read", name, err)
	}
	m, err := x.Dense()
	return m, a.fail("read", name, err)
}

// VecDense reads a 1-d float64 member as a gonum vector, which the caller owns.
func (a *Archive) VecDense(name string) (*mat.VecDense, error) {
	x, err := a.read(name)
	if err != nil {
		return nil, a.fail("read", name, err)
	}
	v, err := x.VecDense()
	return v, a.fail("read", name, err)
}

// value reads a member as the array.Any or the *Strings that it holds.
func (a *Archive) value(name string) (any, error) {
	m, err := a.find(name)
	if err != nil {
		return nil, err
	}
	r, err := a.open(m)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if m.size <= smallMember {
		b := make([]byte, m.size)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, damaged(err)
		}
		if err := r.finish(); err != nil {
			return nil, err
		}
		small := bytes.NewReader(b)
		h, size, err := ReadHeader(small)
		if err != nil {
			return nil, damaged(err)
		}
		return readValue(small, h, m.size-size)
	}
	h, size, err := ReadHeader(r)
	if err != nil {
		return nil, damaged(err)
	}
	if m.method == zip.Store && asInFile(h) {
		return a.readDirect(r, h, size)
	}
	if x, ok := a.readBlocks(m, h, size); ok {
		return x, nil
	}
	v, err := readValue(r, h, m.held(size))
	if err == nil {
		err = r.finish()
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// damaged keeps an empty member from passing for the end of the caller's stream.
func damaged(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it is empty", ErrFormat)
	}
	return err
}

// readValue reads what h describes from r. held is how many bytes r is known to
// hold, or unknown.
func readValue(r io.Reader, h Header, held int64) (any, error) {
	switch h.Kind {
	case Numeric:
		a, err := readData(r, h, held)
		return orNil(a, err)
	case Bytes, Text:
		s, err := readStrings(r, h, held)
		return orNil(s, err)
	}
	return nil, h.numbers()
}

// orNil keeps nothing beside an error.
func orNil[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// asInFile reports whether an array has the bytes in memory that it has in the
// file, of which the checksum is.
func asInFile(h Header) bool {
	return h.Kind == Numeric && h.DType != array.Bool && !h.BigEndian && h.inC()
}

// readDirect reads the elements of a stored member as those of a file are read,
// from where they lie, and takes the checksum from the array. r has just read the
// header, of size bytes.
func (a *Archive) readDirect(r *memberReader, h Header, size int64) (any, error) {
	m := r.m
	v, err := readData(io.NewSectionReader(a.r, m.offset+size, m.size-size), h, m.size-size)
	if err != nil {
		return nil, err
	}
	for chunk, err := range array.Chunks(v) {
		if err != nil {
			return nil, err
		}
		r.crc = crc32.Update(r.crc, crc32.IEEETable, chunk)
		r.read += int64(len(chunk))
	}
	r.r = io.NewSectionReader(a.r, m.offset+r.read, m.size-r.read) // behind the elements
	if err := r.finish(); err != nil {
		return nil, err
	}
	return v, nil
}

// Hash returns the digest of a member's array and its header, as [HashFile] does:
// read chunk by chunk where it is in C order. Where ctx ends, it fails with its
// error.
func (a *Archive) Hash(ctx context.Context, name string) (array.Digest, Header, error) {
	digest, h, err := a.hash(ctx, name)
	return digest, h, a.fail("hash", name, err)
}

func (a *Archive) hash(ctx context.Context, name string) (array.Digest, Header, error) {
	if ctx == nil {
		return array.Digest{}, Header{}, errNoContext
	}
	m, err := a.find(name)
	if err != nil {
		return array.Digest{}, Header{}, err
	}
	timed := *a
	timed.r = until{ctx, io.NewSectionReader(a.r, 0, math.MaxInt64)}
	r, err := timed.open(m)
	if err != nil {
		return array.Digest{}, Header{}, err
	}
	defer r.Close()
	h, size, err := ReadHeader(r)
	if err == nil {
		err = h.numbers()
	}
	switch {
	case err != nil:
		return array.Digest{}, h, damaged(err)
	case !h.inC():
		v, err := timed.read(name)
		if err != nil {
			return array.Digest{}, h, err
		}
		digest, err := array.Hash(ctx, v)
		return digest, h, err
	}
	digest, err := hashStream(ctx, r, h, m.size-size)
	if err == nil {
		err = r.finish()
	}
	if err != nil {
		return array.Digest{}, h, err
	}
	return digest, h, nil
}

// hashStream returns the digest of the elements that come from r.
func hashStream(ctx context.Context, r io.Reader, h Header, held int64) (array.Digest, error) {
	size, err := h.DataSize()
	if err != nil {
		return array.Digest{}, err
	}
	if held < size {
		return array.Digest{}, truncated(h, held, size)
	}
	table, err := array.NewTable(h.DType, h.Shape...)
	if err != nil {
		return array.Digest{}, err
	}
	buffer := make([]byte, min(size, array.ChunkSize))
	for i := range table.Len() {
		if err := ctx.Err(); err != nil {
			return array.Digest{}, err
		}
		offset, length := table.Chunk(i)
		chunk := buffer[:length]
		if n, err := io.ReadFull(r, chunk); err != nil {
			return array.Digest{}, short(err, h, int64(offset)+int64(n), size)
		}
		if h.BigEndian {
			array.SwapBytes(chunk, h.DType)
		} else if h.DType == array.Bool {
			onlyOnes(chunk)
		}
		if err := table.Set(i, chunk); err != nil {
			return array.Digest{}, err
		}
	}
	return table.Digest(), nil
}
