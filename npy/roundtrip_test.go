package npy_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// saveScript saves arrays of random bits in every dtype, byte order, order of
// elements and class of shape, and beside each file what a reader must find: the
// elements in C order, little-endian.
const saveScript = `
import json, os, sys, warnings
import numpy as np

warnings.simplefilter("ignore") # of version 3.0
os.chdir(sys.argv[1])
rng = np.random.default_rng(5)
shapes = [(), (1,), (7,), (0,), (1, 1), (3, 4), (0, 4), (4, 0), (70, 33), (2, 3, 4), (2, 0, 3), (2, 1, 3, 2, 5), (2, 3, 0, 2, 5)]
numbers = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]
strings = ["S1", "S5", "U1", "U7"]
records = [
    [("x", "f4")],
    [("x", "f8"), ("flag", "?"), ("name", "S3"), ("word", "U2")],
    {"names": ["a", "b"], "formats": ["i2", "c8"], "offsets": [3, 8], "itemsize": 21},
    [(("the title", "a"), "u2", (2,)), ("b.c", "f2", (2, 3)), ("s", "S2", (3,)), ("none", "f8", (0,))],
    [("pose", [("x", "f8"), ("at", [("n", "i4"), ("t", "U1")], (2,))], (3,)), ("id", "u8")],
    [("\u00e9'", "i1"), ("\u65e5\u672c", "f4"), ("\\\n\"", "i2"), ("\u200b\U0001f600", "i2")],
    [("huge", "S70000"), ("y", "i4")],
]
entries = []

def little(a):
    return np.ascontiguousarray(a.astype(a.dtype.newbyteorder("<"))).reshape(a.shape)

def expected(a):
    if a.dtype.kind in "SU":
        return [(s if isinstance(s, bytes) else s.encode()).hex() for s in a.ravel().tolist()]
    return little(a).tobytes().hex()

def fields(a, path=""):
    for name in a.dtype.names:
        if a.dtype[name].base.names:
            yield from fields(a[name], path + name + ".")
        else:
            yield {"Name": path + name, "Shape": a[name].shape, "Text": a[name].dtype.kind in "SU", "Want": expected(a[name])}

def random(dtype, shape):
    n = int(np.prod(shape))
    if dtype.names:
        a = np.zeros(shape, dtype)
        for name in dtype.names:
            a[name] = random(a[name].dtype, a[name].shape)
        return a
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind == "S":
        return np.array([rng.bytes(rng.integers(0, dtype.itemsize + 1)) for _ in range(n)], dtype).reshape(shape)
    if dtype.kind == "U":
        letters = list("a\u00e9\u65e5\U0001f600 \0\n")
        return np.array(["".join(rng.choice(letters, rng.integers(0, dtype.itemsize // 4 + 1))) for _ in range(n)], dtype).reshape(shape)
    return np.frombuffer(rng.bytes(n * dtype.itemsize), dtype).reshape(shape)

for kind, dtypes in ("numbers", numbers), ("strings", strings), ("records", records):
    for dtype in dtypes:
        for byteorder in "<>":
            for shape in shapes:
                if "huge" in str(dtype) and np.prod(shape) > 24:
                    continue
                for order in "CF":
                    a = random(np.dtype(dtype).newbyteorder(byteorder), shape)
                    a = np.array(a, order=order)
                    file = f"{len(entries)}.npy"
                    np.save(file, a)
                    entry = {"File": file, "Kind": kind, "Shape": shape, "Descr": a.dtype.str, "Order": order}
                    if kind == "records":
                        entry["Fields"] = list(fields(a))
                    else:
                        entry["Want"] = expected(a)
                        with open(file + ".want", "wb") as f: # the bytes of np.save
                            np.save(f, little(a))
                    entries.append(entry)
json.dump(entries, open("entries.json", "w"))
`

// loadScript compares what the Go side has written with what NumPy saved first.
const loadScript = `
import json, os, sys
import numpy as np

os.chdir(sys.argv[1])
for e in json.load(open("entries.json")):
    if e["Kind"] == "records":
        continue
    a, b = np.load(e["File"]), np.load(e["File"] + ".go")
    same = np.array_equal(a, b, equal_nan=True) if a.dtype.kind in "fc" else np.array_equal(a, b)
    if not same or b.dtype != a.dtype.newbyteorder("<") or a.shape != b.shape or not b.flags.c_contiguous:
        print(e["File"], a.dtype, a.shape, "is loaded as", b.dtype, b.shape)
print("done")
`

