package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// asStrings returns v as an array of strings where it is text: a *Strings, a string
// (0-d) or a slice of them (1-d).
func asStrings(v any) (s *Strings, ok bool) {
	switch v := v.(type) {
	case *Strings:
		return v, true
	case string:
		return &Strings{Data: []string{v}}, true
	case []string:
		return &Strings{Data: v, Shape: []int{len(v)}}, true
	}
	return nil, false
}

// header returns the header that np.save writes for s: as wide as s says, and where
// it says nothing as its longest string, but at least of one character.
func (s *Strings) header() (Header, error) {
	if s == nil {
		return Header{}, fmt.Errorf("%w *Strings", array.ErrNil)
	}
	longest := 0
	for i, text := range s.Data {
		n := len(text)
		switch {
		case strings.HasSuffix(text, "\x00"):
			return Header{}, fmt.Errorf("%w: string %d ends with a NUL, which NumPy would lose", ErrUnsupported, i)
		case s.Bytes:
		case !utf8.ValidString(text):
			return Header{}, fmt.Errorf("%w: string %d is not UTF-8; Strings with Bytes hold any bytes", ErrUnsupported, i)
		default:
			n = utf8.RuneCountInString(text)
		}
		if s.Width > 0 && n > s.Width {
			return Header{}, fmt.Errorf("%w: string %d has length %d, more than the Width %d", ErrUnsupported, i, n, s.Width)
		}
		longest = max(longest, n)
	}
	t := Type{Kind: Text, ItemSize: 4}
	if s.Bytes {
		t = Type{Kind: Bytes, ItemSize: 1}
	}
	width := max(s.Width, longest, 1)
	if width > math.MaxInt32/t.ItemSize {
		return Header{}, fmt.Errorf("%w: strings of %d characters, more than NumPy allows", ErrUnsupported, width)
	}
	t.ItemSize *= width
	n, err := array.Elements(s.Shape, t.ItemSize)
	if err == nil && n != len(s.Data) {
		err = fmt.Errorf("%w: %s holds %d strings, not %d", array.ErrShape, array.FormatShape(s.Shape), n, len(s.Data))
	}
	return Header{Type: t, Shape: s.Shape}, err
}

// write writes s as np.save does.
func (s *Strings) write(w io.Writer) error {
	h, err := s.header()
	if err != nil {
		return err
	}
	head, err := h.Append(nil)
	if err != nil {
		return err
	}
	// The buffer keeps its first error, and Flush returns it.
	b := bufio.NewWriterSize(w, trusted)
	b.Write(head)
	var unit [4]byte
	for _, text := range s.Data {
		written := len(text)
		if s.Bytes {
			b.WriteString(text)
		} else {
			written = 0
			for _, c := range text {
				binary.LittleEndian.PutUint32(unit[:], uint32(c))
				b.Write(unit[:])
				written += len(unit)
			}
		}
		for range h.ItemSize - written {
			if err := b.WriteByte(0); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}
