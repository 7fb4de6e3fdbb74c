package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// Strings is an array of strings of limited length, NumPy's dtypes U (Unicode)
// and S (bytes). NumPy fills shorter ones with NULs, so that none can end with
// one: a string is what stands before the NULs at the end.
type Strings struct {
	Data  []string // the strings in C order; of S any bytes
	Shape []int    // extents, outermost first; empty for a 0-d array
	Width int      // the longest that the file has room for, in code points or bytes
	Bytes bool     // S, not U
}

// maxHollow is how many strings of no characters are read. They take no bytes in a
// file, so that any number of them would have to be believed.
const maxHollow = trusted / 16

// ReadStrings reads the strings of the .npy file at path, of either order of
// elements and bytes, in C order. They belong to the caller. A file of other elements
// is [ErrUnsupported]; a code point that no string can hold, which NumPy accepts
// (surrogates, and beyond U+10FFFF), is [ErrFormat], as is more than what the package
// comment lists. Every error is an [*Error].
func ReadStrings(path string) (*Strings, error) {
	f, err := open(path)
	if err != nil {
		return nil, onFile("read", path, err)
	}
	defer f.Close()
	return f.Strings()
}

// Strings is [ReadStrings] of an open file.
func (f *File) Strings() (*Strings, error) {
	s, err := readStrings(f.section(0, f.size), f.h, f.held)
	return s, onFile("read", f.path, err)
}

// ReadStringsFrom is [ReadStrings] of a stream, which it leaves behind the last
// string. Memory grows with the bytes that arrive. A stream that ends before its
// first byte is io.EOF, too.
func ReadStringsFrom(r io.Reader) (*Strings, error) {
	h, _, err := ReadHeader(r)
	if err != nil {
		return nil, err
	}
	return readStrings(r, h, remaining(r))
}

// readStrings reads the strings that h describes. held is how many bytes r is
// known to hold, or unknown.
func readStrings(r io.Reader, h Header, held int64) (*Strings, error) {
	if h.Kind != Bytes && h.Kind != Text {
		return nil, fmt.Errorf("%w: the elements are %.200s, not strings", ErrUnsupported, h.Descr())
	}
	size, err := h.DataSize()
	if err != nil {
		return nil, err
	}
	n, err := array.Elements(h.Shape, h.ItemSize)
	switch {
	case err != nil:
		return nil, err
	case held != unknown && held < size:
		return nil, truncated(h, held, size)
	case h.ItemSize == 0 && n > maxHollow:
		return nil, fmt.Errorf("%w: %d strings of no characters, more than %d", ErrUnsupported, n, maxHollow)
	}
	s := &Strings{Shape: slices.Clone(h.Shape), Width: h.ItemSize, Bytes: h.Kind == Bytes}
	decode := func(item []byte) (string, error) { return string(bytes.TrimRight(item, "\x00")), nil }
	if !s.Bytes {
		s.Width /= 4
		decode = utf32(h.BigEndian).decode
	}
	if held != unknown || n <= maxHollow {
		s.Data = make([]string, 0, n)
	}
	if h.ItemSize == 0 {
		s.Data = s.Data[:n]
		return s, nil
	}
	err = eachItem(r, h, size, func(item []byte) error {
		text, err := decode(item)
		if err != nil {
			return fmt.Errorf("%w: string %d, counted from 0 as they stand in the file: %w", ErrFormat, len(s.Data), err)
		}
		s.Data = append(s.Data, text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !h.inC() {
		inC := make([]string, n)
		for k, c := range fortranOrder(h.Shape) {
			inC[c] = s.Data[k]
		}
		s.Data = inC
	}
	return s, nil
}

// eachItem visits the elements of r, which has size bytes of them, in the order of
// the file. It reads a block at a time into a buffer that grows as data arrives, so
// that a header of wide elements costs nothing. An item is valid until the next one.
func eachItem(r io.Reader, h Header, size int64, visit func(item []byte) error) error {
	block := int64(max(1, trusted/h.ItemSize) * h.ItemSize)
	var buffer bytes.Buffer
	for offset := int64(0); offset < size; offset += block {
		buffer.Reset()
		n, err := io.CopyN(&buffer, r, min(block, size-offset))
		if err != nil {
			return short(err, h, offset+n, size)
		}
		for item := range slices.Chunk(buffer.Bytes(), h.ItemSize) {
			if err := visit(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// utf32 decodes the elements of U, which have four bytes for each code point.
// It is whether they are big-endian.
type utf32 bool

func (bigEndian utf32) decode(item []byte) (string, error) {
	order := binary.ByteOrder(binary.LittleEndian)
	if bigEndian {
		order = binary.BigEndian
	}
	for len(item) >= 4 && order.Uint32(item[len(item)-4:]) == 0 {
		item = item[:len(item)-4]
	}
	var b strings.Builder
	for ; len(item) >= 4; item = item[4:] {
		c := order.Uint32(item)
		if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
			return "", fmt.Errorf("U+%04X is no character", c)
		}
		b.WriteRune(rune(c))
	}
	return b.String(), nil
}
