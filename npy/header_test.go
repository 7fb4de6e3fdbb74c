package npy_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// headerTexts are literals that a header could be, legal and not.
func headerTexts() []string {
	list := []string{
		"", "{}", "()", "\n", "   ", "{'descr'}", "{'descr':}", "[1]", text3 + " x", text3 + "\x00", text3 + "#c", text3 + ",",
		"\n" + text3, "\n " + text3, "\t" + text3, "\f" + text3, "\r" + text3, text3 + "\n  \n\t", "(" + text3 + ")",
		strings.ReplaceAll(text3, ", ", ",\n"), strings.ReplaceAll(text3, "'", `"`), strings.ReplaceAll(text3, "'", "'''"),
		strings.ReplaceAll(text3, "'descr'", "u'descr'"), strings.ReplaceAll(text3, "'descr'", "b'descr'"),
		strings.ReplaceAll(text3, "'descr'", "'de' 'scr'"), strings.ReplaceAll(text3, "'descr'", `'d\x65scr'`),
		strings.ReplaceAll(text3, "'descr'", "('descr')"), strings.ReplaceAll(text3, "'descr':", "'descr'"),
		strings.ReplaceAll(text3, "{", "{,"), strings.ReplaceAll(text3, ", }", ",,}"), strings.ReplaceAll(text3, "}", "'x': 1}"),
		strings.ReplaceAll(text3, "}", "'descr': '<f8'}"), "{**" + text3 + "}", text3 + strings.Repeat(" ", 9990),
	}
	for _, descr := range []string{
		"'f8'", "'=f8'", "'|f8'", "'>f8'", "'<f2'", "'|b1'", "'?'", "'<?'", "'|S5'", "'|S0'", "'<U3'", "'|O'", "'O'", "'<c16'", "'>c8'", "'|V8'",
		"'float64'", "'d'", "'<i'", "'<f8,<i4'", "'(2,)f8'", "'<M8[ns]'", "''", "'<'", "'x'", "'<f08'", "'|i1'", "'u1'", "'<i16'", "'f8 '", "'F8'",
		"3", "None", "[]", "[('a','<f8')]", "[('a','<f8',(2,)),('b','|i1')]", "('<f8',(2,))", "('<f8')", "r'<f8'", "'<f8", `'\<f8'`,
	} {
		list = append(list, with(descr, "(3,)"))
	}
	for _, shape := range []string{
		"()", "(3)", "(3,)", "(3,4,)", "[3]", "(-1,)", "(+1,)", "(1,-2)", "(--1,)", "(0,)", "(00,)", "(01,)", "(0x10,)", "(1_0,)", "(1.0,)", "(1e3,)",
		"(True,)", "(None,)", "(2**3,)", "(3L,)", "(3 L,)", "(3l,)", "(3LL,)", "(3Lx,)", "((3,),)", "((3),)", "(3,4", "3", "(,)", "(3,,4)", "(3 4)",
		"(99999999999999999999,)", "(9223372036854775807,)", "(4611686018427387904,2)", "(1j,)", "('3',)", "(3,)+(4,)", "(3, # c\n 4)", "(3,\\\n4)",
		"( 3 , 4 )", "(3,\n4)", "(3,\f4)", "(3,\xa04)", "(3,\v4)", "(3,\r4)", "(3,\r\n4)", "(- 3,)", "(3.,)", "(" + strings.Repeat("1,", 65) + ")",
		"(" + strings.Repeat("(", 20) + "3" + strings.Repeat(")", 20) + ",)", "3,", "(3)L", "(3;)",
	} {
		list = append(list, with("'<f8'", shape))
	}
	for _, order := range []string{"True", "true", "0", "None", "'True'", "(True)", "(False,)", "[True]", "True or False", "not True", "TrueL", "False_"} {
		list = append(list, strings.ReplaceAll(text3, "False", order))
	}
	return list
}

// mutated changes a header text a little, n times.
func mutated(rng *rand.Rand, text string, n int) string {
	const syntax = " '\"(){}[],:0123456789LTFue<>|=-+.\n\t\\#_"
	b := []byte(text)
	for range n {
		at := rng.IntN(len(b) + 1)
		c := syntax[rng.IntN(len(syntax))]
		switch rng.IntN(8) {
		case 0:
			b = append(b[:at], append([]byte{c}, b[at:]...)...)
		case 1:
			b = append(b[:at], b[min(len(b), at+1+rng.IntN(3)):]...)
		case 2:
			if at < len(b) {
				b[at] = c
			}
		case 3:
			if at < len(b) {
				b[at] = byte(rng.UintN(256))
			}
		default: // space where it does no harm
			if i := bytes.IndexByte(b[at:], "{}(),: "[rng.IntN(7)]); i >= 0 {
				at += i
				b = append(b[:at+1], append([]byte{" \t\n\f"[rng.IntN(4)]}, b[at+1:]...)...)
			}
		}
	}
	return string(b)
}

