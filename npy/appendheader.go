package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/numcache/numcache/array"
)

const (
	// alignment is where NumPy lets the elements begin, so that a mapped file
	// suits vector instructions.
	alignment = 64
	// growthDigits is the room NumPy reserves for the extent that grows when
	// rows are appended in place: the digits of 8·2⁶⁴.
	growthDigits = 21
)

// AppendHeader appends to dst the header that np.save writes for a C-ordered,
// little-endian array of the given type and shape, and returns the result. The
// elements follow it at a multiple of 64 bytes. It does not check what it is given:
// d must be valid and shape one that [array.Elements] takes, else nobody can read
// what it writes. [Header.Append] writes headers of other types and orders.
func AppendHeader(dst []byte, d array.DType, shape []int) []byte {
	h := Header{Type: numeric(d, false), Shape: shape}
	// The 64 extents that an array has at most fit version 1.0's length of 16
	// bits, and so need no version 2.0.
	var room [2 * alignment]byte // for nearly all
	return appendFrame(dst, 1, h.appendGrowth(h.appendDictionary(room[:0])))
}

// Append appends to dst the header that np.save writes for h, in its byte order and
// its order of elements, and returns the result: version 1.0, or 3.0 where a field's
// name or title has characters beyond Latin-1. The elements follow it at a multiple
// of 64 bytes.
//
// A header that would not be read as h is refused, and nothing appended: a type that
// no file has, such as one whose fields overlap, is [ErrUnsupported], and so are more
// than 10000 characters; a shape that [array.Elements] refuses is [array.ErrShape].
func (h Header) Append(dst []byte) ([]byte, error) {
	if _, err := h.DataSize(); err != nil {
		return dst, err
	}
	text := h.appendGrowth(h.appendDictionary(nil))
	version := byte(1)
	if latin, ok := toLatin1(text); ok {
		text = latin
	} else {
		version = 3
	}
	head := appendFrame(nil, version, text)
	again, _, err := ReadHeader(bytes.NewReader(head))
	if err == nil && !again.Type.equal(h.Type) {
		err = fmt.Errorf("it would be read as %.100s", again.Descr())
	}
	if err != nil {
		return dst, fmt.Errorf("%w: element type of kind %d and %d bytes: %v", ErrUnsupported, h.Kind, h.ItemSize, err)
	}
	return append(dst, head...), nil
}

// appendDictionary appends the text of a header, without the spaces that follow it.
func (h Header) appendDictionary(text []byte) []byte {
	text = append(text, "{'descr': "...)
	text = append(h.appendDescr(text), ", 'fortran_order': "...)
	if h.Fortran {
		text = append(text, "True"...)
	} else {
		text = append(text, "False"...)
	}
	text = append(append(text, ", 'shape': "...), array.FormatShape(h.Shape)...)
	return append(text, ", }"...)
}

// appendGrowth appends to a dictionary room for the extent that can grow in place.
func (h Header) appendGrowth(text []byte) []byte {
	if len(h.Shape) == 0 {
		return text
	}
	grows := h.Shape[0]
	if h.Fortran {
		grows = h.Shape[len(h.Shape)-1]
	}
	return appendSpaces(text, growthDigits-len(strconv.Itoa(grows)))
}

// appendFrame appends a header of the given version and text, aligned.
func appendFrame(dst []byte, version byte, text []byte) []byte {
	prefix := len(magic) + 2 + lengthBytes(version)
	text = appendSpaces(text, alignment-(prefix+len(text)+1)%alignment)
	text = append(text, '\n')
	dst = append(dst, magic...)
	dst = append(dst, version, 0)
	if version == 1 {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(text)))
	} else {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	}
	return append(dst, text...)
}

func appendSpaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

// toLatin1 encodes text in Latin-1, which versions before 3.0 have, if that can be.
func toLatin1(text []byte) ([]byte, bool) {
	latin := make([]byte, 0, len(text))
	for _, c := range string(text) {
		if c > 0xff {
			return nil, false
		}
		latin = append(latin, byte(c))
	}
	return latin, true
}