// wanted is what an array must be read as: the hex digits of its bytes, or of each
// of its strings.
type wanted struct {
	Shape []int
	Want  any
}

func (w wanted) array(a array.Any, err error) error {
	if err != nil {
		return err
	}
	b := make([]byte, a.Len()*a.DType().Size())
	if err := a.Encode(b, 0); err != nil {
		return err
	}
	if hex.EncodeToString(b) != w.Want || !slices.Equal(a.Shape(), w.Shape) {
		return fmt.Errorf("%v of shape %v and other elements, want shape %v", a.DType(), a.Shape(), w.Shape)
	}
	return nil
}

func (w wanted) strings(s *npy.Strings, err error) error {
	if err != nil {
		return err
	}
	var got []string
	for _, text := range s.Data {
		got = append(got, hex.EncodeToString([]byte(text)))
	}
	want, _ := w.Want.([]any)
	if !slices.Equal(s.Shape, w.Shape) || !slices.EqualFunc(got, want, func(g string, w any) bool { return g == w }) {
		return fmt.Errorf("%q of shape %v, want %v of shape %v", s.Data, s.Shape, want, w.Shape)
	}
	return nil
}

// What NumPy writes in any type, order and shape, this package reads to the same
// bits, and what it writes of that has the bytes of np.save and is loaded as the
// same array.
func TestRoundTripThroughNumPy(t *testing.T) {
	dir := t.TempDir()
	numpy.Run(t, saveScript, dir)
	b, err := os.ReadFile(filepath.Join(dir, "entries.json"))
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		File, Kind, Descr, Order string
		wanted
		Fields []struct {
			Name string
			Text bool
			wanted
		}
	}
	if err := json.Unmarshal(b, &entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.File)
		fail := func(format string, args ...any) {
			t.Helper()
			t.Errorf("%s of %s in order %s, %v: %s", e.Kind, e.Descr, e.Order, e.Shape, fmt.Sprintf(format, args...))
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h, size, err := npy.ReadHeader(bytes.NewReader(file))
		if err != nil {
			fail("%v", err)
			continue
		}
		if head, err := h.Append(nil); err != nil || !bytes.Equal(head, file[:size]) {
			fail("header %q is written as %q, %v", file[:size], head, err)
		}
		var back any
		switch e.Kind {
		case "numbers":
			a, err := npy.ReadFile(path)
			if err := e.array(a, err); err != nil {
				fail("ReadFile: %v", err)
			}
			if err := e.array(npy.Read(stream{bytes.NewReader(file)})); err != nil {
				fail("Read: %v", err)
			}
			back = a
		case "strings":
			s, err := npy.ReadStrings(path)
			if err := e.strings(s, err); err != nil {
				fail("ReadStrings: %v", err)
			}
			if err := e.strings(npy.ReadStringsFrom(stream{bytes.NewReader(file)})); err != nil {
				fail("ReadStringsFrom: %v", err)
			}
			back = s
		case "records":
			for _, f := range e.Fields {
				if f.Text {
					err = f.strings(npy.ReadStringField(path, f.Name))
				} else {
					err = f.array(npy.ReadField(path, f.Name))
				}
				if err != nil {
					fail("field %q: %v", f.Name, err)
				}
			}
			continue
		}
		if err := npy.WriteFile(path+".go", back); err != nil {
			fail("WriteFile: %v", err)
			continue
		}
		ours, err := os.ReadFile(path + ".go")
		if err != nil {
			t.Fatal(err)
		}
		if theirs, err := os.ReadFile(path + ".want"); err != nil || !bytes.Equal(ours, theirs) {
			fail("other bytes than np.save's, %v", err)
		}
	}
	if out := numpy.Run(t, loadScript, dir); strings.TrimSpace(out) != "done" {
		t.Error(out)
	}
	t.Logf("%d files", len(entries))
}