// exotic finds what the package comment lists as legal for np.load and refused
// here: parts of Python's grammar that no writer uses.
var exotic = regexp.MustCompile(`\\|#|[0-9]_|\b0[xXoObB]|'''|"""|['"]\s*[uUrR]?['"]|\b(True|False)\s*,[^:]*\)|[0-9]{19}|\({10}|^\s*\(|[-+~]\s*[-+~\s]`)

// The header parser accepts what NumPy's own accepts, and finds the same in it,
// but for the exceptions that the package comment lists.
func TestHeadersAgainstNumPy(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var headers [][]byte
	texts := headerTexts()
	for _, text := range texts {
		for version := byte(1); version <= 3; version++ {
			headers = append(headers, headerOf(text, version))
		}
	}
	for range 3000 {
		text := texts[rng.IntN(len(texts))]
		if rng.IntN(4) > 0 {
			text = text3
		}
		b := headerOf(mutated(rng, text, 1+rng.IntN(3)), byte(1+rng.IntN(3)))
		if rng.IntN(20) == 0 { // the frame around the text
			b[rng.IntN(10)] ^= 1 << rng.IntN(8)
		}
		headers = append(headers, b)
	}
	path := filepath.Join(t.TempDir(), "headers")
	var list strings.Builder
	for _, b := range headers {
		fmt.Fprintln(&list, hex.EncodeToString(b))
	}
	if err := os.WriteFile(path, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out := numpy.Run(t, `
import io, sys, warnings
import numpy as np
from numpy.lib import format as npy
warnings.simplefilter("ignore")

def read(b):
    f = io.BytesIO(b)
    version = npy.read_magic(f)
    if version == (1, 0):
        return npy.read_array_header_1_0(f)
    if version == (2, 0):
        return npy.read_array_header_2_0(f)
    if version == (3, 0):
        return npy._read_array_header(f, version) if hasattr(npy, "_read_array_header") else npy._format_impl._read_array_header(f, version)
    raise ValueError(version)

for line in open(sys.argv[1]):
    try:
        shape, fortran, dtype = read(bytes.fromhex(line))
        print("ok", dtype.newbyteorder("=").name.replace(" ", ""), dtype.str[0] == ">", fortran, tuple(int(n) for n in shape))
    except Exception as e:
        print("error", type(e).__name__)
`, path)
	theirs := strings.Split(strings.TrimSpace(out), "\n")
	if len(theirs) != len(headers) {
		t.Fatalf("%d answers to %d headers", len(theirs), len(headers))
	}
	accepted, exceptions := 0, 0
	for i, b := range headers {
		h, _, err := npy.ReadHeader(bytes.NewReader(b))
		ok := strings.HasPrefix(theirs[i], "ok ")
		text := string(b[min(len(b), headerStart(b)):])
		switch {
		case err == nil && ok:
			accepted++
			ours := fmt.Sprintf("ok %v %s %s %s", h.DType, python(h.BigEndian), python(h.Fortran), array.FormatShape(h.Shape))
			if ours != strings.TrimSpace(theirs[i]) {
				t.Errorf("%q: NumPy %s, this package %s", b, theirs[i], ours)
			}
		case err == nil:
			// White space around the dictionary is free here.
			if trimmed := strings.TrimSpace(string(b[headerStart(b):])); trimmed == string(b[headerStart(b):]) {
				t.Errorf("%q: NumPy %s, this package accepts it", b, theirs[i])
			}
			exceptions++
		case ok && errors.Is(err, npy.ErrUnsupported), ok && errors.Is(err, array.ErrShape), ok && exotic.MatchString(text):
			exceptions++
		case ok:
			t.Errorf("%q: NumPy accepts it, this package: %v", b, err)
		}
	}
	t.Logf("%d headers: %d accepted by both, %d exceptions", len(headers), accepted, exceptions)
	if accepted < 300 || exceptions > len(headers)/10 {
		t.Error("the test compares too little")
	}
}

// python prints a bool as Python does.
func python(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// headerStart is where the text of a header begins.
func headerStart(b []byte) int {
	if b[6] == 1 {
		return 10
	}
	return 12
}
