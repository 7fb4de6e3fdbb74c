package memo

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// Records keep values as JSON that Go and Python read back without loss:
//
//	nil        null
//	bool       true, false
//	integer    a number without fraction and exponent, of any size
//	float      a number with a fraction or exponent, shortest form;
//	           NaN and infinities {"float":"16 hex digits of the bits"},
//	           a float32 NaN {"float32":"8 hex digits"}
//	complex    {"complex":[real,imag]}
//	string     a string; of bytes that are no UTF-8 {"string":"base64"}
//	bytes      {"bytes":"base64"}
//	array      {"array":"digest","dtype":"<f8","shape":[3,4]}, of a large one in an
//	           argument with "table":"digest of its chunk table" behind
//	list       [item, …]
//	map        {"map":{"key":value, …}}, keys sorted by bytes
//
// Long strings and bytes of a result are arrays of |u1: {"string":{"array":…}}.

func appendJSONFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(appendHex(append(dst, `{"float":"`...), math.Float64bits(f), 16), `"}`...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

func appendJSONComplex(dst []byte, c complex128) []byte {
	dst = appendJSONFloat(append(dst, `{"complex":[`...), real(c))
	return append(appendJSONFloat(append(dst, ','), imag(c)), "]}"...)
}

func appendJSONString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return append(appendBase64(append(dst, `{"string":`...), []byte(s)), '}')
	}
	return appendQuoted(dst, s)
}

// appendQuoted writes valid UTF-8 as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			dst = appendHex(append(dst, `\u`...), uint64(c), 4)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func appendJSONBytes(dst []byte, b []byte) []byte {
	return append(appendBase64(append(dst, `{"bytes":`...), b), '}')
}

func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

// appendJSONArray writes a reference to an array. layout is "" for an array that
// its elements describe whole; see array.Layout.
func appendJSONArray(dst []byte, digest string, info arrayInfo, layout string) []byte {
	dst = append(append(dst, `{"array":"`...), digest...)
	dst = append(append(dst, `","dtype":"`...), info.dtype.Descr()...)
	dst = append(dst, `","shape":[`...)
	for i, extent := range info.shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(extent), 10)
	}
	dst = append(dst, ']')
	if info.table != nil {
		dst = append(append(append(dst, `,"table":"`...), tableObject(info.table).digest.String()...), '"')
	}
	if layout != "" {
		dst = appendQuoted(append(dst, `,"layout":`...), layout)
	}
	return append(dst, '}')
}

// arrayRef is an array as a record names it.
type arrayRef struct {
	Digest array.Digest
	DType  array.DType
	Shape  []int
	layout string
	table  array.Digest // of its chunk table; zero where none is kept
}

// node returns the decoded JSON of a value. A reference to an array, as nearly all are
// written, is an arrayRef.
func (v Value) node() (any, error) {
	if ref, ok := readArrayRef(v.raw); ok {
		return ref, nil
	}
	return decodeJSON(v.raw)
}

// readArrayRef is arrayRefOf of what is not decoded, for the three members that nearly all
// references have, in their order.
func readArrayRef(raw []byte) (ref arrayRef, ok bool) {
	r := jsonReader{b: raw}
	name := func(want string) bool {
		key, ok := r.text()
		return ok && string(key) == want && r.take(':')
	}
	if !r.take('{') || !name("array") {
		return ref, false
	}
	digest, ok := r.text()
	if !ok || ref.Digest.UnmarshalText(digest) != nil || !r.take(',') || !name("dtype") {
		return ref, false
	}
	descr, ok := r.text()
	dtype, bigEndian, err := array.ParseDType(string(descr))
	if !ok || err != nil || bigEndian || !r.take(',') || !name("shape") {
		return ref, false
	}
	ref.DType, ref.Shape = dtype, []int{}
	ok = r.items('[', ']', func() bool {
		number, ok := r.number()
		extent, err := strconv.Atoi(string(number))
		ref.Shape = append(ref.Shape, extent)
		return ok && err == nil
	})
	if !ok || !r.take('}') || !r.ended() {
		return ref, false
	}
	_, err = array.Elements(ref.Shape, dtype.Size())
	return ref, err == nil
}

// arrayRefOf reads a decoded JSON value as a reference to an array.
func arrayRefOf(node any) (ref arrayRef, ok bool) {
	if ref, ok := node.(arrayRef); ok {
		return ref, true
	}
	m, isMap := node.(map[string]any)
	if !isMap {
		return ref, false
	}
	digest, _ := m["array"].(string)
	descr, _ := m["dtype"].(string)
	extents, isList := m["shape"].([]any)
	ref.layout, _ = m["layout"].(string)
	if table, named := m["table"].(string); named {
		ref.table, _ = array.ParseDigest(table)
	}
	d, err := array.ParseDigest(digest)
	dtype, bigEndian, typeErr := array.ParseDType(descr)
	if err != nil || typeErr != nil || bigEndian || !isList {
		return ref, false
	}
	ref.Digest, ref.DType, ref.Shape = d, dtype, make([]int, len(extents))
	for i, e := range extents {
		number, _ := e.(json.Number)
		extent, err := strconv.Atoi(number.String())
		if err != nil {
			return ref, false
		}
		ref.Shape[i] = extent
	}
	_, err = array.Elements(ref.Shape, dtype.Size())
	return ref, err == nil
}

// floatOf reads a float from a decoded JSON value, and whether it was one.
func floatOf(node any) (float64, bool) {
	switch node := node.(type) {
	case json.Number:
		text := node.String()
		f, err := strconv.ParseFloat(text, 64)
		// An integer of another writer is a float only if it is one exactly.
		isInteger := !strings.ContainsAny(text, ".eE")
		return f, err == nil && (!isInteger || strconv.FormatFloat(f, 'f', 0, 64) == text)
	case map[string]any:
		if s, ok := node["float32"].(string); ok {
			bits, err := strconv.ParseUint(s, 16, 32)
			return float64(math.Float32frombits(uint32(bits))), err == nil
		}
		s, _ := node["float"].(string)
		bits, err := strconv.ParseUint(s, 16, 64)
		return math.Float64frombits(bits), err == nil
	}
	return 0, false
}
