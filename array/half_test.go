package array_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/testdata/numpy"
)

// float32Patterns are bits of float32s: around every Half, half way between each
// two of them, of every exponent, NaNs, and any.
func float32Patterns() []uint32 {
	var patterns []uint32
	for h := range 1 << 16 {
		b := math.Float32bits(array.Half(h).Float32())
		patterns = append(patterns, b, b+1, b-1, b+0xfff, b+0x1000, b+0x1001) // 0x1000 is half of the last bit
	}
	for exponent := range uint32(256) {
		for _, significand := range []uint32{0, 1, 0xfff, 0x1000, 0x1001, 0x2000, 0x3000, 0x400000, 0x7fefff, 0x7ff000, 0x7fffff} {
			patterns = append(patterns, exponent<<23|significand, 1<<31|exponent<<23|significand)
		}
	}
	// Subnormals and what is half way between them.
	for n := range uint32(2050) {
		b := math.Float32bits(float32(n) * 0x1p-25)
		patterns = append(patterns, b, b+1, b-1, b|1<<31)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		patterns = append(patterns, r.Uint32())
	}
	return patterns
}

// Half converts as NumPy's astype does, bit by bit: all of them to float32, and
// float32s of every kind to the nearest.
func TestHalfMatchesNumPy(t *testing.T) {
	var halves, floats bytes.Buffer
	patterns := float32Patterns()
	for h := range 1 << 16 {
		binary.Write(&floats, binary.LittleEndian, array.Half(h).Float32())
	}
	for _, b := range patterns {
		binary.Write(&halves, binary.LittleEndian, array.ToHalf(math.Float32frombits(b)))
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"floats": floats.Bytes(), "halves": halves.Bytes(), "patterns": littleEndian(patterns)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := numpy.Run(t, `
import os, sys
import numpy as np
np.seterr(all="ignore")
read = lambda name, dtype: np.fromfile(os.path.join(sys.argv[1], name), dtype)
def compare(what, source, got, want):
    for i in np.flatnonzero(got != want)[:5]:
        print("%s of %x is %x, want %x" % (what, source[i], got[i], want[i]))
every = np.arange(1 << 16, dtype="<u2")
compare("float32", every, read("floats", "<u4"), every.view("<f2").astype("<f4").view("<u4"))
patterns = read("patterns", "<u4")
compare("float16", patterns, read("halves", "<u2"), patterns.view("<f4").astype("<f2").view("<u2"))
print(len(patterns))
`, dir)
	if want := len(patterns); strings.TrimSpace(got) != strconv.Itoa(want) {
		t.Errorf("%s", got)
	}
}

func TestHalfRoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		if got := array.ToHalf(array.Half(h).Float32()); got != array.Half(h) {
			t.Fatalf("%04x comes back as %04x", h, uint16(got))
		}
	}
}

func TestHalfString(t *testing.T) {
	for h, want := range map[array.Half]string{
		0: "0", 0x8000: "-0", 0x3c00: "1", 0x2e66: "0.1", 0x7bff: "65500", 1: "6e-08", 0x7c00: "+Inf", 0xfc00: "-Inf", 0x7e00: "NaN", 0x3555: "0.3333",
	} {
		if h.String() != want {
			t.Errorf("%04x is %s, want %s", uint16(h), h, want)
		}
	}
	// The digits of all of them are NumPy's.
	got := numpy.Run(t, `
import numpy as np
for h in np.arange(1 << 16, dtype="<u2").view("<f2"):
    print(np.format_float_scientific(h, trim="-"))
`)
	for h, text := range strings.Fields(got) {
		text = strings.NewReplacer("nan", "NaN").Replace(text)
		want, err := strconv.ParseFloat(text, 64)
		if f, ok := strconv.ParseFloat(array.Half(h).String(), 64); err != nil || ok != nil || f != want && f == f {
			t.Errorf("%04x is %v, NumPy prints %s", h, array.Half(h), text)
		}
	}
}

// Digests of float16 arrays are those that Python computes by the definition.
func TestHalfDigests(t *testing.T) {
	numpy.Require(t, "xxhash")
	const n = 3*array.ChunkSize/2 + 77
	data := make([]array.Half, n)
	for i := range data {
		data[i] = array.Half(i * 40503) // every pattern, NaNs too
	}
	shapes := [][]int{{n}, {0}, {3, 5, 7}, {}, {1 << 17}, {1<<17 + 1}}
	var want strings.Builder
	for _, shape := range shapes {
		size, err := array.Elements(shape, 2)
		if err != nil {
			t.Fatal(err)
		}
		a, err := array.Make(array.Float16, shape...)
		if err != nil {
			t.Fatal(err)
		}
		copy(a.(*array.Array[array.Half]).Data(), data[:size])
		d, err := array.Hash(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		want.WriteString(d.String() + "\n")
	}
	got := numpy.Run(t, `
import hashlib
import numpy as np, xxhash
n = 3 * 262144 // 2 + 77
data = (np.arange(n, dtype="<u8") * 40503).astype("<u2").view("<f2")
for shape in [(n,), (0,), (3, 5, 7), (), (1 << 17,), ((1 << 17) + 1,)]:
    a = data[: int(np.prod(shape, dtype=int))].reshape(shape)
    raw = a.tobytes()
    h = hashlib.sha256(b"numcache/array/1\n<f2\n" + repr(a.shape).encode() + b"\n")
    for i in range(0, len(raw), 262144):
        chunk = raw[i : i + 262144]
        h.update(xxhash.xxh64(chunk).digest() + xxhash.xxh3_64(chunk).digest())
    print(h.hexdigest()[:32])
`)
	if strings.ReplaceAll(got, "\r", "") != want.String() {
		t.Errorf("digests\n%swant\n%s", want.String(), got)
	}
}

func littleEndian[T uint32 | uint64](v []T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err)
	}
	return b
}
