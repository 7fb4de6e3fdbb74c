package array_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
)

func TestDType(t *testing.T) {
	for _, d := range allDTypes {
		got, big, err := array.ParseDType(d.Descr())
		if got != d || big || err != nil || !d.Valid() {
			t.Errorf("%v: Descr %q is %v, %v, %v", d, d.Descr(), got, big, err)
		}
		if size, err := strconv.Atoi(d.Descr()[2:]); size != d.Size() || err != nil {
			t.Errorf("%v: %d bytes, Descr %q", d, d.Size(), d.Descr())
		}
		bits, err := strconv.Atoi(strings.TrimLeft(d.String(), "abcdefghijklmnopqrstuvwxyz"))
		if d != array.Bool && (bits != 8*d.Size() || err != nil) {
			t.Errorf("%v: %d bytes", d, d.Size())
		}
	}
	for _, d := range []array.DType{0, array.Complex128 + 1, 255} {
		if d.Valid() || d.Size() != 0 || d.Descr() != "" || !strings.HasPrefix(d.String(), "DType(") {
			t.Errorf("%v: %v %v %q", d, d.Valid(), d.Size(), d.Descr())
		}
	}
}

func TestParseDType(t *testing.T) {
	for _, tt := range []struct {
		descr string
		want  array.DType
		big   bool
	}{
		{"|b1", array.Bool, false}, {"?", array.Bool, false}, {"|?", array.Bool, false}, {"<b1", array.Bool, false},
		{">b1", array.Bool, false}, {"b1", array.Bool, false},
		{"|i1", array.Int8, false}, {">i1", array.Int8, false}, {"|u1", array.Uint8, false}, {"=u1", array.Uint8, false},
		{"<i2", array.Int16, false}, {">i2", array.Int16, true}, {">u2", array.Uint16, true},
		{"<i4", array.Int32, false}, {">u4", array.Uint32, true}, {"<i8", array.Int64, false}, {">u8", array.Uint64, true},
		{"<f2", array.Float16, false}, {">f2", array.Float16, true}, {"<f4", array.Float32, false}, {">f8", array.Float64, true},
		{"<c8", array.Complex64, false}, {">c16", array.Complex128, true},
	} {
		d, big, err := array.ParseDType(tt.descr)
		if d != tt.want || big != tt.big || err != nil {
			t.Errorf("%q: %v, %v, %v", tt.descr, d, big, err)
		}
	}
	native, big, err := array.ParseDType("=f8")
	bare, bareBig, bareErr := array.ParseDType("f8")
	if native != array.Float64 || bare != native || big != bareBig || err != nil || bareErr != nil {
		t.Errorf("=f8 and f8: %v %v, %v %v", native, err, bare, bareErr)
	}
	for _, descr := range []string{
		"", "<", "|", "<<f8", "<f", "f", "<f3", "<f16", "<f08", "<f8 ", " <f8", "<F8", "<i16", "<c4", "<c32",
		"|O", "|O8", "|S0", "|S5", "<U3", "|V8", "<M8[ns]", "<m8", "<f8,<f8", "(2,)<f8", "float64\x00", "b2", "?1", "1",
	} {
		if d, _, err := array.ParseDType(descr); d != 0 || !errors.Is(err, array.ErrDType) {
			t.Errorf("%q: %v, %v", descr, d, err)
		}
	}
}

func TestSwapBytes(t *testing.T) {
	seq := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	for _, tt := range []struct {
		d    array.DType
		n    int
		want []byte
	}{
		{array.Bool, 3, []byte{1, 2, 3}},
		{array.Int8, 3, []byte{1, 2, 3}},
		{array.Uint16, 5, []byte{2, 1, 4, 3, 5}},
		{array.Float16, 3, []byte{2, 1, 3}},
		{array.Float32, 11, []byte{4, 3, 2, 1, 8, 7, 6, 5, 9, 10, 11}},
		{array.Int64, 9, []byte{8, 7, 6, 5, 4, 3, 2, 1, 9}},
		{array.Complex64, 12, []byte{4, 3, 2, 1, 8, 7, 6, 5, 9, 10, 11, 12}},
		{array.Complex128, 16, []byte{8, 7, 6, 5, 4, 3, 2, 1, 16, 15, 14, 13, 12, 11, 10, 9}},
		{array.Complex128, 15, seq[:15]},
		{0, 16, seq}, {200, 16, seq}, {array.Float64, 0, nil},
	} {
		b := bytes.Clone(seq[:tt.n])
		if array.SwapBytes(b, tt.d); !bytes.Equal(b, tt.want) {
			t.Errorf("%v: %v, want %v", tt.d, b, tt.want)
		}
	}
}

