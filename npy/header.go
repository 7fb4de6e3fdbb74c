package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/numcache/numcache/array"
)

// Header is what a .npy file says of its array before the elements. The format
// is NEP 1's: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
type Header struct {
	DType     array.DType
	BigEndian bool  // the elements' bytes are most significant first
	Fortran   bool  // the first index varies fastest
	Shape     []int // extents, outermost first; empty for a 0-d array
}

const (
	magic = "\x93NUMPY"
	// maxHeader is the length beyond which np.load refuses a header that it
	// was not told to trust.
	maxHeader = 10000
	// maxDims is the number of dimensions NumPy allows (64 since NumPy 2).
	maxDims = 64
	// alignment is where NumPy lets the elements begin, so that a mapped file
	// suits vector instructions.
	alignment = 64
	// growthDigits is the room NumPy reserves for the extent that grows when
	// rows are appended in place: the digits of 8·2⁶⁴.
	growthDigits = 21
)

// DataSize returns the bytes of the elements.
func (h Header) DataSize() (int64, error) {
	n, err := array.Elements(h.Shape, h.DType.Size())
	return int64(n) * int64(h.DType.Size()), err
}

// AppendHeader appends to dst the header that np.save writes for a C-ordered,
// little-endian array of the given type and shape, and returns the result. The
// elements follow it at a multiple of 64 bytes.
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
	// 64 extents of 20 digits fit version 1.0's length of 16 bits.
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
// leaves r at the first element. It reads at most 10 000 bytes of header, as
// np.load does, and returns also how many bytes the header took. A header that
// np.load would refuse, or whose shape overflows, is [ErrFormat]; an element type
// that [array] lacks is [ErrUnsupported].
func ReadHeader(r io.Reader) (h Header, size int64, err error) {
	var fixed [12]byte
	if err := readFull(r, fixed[:8]); err != nil {
		return h, 0, err
	}
	if string(fixed[:6]) != magic {
		return h, 0, fmt.Errorf("%w: it begins with %q, not %q", ErrFormat, fixed[:6], magic)
	}
	major, minor := fixed[6], fixed[7]
	lengthBytes := 4
	switch {
	case minor != 0 || major < 1 || major > 3:
		return h, 0, fmt.Errorf("%w: format version %d.%d; 1.0, 2.0 and 3.0 are known", ErrFormat, major, minor)
	case major == 1:
		lengthBytes = 2
	}
	if err := readFull(r, fixed[8:8+lengthBytes]); err != nil {
		return h, 0, err
	}
	length := binary.LittleEndian.Uint32(fixed[8:])
	if length > maxHeader {
		return h, 0, fmt.Errorf("%w: its header has %d bytes, more than %d", ErrFormat, length, maxHeader)
	}
	text := make([]byte, length)
	if err := readFull(r, text); err != nil {
		return h, 0, err
	}
	h, err = parseHeader(string(text))
	return h, int64(8 + lengthBytes + len(text)), err
}

func readFull(r io.Reader, b []byte) error {
	n, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends within its header, after %d of %d bytes", ErrFormat, n, len(b))
	}
	return err
}

// parseHeader reads the header's dictionary.
func parseHeader(text string) (Header, error) {
	var h Header
	dict, err := parseDict(text)
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
	if !ok || len(extents) > maxDims {
		return bad("shape is not a tuple of at most %d integers", maxDims)
	}
	h.Shape = make([]int, 0, len(extents))
	for _, e := range extents {
		extent, ok := e.(int64)
		if !ok || extent > math.MaxInt {
			return bad("shape is not a tuple of integers")
		}
		h.Shape = append(h.Shape, int(extent))
	}
	switch descr := dict["descr"].(type) {
	case string:
		if h.DType, h.BigEndian, err = array.ParseDType(descr); err != nil {
			return h, unsupported(descr)
		}
	case pyTuple, pyList:
		return h, fmt.Errorf("%w: structured element type %v", ErrUnsupported, descr)
	default:
		return bad("descr is not a type")
	}
	if _, err := h.DataSize(); err != nil {
		return h, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return h, nil
}

func unsupported(descr string) error {
	if len(descr) > 0 && slices.Contains([]byte("O"), descr[len(descr)-1]) {
		return fmt.Errorf("%w: element type %q holds pickled Python objects, and unpickling runs code; save a numeric array instead", ErrUnsupported, descr)
	}
	return fmt.Errorf("%w: element type %q; bool, integers, float32/64 and complex64/128 are read", ErrUnsupported, descr)
}
