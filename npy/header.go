package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// Header is what a .npy file says of its array before the elements.
type Header struct {
	Type          // of one element
	Fortran bool  // the first index varies fastest
	Shape   []int // extents, outermost first; empty for a 0-d array
}

const (
	magic = "\x93NUMPY"
	// maxHeader is the length beyond which np.load refuses a header that it
	// was not told to trust.
	maxHeader = 10000
)

// DataSize returns the bytes of the elements. A shape that [array.Elements]
// refuses is [array.ErrShape].
func (h Header) DataSize() (int64, error) {
	n, err := array.Elements(h.Shape, h.ItemSize)
	return int64(n) * int64(h.ItemSize), err
}

// ReadHeader reads the header of a .npy stream, version 1.0, 2.0 or 3.0, and
// leaves r at the first element. size is the bytes that were read, which is where
// the elements begin. What the package comment lists as refused is [ErrFormat] or
// [ErrUnsupported]; a stream that ends before its first byte is io.EOF too. An
// error of r is returned as it is.
func ReadHeader(r io.Reader) (h Header, size int64, err error) {
	var fixed [12]byte
	if _, err := io.ReadFull(r, fixed[:1]); err == io.EOF {
		return Header{}, 0, fmt.Errorf("%w: it is empty: %w", ErrFormat, err)
	} else if err != nil {
		return Header{}, 0, err
	}
	if err := readFull(r, fixed[1:8]); err != nil {
		return Header{}, 0, err
	}
	if string(fixed[:6]) != magic {
		return Header{}, 0, fmt.Errorf("%w: it begins with %q, not %q", ErrFormat, fixed[:6], magic)
	}
	major, minor := fixed[6], fixed[7]
	if minor != 0 || major < 1 || major > 3 {
		return Header{}, 0, fmt.Errorf("%w: format version %d.%d; 1.0, 2.0 and 3.0 are known", ErrFormat, major, minor)
	}
	frame := 8 + lengthBytes(major)
	if err := readFull(r, fixed[8:frame]); err != nil {
		return Header{}, 0, err
	}
	length := binary.LittleEndian.Uint32(fixed[8:])
	limit := uint32(maxHeader)
	if major == 3 {
		limit *= utf8.UTFMax // NumPy counts characters
	}
	if length > limit {
		return Header{}, 0, fmt.Errorf("%w: its header has %d bytes, more than %d", ErrFormat, length, limit)
	}
	b := make([]byte, length)
	if err := readFull(r, b); err != nil {
		return Header{}, 0, err
	}
	text := ""
	switch {
	case major < 3:
		text = fromLatin1(b)
	case !utf8.Valid(b):
		return Header{}, 0, fmt.Errorf("%w: its header is not UTF-8", ErrFormat)
	case utf8.RuneCount(b) > maxHeader:
		return Header{}, 0, fmt.Errorf("%w: its header has %d characters, more than %d", ErrFormat, utf8.RuneCount(b), maxHeader)
	default:
		text = string(b)
	}
	if h, err = parseHeader(text, major < 3); err != nil {
		return Header{}, 0, err
	}
	return h, int64(frame) + int64(length), nil
}

// readFull fills b, a part of a header.
func readFull(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends within its header", ErrFormat)
	}
	return err
}

// lengthBytes is the size of the length of a header.
func lengthBytes(version byte) int {
	if version == 1 {
		return 2
	}
	return 4
}

// fromLatin1 decodes Latin-1.
func fromLatin1(text []byte) string {
	if !slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return string(text)
	}
	var b strings.Builder
	for _, c := range text {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// parseHeader reads the dictionary of a header, in which integers may be long.
func parseHeader(text string, long bool) (Header, error) {
	var h Header
	dict, err := parseDict(text, long)
	if err != nil {
		return h, fmt.Errorf("%w: header %.200q: %w", ErrFormat, text, err)
	}
	bad := func(format string, args ...any) (Header, error) {
		return h, fmt.Errorf("%w: header %.200q: %s", ErrFormat, text, fmt.Sprintf(format, args...))
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if _, ok := dict[key]; !ok {
			return bad("%s is missing", key)
		}
	}
	if len(dict) != 3 {
		return bad("it has other keys than descr, fortran_order and shape")
	}
	var ok bool
	if h.Fortran, ok = dict["fortran_order"].(bool); !ok {
		return bad("fortran_order is not True or False")
	}
	extents, ok := dict["shape"].(pyTuple)
	if !ok {
		return bad("shape is not a tuple")
	}
	h.Shape = make([]int, 0, len(extents))
	for _, e := range extents {
		extent, ok := e.(int64)
		if b, isBool := e.(bool); isBool { // which is an int in Python
			ok = true
			if b {
				extent = 1
			}
		}
		if !ok || extent > math.MaxInt || extent < math.MinInt {
			return bad("shape is not a tuple of integers that fit this machine")
		}
		h.Shape = append(h.Shape, int(extent))
	}
	t, within, err := parseDescr(dict["descr"])
	switch {
	case errors.Is(err, ErrUnsupported):
		return h, err
	case err != nil:
		return bad("%v", err)
	case len(within) > 0:
		return h, fmt.Errorf("%w: each element is an array %s of %.100s, which np.load cannot read either", ErrUnsupported, array.FormatShape(within), t.Descr())
	}
	h.Type = t
	if _, err := h.DataSize(); err != nil {
		return h, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return h, nil
}

// numbers refuses elements that are no numbers, and says who reads them.
func (h Header) numbers() error {
	var instead string
	switch h.Kind {
	case Numeric:
		return nil
	case Bytes, Text:
		instead = "ReadStrings reads them"
	case Struct:
		instead = "ReadField reads one of their fields"
	default:
		instead = "only their header is read"
	}
	return fmt.Errorf("%w: elements of type %.200s are no numbers; %s", ErrUnsupported, h.Descr(), instead)
}
