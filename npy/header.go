package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

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
	// alignment is where NumPy lets the elements begin, so that a mapped file
	// suits vector instructions.
	alignment = 64
	// growthDigits is the room NumPy reserves for the extent that grows when
	// rows are appended in place: the digits of 8·2⁶⁴.
	growthDigits = 21
)

// DataSize returns the bytes of the elements. A shape that [array.Elements]
// refuses is [array.ErrShape].
func (h Header) DataSize() (int64, error) {
	n, err := array.Elements(h.Shape, h.ItemSize)
	return int64(n) * int64(h.ItemSize), err
}

// AppendHeader appends to dst the header that np.save writes for a C-ordered,
// little-endian array of the given type and shape, and returns the result. The
// elements follow it at a multiple of 64 bytes. It does not check what it is given:
// d must be valid and shape one that [array.Elements] takes, else nobody can read
// what it writes.
func AppendHeader(dst []byte, d array.DType, shape []int) []byte {
	text := make([]byte, 0, 2*alignment)
	text = append(text, "{'descr': '"...)
	text = append(text, d.Descr()...)
	text = append(text, "', 'fortran_order': False, 'shape': "...)
	text = append(text, array.FormatShape(shape)...)
	text = append(text, ", }"...)
	if len(shape) > 0 {
		text = appendSpaces(text, growthDigits-len(strconv.Itoa(shape[0])))
	}
	const prefix = len(magic) + 2 + 2 // version, length
	text = appendSpaces(text, alignment-(prefix+len(text)+1)%alignment)
	text = append(text, '\n')
	// The 64 extents that an array has at most fit version 1.0's length of 16
	// bits, and so need no version 2.0.
	dst = append(dst, magic...)
	dst = append(dst, 1, 0)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(text)))
	return append(dst, text...)
}

func appendSpaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
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
	lengthBytes := 4
	switch {
	case minor != 0 || major < 1 || major > 3:
		return Header{}, 0, fmt.Errorf("%w: format version %d.%d; 1.0, 2.0 and 3.0 are known", ErrFormat, major, minor)
	case major == 1:
		lengthBytes = 2
	}
	if err := readFull(r, fixed[8:8+lengthBytes]); err != nil {
		return Header{}, 0, err
	}
	length := binary.LittleEndian.Uint32(fixed[8:])
	if length > maxHeader {
		return Header{}, 0, fmt.Errorf("%w: its header has %d bytes, more than %d", ErrFormat, length, maxHeader)
	}
	text := make([]byte, length)
	if err := readFull(r, text); err != nil {
		return Header{}, 0, err
	}
	if h, err = parseHeader(string(text), major); err != nil {
		return Header{}, 0, err
	}
	return h, int64(8 + lengthBytes + len(text)), nil
}

// readFull fills b, a part of a header.
func readFull(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends within its header", ErrFormat)
	}
	return err
}

// parseHeader reads the dictionary of a header of the given format version.
func parseHeader(text string, version byte) (Header, error) {
	var h Header
	dict, err := parseDict(text, version)
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
		if !ok || extent > math.MaxInt {
			return bad("shape is not a tuple of integers that fit this machine")
		}
		h.Shape = append(h.Shape, int(extent))
	}
	switch descr := dict["descr"].(type) {
	case string:
		d, bigEndian, err := array.ParseDType(descr)
		if err != nil {
			return h, unsupported(descr)
		}
		h.Type = numeric(d, bigEndian)
	case pyTuple, pyList:
		return h, fmt.Errorf("%w: structured element type %.200q", ErrUnsupported, fmt.Sprint(descr))
	default:
		return bad("descr is not a type")
	}
	if _, err := h.DataSize(); err != nil {
		return h, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return h, nil
}

func unsupported(descr string) error {
	if strings.HasPrefix(strings.TrimLeft(descr, "<>=|"), "O") {
		return fmt.Errorf("%w: element type %.200q is Python objects, which are pickled, and unpickling runs code; save a numeric array instead", ErrUnsupported, descr)
	}
	return fmt.Errorf("%w: element type %.200q; bool, integers, float32/64 and complex64/128 are read", ErrUnsupported, descr)
}