func TestElements(t *testing.T) {
	ones := func(n int) []int {
		s := make([]int, n)
		for i := range s {
			s[i] = 1
		}
		return s
	}
	for _, tt := range []struct {
		shape    []int
		itemsize int
		want     int // −1: an error
	}{
		{nil, 8, 1}, {[]int{0}, 8, 0}, {[]int{3, 4}, 8, 12}, {[]int{3, 0, 4}, 8, 0}, {[]int{5}, 0, 5}, {[]int{5}, -8, 5},
		{ones(64), 16, 1}, {ones(65), 16, -1},
		{[]int{-1}, 8, -1}, {[]int{-1, -1}, 8, -1}, {[]int{0, -1}, 8, -1}, {[]int{-1, 0}, 8, -1}, {[]int{math.MinInt}, 1, -1},
		{[]int{math.MaxInt}, 1, -1}, {[]int{math.MaxInt, math.MaxInt}, 1, -1}, {[]int{math.MaxInt, 0}, 1, -1},
		{[]int{1 << 16, 1 << 16, 1 << 16, 1 << 16}, 1, -1}, // 2⁶⁴: 0 in 64 bits
		{[]int{1<<30 + 1, 4, 0}, math.MaxInt, -1}, {[]int{1 << 20, 1 << 20, 1 << 20, 1 << 5}, 8, -1},
	} {
		n, err := array.Elements(tt.shape, tt.itemsize)
		if n != max(tt.want, 0) || (tt.want < 0) != errors.Is(err, array.ErrShape) {
			t.Errorf("Elements(%v, %d) = %d, %v; want %d", tt.shape, tt.itemsize, n, err, tt.want)
		}
	}
	if math.MaxInt > math.MaxInt32 {
		edge := math.MaxInt32 // in steps, for the constants do not fit 32-bit machines
		edge = (edge + 1) << 11
		if _, err := array.Elements([]int{edge, 2}, 8); err != nil {
			t.Errorf("64 TiB: %v", err)
		}
		if _, err := array.Elements([]int{edge + 1, 2}, 8); !errors.Is(err, array.ErrShape) {
			t.Errorf("more than 64 TiB: %v", err)
		}
	}
}

func TestFormatShape(t *testing.T) {
	for want, shape := range map[string][]int{
		"()": nil, "(0,)": {0}, "(3,)": {3}, "(3, 4)": {3, 4}, "(1, 2, 3)": {1, 2, 3}, "(-1,)": {-1},
	} {
		if got := array.FormatShape(shape); got != want {
			t.Errorf("%v is %q, want %q", shape, got, want)
		}
	}
}

func TestParseDigest(t *testing.T) {
	const text = "00ff3dbbec467ceba150bd0e18328cc3"
	d, err := array.ParseDigest(text)
	if err != nil || d.String() != text || d[1] != 0xff {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{
		"", text[1:], text + "0", strings.ToUpper(text), "0x" + text[2:], text[:31] + "g", text[:31] + " ", text[:30] + "é", strings.Repeat("/", 32), strings.Repeat(":", 32), strings.Repeat("`", 32),
	} {
		if d, err := array.ParseDigest(bad); d != (array.Digest{}) || !errors.Is(err, array.ErrDigest) {
			t.Errorf("%q: %v, %v", bad, d, err)
		}
	}
	b, err := json.Marshal(map[array.Digest]array.Digest{d: d})
	if err != nil || string(b) != `{"`+text+`":"`+text+`"}` {
		t.Errorf("JSON %s, %v", b, err)
	}
	var back map[array.Digest]array.Digest
	if err := json.Unmarshal(b, &back); err != nil || back[d] != d {
		t.Errorf("from JSON %v, %v", back, err)
	}
	kept := d
	if err := kept.UnmarshalText([]byte("no")); !errors.Is(err, array.ErrDigest) || kept != d {
		t.Errorf("bad text: %v, now %v", err, kept)
	}
}
