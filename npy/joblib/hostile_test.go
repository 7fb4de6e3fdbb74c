package joblib_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/npy/joblib"
)

// golden returns the files that joblib wrote of one value; testdata/golden.py.
func golden(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "golden-*.pkl"))
	if err != nil || len(files) != 9 {
		t.Fatalf("%d golden files, want 9 (%v)", len(files), err)
	}
	return files
}

func TestGolden(t *testing.T) {
	matrix, err := array.FromSlice([]float64{0, 1, 2, 3, 4, 5}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := array.FromSlice([]int16{0, 1, 2}, 3)
	if err != nil {
		t.Fatal(err)
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 70)
	want := map[string]any{
		"matrix": matrix, "big": numbers, "words": &npy.Strings{Data: []string{"é", "abc"}, Shape: []int{2}},
		"list": []any{nil, true, int64(3), huge, 0.5, 1 - 2i, "é", []byte{0xff}, float32(0.5), []any{int64(1), "x"}},
		"keys": []joblib.Pair{{Key: int64(1), Value: "a"}},
	}
	for _, file := range golden(t) {
		v, err := joblib.Load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if d := differ(v, want, file); d != "" {
			t.Error(d)
		}
	}
}

// pickled is a pickle of these parts, each an instruction and what follows it.
func pickled(parts ...string) []byte { return []byte("\x80\x04" + strings.Join(parts, "") + ".") }

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func name(module, name string) string { return text(module) + text(name) + "\x93" }

// TestHostile reads files that somebody made by hand.
func TestHostile(t *testing.T) {
	f8 := name("numpy", "dtype") + text("f8") + "\x89\x88\x87R(K\x03" + text("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	wrapper := func(shape, dtype, more string) string {
		return name("joblib.numpy_pickle", "NumpyArrayWrapper") + ")\x81}(" + text("subclass") + name("numpy", "ndarray") + text("shape") + shape +
			text("order") + text("C") + text("dtype") + dtype + more + "ub"
	}
	huge := "(\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ft"
	for _, tc := range []struct {
		what string
		file []byte
		want error
		says string
	}{
		{"nothing", nil, joblib.ErrFormat, "empty"},
		{"text", []byte("hello"), joblib.ErrFormat, "no pickle"},
		{"a .npy file", []byte("\x93NUMPY\x01\x00"), joblib.ErrFormat, "no pickle"},
		{"os.system", pickled(name("posix", "system"), text("touch /tmp/executed"), "\x85R"), joblib.ErrRefused, `"system" of "posix"`},
		{"os.system by GLOBAL", pickled("cposix\nsystem\n", text("x"), "\x85R"), joblib.ErrRefused, `"system" of "posix"`},
		{"eval", pickled(name("builtins", "eval"), text("1"), "\x85R"), joblib.ErrRefused, `"eval" of "builtins"`},
		{"a name of numpy that runs code", pickled(name("numpy.testing._private.utils", "runstring")), joblib.ErrRefused, "runstring"},
		{"an attribute by dots", pickled(name("numpy", "ndarray.tofile")), joblib.ErrRefused, "ndarray.tofile"},
		{"joblib's own load", pickled(name("joblib", "load"), text("/etc/passwd"), "\x85R"), joblib.ErrRefused, `"load" of "joblib"`},
		{"a file beside it", pickled(name("joblib.numpy_pickle", "NDArrayWrapper")), joblib.ErrRefused, "before 0.10"},
		{"ZF", []byte("ZF0x10                "), joblib.ErrRefused, "before 0.10"},
		{"a call of ndarray", pickled(name("numpy", "ndarray"), ")R"), joblib.ErrRefused, "numpy.ndarray"},
		{"a persistent id", pickled("NQ"), joblib.ErrRefused, "BINPERSID"},
		{"an extension", pickled("\x82\x01"), joblib.ErrRefused, "EXT1"},
		{"protocol 6", []byte("\x80\x06N."), joblib.ErrRefused, "protocol 6"},
		{"an unknown instruction", pickled("\xfe"), joblib.ErrFormat, "0xfe"},
		{"an empty stack", pickled(), joblib.ErrFormat, "0 values"},
		{"two values", pickled("NN"), joblib.ErrFormat, "2 values"},
		{"a mark at the end", pickled("N("), joblib.ErrFormat, "1 marks"},
		{"pop below a mark", pickled("N(\x85"), joblib.ErrFormat, "stack is empty"},
		{"tuple without mark", pickled("t"), joblib.ErrFormat, "no mark"},
		{"append to nothing", pickled("Na"), joblib.ErrFormat, "stack is empty"},
		{"append to None", pickled("NNa"), joblib.ErrFormat, "what is none"},
		{"a key alone", pickled("}(Nu"), joblib.ErrFormat, "without a value"},
		{"get of nothing", pickled("h\x05"), joblib.ErrFormat, "no value 5"},
		{"memo of nothing", pickled("\x94"), joblib.ErrFormat, "stack is empty"},
		{"build of a number", pickled("K\x01Nb"), joblib.ErrFormat, "has none"},
		{"reduce of a number", pickled("K\x01)R"), joblib.ErrFormat, "no function"},
		{"a cut length", []byte("\x80\x04X\xff"), joblib.ErrFormat, "ends after"},
		{"a string of 4 GB", pickled("X\xff\xff\xff\xffabc"), joblib.ErrFormat, "ends after"},
		{"a string of 2^63", pickled("\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc"), joblib.ErrFormat, "ends after"},
		{"a long of 2 GB", pickled("\x8b\xff\xff\xff\x7fabc"), joblib.ErrFormat, "ends after"},
		{"an array of 2^66 bytes", pickled(wrapper(huge, f8, "")), joblib.ErrFormat, ""},
		{"an array of 8 TB", pickled(wrapper("(\x8a\x06\x00\x00\x00\x00\x00\x01t", f8, "")), joblib.ErrFormat, ""},
		{"negative extents", pickled(wrapper("(J\xff\xff\xff\xfft", f8, "")), joblib.ErrFormat, "state"},
		{"an array without type", pickled(wrapper(")", "N", "")), joblib.ErrFormat, "state"},
		{"an array without elements", pickled(name("joblib.numpy_pickle", "NumpyArrayWrapper"), ")\x81"), joblib.ErrFormat, "without elements"},
		{"padding without end", pickled(wrapper(")", f8, text("numpy_array_alignment_bytes")+"K\x10")), joblib.ErrFormat, ""},
		{"an object dtype", pickled(wrapper(")", name("numpy", "dtype")+text("O8")+"\x89\x88\x87R", "")), joblib.ErrRefused, "any Python objects"},
		{"a record", pickled(name("numpy", "dtype") + text("f8") + "\x89\x88\x87R(K\x03" + text("<") + "N)}K\x00K\x00K\x00tb"), joblib.ErrRefused, "fields"},
		{"a subclass", pickled(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "dtype"), "K\x00\x85C\x01b\x87R"), joblib.ErrRefused, "class numpy.dtype"},
	} {
		v, err := joblib.Read(bytes.NewReader(tc.file), nil)
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, %v, want %v that says %q", tc.what, v, err, tc.want, tc.says)
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestMemory reads short files that ask for much memory.
func TestMemory(t *testing.T) {
	megabyte := text(strings.Repeat("x", 1<<20))
	var deflated bytes.Buffer
	z := zlib.NewWriter(&deflated)
	if _, err := z.Write(bytes.Repeat([]byte("N0"), 50<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	doubled := "]q\x000"
	for range 40 { // a list of two of a list of two of …: 2^40 of them, for who copies
		doubled += "](h\x00h\x00eq\x000"
	}
	doubled += "h\x00"
	dictionary := append([]byte{2, 0, 0x21, 1, 40, 0, 0, 0}, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(dictionary[8:], crc32.ChecksumIEEE(dictionary[:8]))
	for _, tc := range []struct {
		what string
		file []byte
		most uint64
		want error
	}{
		{"a call that copies a string over and over", pickled(megabyte, "\x94", text("latin1"), "\x86\x940", name("_codecs", "encode"), "\x940", strings.Repeat("h\x02h\x01R0", 100000), "N"), 64 << 20, joblib.ErrTooLarge},
		{"strings of no bytes", pickled(name("numpy.core.numeric", "_frombuffer"), "\x940(C\x00"+name("numpy", "dtype")+text("S0")+"\x89\x88\x87R"+"M\x00\x10\x85"+text("C")+"t\x940", strings.Repeat("h\x00h\x01R0", 100000), "N"), 16 << 20, joblib.ErrTooLarge},
		{"an array of 8 TB", pickled(name("joblib.numpy_pickle", "NumpyArrayWrapper"), ")\x81}(", text("subclass"), name("numpy", "ndarray"), text("shape"), "(\x8a\x06\x00\x00\x00\x00\x00\x01t",
			text("order"), text("C"), text("dtype"), name("numpy", "dtype"), text("f8"), "\x89\x88\x87Rub", "12345678"), 4 << 20, joblib.ErrFormat},
		{"a string of 4 GB", pickled("X\xff\xff\xff\xffabc"), 4 << 20, joblib.ErrFormat},
		{"lzma with a dictionary of 4 GB", []byte("\x5d\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 4 << 20, joblib.ErrFormat},
		{"lzma with a dictionary of 2 GB", []byte("\x5d\x00\x00\x00\x80\xff\xff\xff\xff\xff\xff\xff\xff\x00"), 4 << 20, joblib.ErrTooLarge},
		{"xz with a dictionary of 4 GB", append([]byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46"), dictionary...), 4 << 20, joblib.ErrTooLarge},
	} {
		var err error
		got := allocated(func() { _, err = joblib.Read(bytes.NewReader(tc.file), nil) })
		if !errors.Is(err, tc.want) && !errors.Is(err, joblib.ErrTooLarge) || got > tc.most {
			t.Errorf("%s: %v, and %d bytes allocated, more than %d", tc.what, err, got, tc.most)
		}
	}
	if _, err := joblib.Read(bytes.NewReader(deflated.Bytes()), &joblib.Options{MaxInflated: 1 << 20}); err == nil {
		t.Error("a file that inflates to 100 MB was read")
	}
	got := allocated(func() {
		if _, err := joblib.Read(bytes.NewReader(pickled(doubled)), nil); err != nil {
			t.Errorf("lists of lists: %v", err)
		}
	})
	if got > 4<<20 {
		t.Errorf("lists of lists of the same lists took %d bytes", got)
	}
}

// TestCut cuts every golden file at every byte, and changes every third byte.
func TestCut(t *testing.T) {
	for _, file := range golden(t) {
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		index := 0
		if strings.Contains(file, "xz") {
			index = 28 // and footer of .xz, which repeat lengths and are not read
		}
		for i := range good {
			if v, err := joblib.Read(bytes.NewReader(good[:i]), nil); err == nil && i < len(good)-index {
				t.Fatalf("%s: %d bytes of %d are read as %v", file, i, len(good), v)
			}
			if i%3 > 0 {
				continue
			}
			changed := bytes.Clone(good)
			changed[i] ^= 0x55
			_, _ = joblib.Read(bytes.NewReader(changed), nil) // a value or an error, no panic
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, file := range golden(f) {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(pickled("](h\x00h\x00eq\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := joblib.Read(bytes.NewReader(b), &joblib.Options{MaxInflated: 1 << 20})
		if err != nil && !errors.Is(err, joblib.ErrFormat) && !errors.Is(err, joblib.ErrRefused) && !errors.Is(err, joblib.ErrTooLarge) {
			t.Errorf("%v, an error of no kind", err)
		}
		if err != nil && v != nil {
			t.Errorf("%v beside an error", v)
		}
	})
}
