package memo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
)

// maxRecordedArgument is the length of an encoded argument beyond which a record
// names it by its hash only: records are for looking at, and read on every hit.
const maxRecordedArgument = 4096

// appendArgumentJSON writes an argument for a record. Its encoding says
// everything but the types and shapes of arrays. A long one becomes
// {"omitted":"SHA-256/128 of its encoding","size":bytes}.
func appendArgumentJSON(dst []byte, a argument) []byte {
	if len(a.encoded) > maxRecordedArgument {
		sum := sha256.Sum256(a.encoded)
		dst = append(hex.AppendEncode(append(dst, `{"omitted":"`...), sum[:16]), `","size":`...)
		return append(strconv.AppendInt(dst, int64(len(a.encoded)), 10), '}')
	}
	t := transcoder{a.encoded, a.arrays}
	return t.value(dst)
}

// transcoder turns the tagged bytes that encoder wrote into JSON. Nothing else
// writes them, so they are well formed.
type transcoder struct {
	rest   []byte
	arrays []arrayInfo
}

// next returns the n bytes that come next.
func (t *transcoder) next(n int) []byte {
	b := t.rest[:n]
	t.rest = t.rest[n:]
	return b
}

// until returns the bytes up to end, which is passed over.
func (t *transcoder) until(end byte) []byte {
	b := t.next(bytes.IndexByte(t.rest, end))
	t.next(1)
	return b
}

func (t *transcoder) count() int {
	n, _ := strconv.Atoi(string(t.until(':')))
	return n
}

func (t *transcoder) float() float64 {
	bits, _ := strconv.ParseUint(string(t.next(16)), 16, 64)
	return math.Float64frombits(bits)
}

// scalarLen returns the length of the scalar that encoded begins with.
func scalarLen(encoded []byte) int {
	t := transcoder{rest: encoded}
	switch t.next(1)[0] {
	case 'b':
		t.next(1)
	case 'i':
		t.until(';')
	case 'f':
		t.next(16)
	case 'c':
		t.next(32)
	case 's':
		t.next(t.count())
	}
	return len(encoded) - len(t.rest)
}

func (t *transcoder) value(dst []byte) []byte {
	switch tag := t.next(1)[0]; tag {
	case 'b':
		return strconv.AppendBool(dst, t.next(1)[0] == '1')
	case 'i':
		return append(dst, t.until(';')...)
	case 'f':
		return appendJSONFloat(dst, t.float())
	case 'c':
		re := t.float()
		return appendJSONComplex(dst, complex(re, t.float()))
	case 's':
		return appendJSONString(dst, string(t.next(t.count())))
	case 'y':
		return appendJSONBytes(dst, t.next(t.count()))
	case 'a':
		info := t.arrays[0]
		t.arrays = t.arrays[1:]
		return appendJSONArray(dst, string(t.next(32)), info, "")
	case 'l':
		dst = append(dst, '[')
		for i := range t.count() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = t.value(dst)
		}
		return append(dst, ']')
	case 'd':
		dst = append(dst, `{"map":{`...)
		for i := range t.count() {
			if i > 0 {
				dst = append(dst, ',')
			}
			t.next(1) // the tag of the key, a string
			dst = appendJSONKey(dst, string(t.next(t.count())))
			dst = t.value(append(dst, ':'))
		}
		return append(dst, "}}"...)
	}
	return append(dst, "null"...)
}
