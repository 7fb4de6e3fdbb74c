package npy_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// texts are literals that a header could be, legal and not.
func texts() []string {
	list := []string{
		"", "{}", "()", "\n", "   ", "{'descr'}", "{'descr':}", "[1]", text3 + " x", text3 + "\x00", text3 + "#c", text3 + ",",
		"\n" + text3, "\n " + text3, "\t" + text3, "\f" + text3, "\r" + text3, "#c\n" + text3, "\\\n" + text3, text3 + "\n  \n\t", "(" + text3 + ")",
		strings.ReplaceAll(text3, ", ", ",\n"), strings.ReplaceAll(text3, "'", `"`), strings.ReplaceAll(text3, "'", "'''"),
		strings.ReplaceAll(text3, "'descr'", "u'descr'"), strings.ReplaceAll(text3, "'descr'", "b'descr'"),
		strings.ReplaceAll(text3, "'descr'", "'de' 'scr'"), strings.ReplaceAll(text3, "'descr'", `'d\x65s\143\u0072'`),
		strings.ReplaceAll(text3, "'descr'", `R'descr'""`), strings.ReplaceAll(text3, "'descr'", "'de\\\nscr'"),
		strings.ReplaceAll(text3, "'descr'", "('descr')"), strings.ReplaceAll(text3, "'descr':", "'descr'"),
		strings.ReplaceAll(text3, "{", "{,"), strings.ReplaceAll(text3, ", }", ",,}"), strings.ReplaceAll(text3, "}", "'x': 1}"),
		strings.ReplaceAll(text3, "}", "'descr': '<f8'}"), "{**" + text3 + "}", text3 + strings.Repeat(" ", 9990),
		strings.ReplaceAll(text3, "(3,)", "(3, # three\n)"), strings.ReplaceAll(text3, "(3,)", "(\\\n3,)"), "{'descr': None, " + text3[1:],
	}
	for _, descr := range descrs {
		list = append(list, with(descr, "(3,)"))
	}
	for _, shape := range []string{
		"()", "(3)", "(3,)", "(3,4,)", "[3]", "(-1,)", "(+1,)", "(1,-2)", "(--1,)", "(0,)", "(00,)", "(01,)", "(0x10,)", "(0B1_1,)", "(0o17,)", "(1_0,)", "(1__0,)",
		"(1_,)", "(0_0,)", "(0_7,)", "(1.0,)", "(1e3,)", "(True,)", "(True, False)", "(None,)", "(2**3,)", "(3L,)", "(3 L,)", "(3l,)", "(3LL,)", "(3L L,)", "(3Lx,)",
		"((3,),)", "((3),)", "(3,4", "3", "(,)", "(3,,4)", "(3 4)", "(0x1FL,)", "(-0,)", "(- 3,)", "(+ 3,)",
		"(99999999999999999999,)", "(9223372036854775807,)", "(4611686018427387904,2)", "(1j,)", "('3',)", "(3,)+(4,)", "(3, # c\n 4)", "(3,\\\n4)",
		"( 3 , 4 )", "(3,\n4)", "(3,\f4)", "(3,\xa04)", "(3,\v4)", "(3,\r4)", "(3,\r\n4)", "(3.,)", "(" + strings.Repeat("1,", 65) + ")",
		"(" + strings.Repeat("(", 190) + "3" + strings.Repeat(")", 190) + ",)", "(" + strings.Repeat("(", 200) + "3" + strings.Repeat(")", 200) + ",)", "3,", "(3)L", "(3;)",
	} {
		list = append(list, with("'<f8'", shape))
	}
	for _, order := range []string{"True", "true", "0", "None", "'True'", "(True)", "(False,)", "[True]", "True or False", "not True", "TrueL", "False_"} {
		list = append(list, strings.ReplaceAll(text3, "False", order))
	}
	return list
}

// descrs are values that descr could have, legal and not.
var descrs = func() []string {
	list := []string{
		"'f8'", "'=f8'", "'|f8'", "'>f8'", "'<f2'", "'|b1'", "'<?'", "'|S5'", "'|S0'", "'<U3'", "'>U3'", "'|O'", "'O4'", "'<c16'", "'>c8'", "'|V8'", "'<f8,<i4'", "'(2,)f8'", "'2f8'",
		"''", "'<'", "'x'", "'<f08'", "'|i1'", "'u1'", "'<i16'", "'f8 '", "'f 8'", "'f+8'", "'S-0'", "'S-1'", "'F8'", "'>f16'", "'<c32'", "'f12'", "'b2'", "'V0'", "'>float64'", "'float 64'",
		"'M8'", "'>m8'", "'<M8[ns]'", "'>M8[25s]'", "'M8[Y]'", "'M8[generic]'", "'M8[2generic]'", "'M8[0s]'", "'M8[ 2s]'", "'M8[2 s]'", "'M8[x]'", "'M8[]'", "'M8['", "'M8[s]x'", "'M4'",
		"'datetime64[D]'", "'<timedelta64[as]'", "'M8[-1s]'", "'m8[us]'", "'m8[2147483647ps]'", "'m8[2147483648ps]'", "'U536870911'", "'S2147483647'",
		"3", "None", "[]", "('<f8',(2,))", "('<f8',1)", "('<f8',())", "('<f8',)", "()", "('S',5)", "('<f8')", "r'<f8'", "'<f8", `'\<f8'`, `'\x3cf8'`, `'<f\u0038'`, `'<f\70'`, `'<f8\''`, `'<f8\x'`,
		// structured
		"[('a','<f8')]", "[('a','<f8',(2,)),('b','|i1')]", "[['a','<f8']]", "[('a','<f8',[2,3])]", "[('a','<f8',[])]", "[('a','<f8',())]", "[('a','<f8',1),('b','<f8',(1,))]",
		"[('','|V4')]", "[('a','i1'),('','|V3'),('b','>f4')]", "[('','<f8')]", "[('','<f8'),('','<f8')]", "[('','<f8',(2,)),('a','u2')]", "[('','V3',(2,))]", "[('a','|V3')]",
		"[('a','f4'),('a','f4')]", "[(('t','a'),'f4')]", "[(('t','a'),'f4'),('t','f4')]", "[(('a','a'),'f4')]", "[((None,'a'),'f4')]", "[(('t','a','x'),'f4')]", "[(('','a'),'f4'),('','f4')]",
		"[('a',[('b','<i2'),('c','S3')]),('d',('<f8',(2,)),(3,))]", "[('a',[('b',[('c','f2',(2,2))],(3,))],(1,))]", "[('a',[])]", "[('',[('a','i1')])]", "[(('t',''),'|V4')]",
		"[('a','S',5),('b','U',2),('c','V',3)]", "[('a','S',(5,))]", "[('a','S0'),('b','U0')]", "[('a','f8',-1)]", "[('a','f8',True)]", "[('a','f8',0)]", "[('a','f8',(2,0))]", "[('a','f8','x')]",
		"[('a',)]", "[('a','f8',1,2)]", "[(1,'f8')]", "[(b'a','f8')]", "[('a','O')]", "[('a',[('b','|O')])]", "['ai']", "[('a','S2147483640'),('b','i1',7)]", "[('a','S2147483640'),('b','i1',8)]",
		"[('a','f8',2147483648)]", "[('a','f8',268435455)]", "[('a','f8',268435456)]", "[('a',[],2000000000)]", "[('a','M8[ns]'),('b','g'),('c','>U3')]", "[('\xe9\xff','f4')]", `[('\u65e5','f4')]`,
		"[('a b.c','f4'),(\"it's\",'f4'),('\"','f4')]", "[('a','f4'),]", "(('f4',(2,)),(3,))", "[('a',(('f4',(2,)),(3,)),(4,))]", "[('a','f4',(" + strings.Repeat("1,", 32) + "))]", "[('a', 'i', 0x2)]",
		strings.Repeat("[('a',", 60) + "'f4'" + strings.Repeat(")]", 60),
	}
	for _, name := range strings.Fields(`? b B h H i I l L q Q p P e f d g F D G S a U V c M m O
		bool bool_ bool8 int8 int16 int32 int64 uint8 uint16 uint32 uint64 byte short intc int_ int int0 intp long longlong
		ubyte ushort uintc uint uint0 uintp ulong ulonglong float16 float32 float64 float128 half single double float float_ longdouble longfloat
		complex64 complex128 complex256 csingle singlecomplex cdouble cfloat complex complex_ clongdouble clongfloat longcomplex
		bytes bytes_ bytes0 string_ str str_ str0 unicode unicode_ void void0 object object_ object0 datetime64 timedelta64
		string number integer floating Float64 int1 float8 uint128 real`) {
		list = append(list, "'"+name+"'", "'>"+name+"'")
	}
	return list
}()

// randomDescr makes a descr of a few nested fields.
func randomDescr(rng *rand.Rand, depth int) string {
	if depth == 0 || rng.IntN(3) > 0 {
		d := descrs[rng.IntN(len(descrs))]
		if len(d) > 30 {
			d = "'<f4'"
		}
		return d
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range rng.IntN(4) {
		name := string(rune('a' + i))
		if rng.IntN(4) == 0 {
			name = []string{"", "a", "it\\'s", "\xe9"}[rng.IntN(4)]
		}
		name = "'" + name + "'"
		if rng.IntN(8) == 0 {
			name = "('title" + string(rune('a'+rng.IntN(4))) + "', " + name + ")"
		}
		fmt.Fprintf(&b, "(%s, %s", name, randomDescr(rng, depth-1))
		if rng.IntN(3) == 0 {
			b.WriteString([]string{", (2,)", ", 3", ", (2, 3)", ", ()", ", (0,)", ", 1", ", [1, 2]"}[rng.IntN(7)])
		}
		b.WriteString("), ")
	}
	return strings.TrimSuffix(b.String(), ", ") + "]"
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

// exotic finds the literals that the package comment lists as legal for np.load and
// refused here, by clause. headerScript finds the types among those.
var exotic = []*regexp.Regexp{
	regexp.MustCompile(`\\N\{|\\[uU]0*[dD][89a-fA-F]`),                                    // characters by name, half characters
	regexp.MustCompile(`\d{19}`),                                                          // beyond 64 bits
	regexp.MustCompile(`\d\.|\.\d|\d[eEjJ]|\b[bB][rR]?['"]|\b[rR][bB]['"]|\.\.\.|\{.*\{`), // other values
	regexp.MustCompile(`[-+]\s*\(`),                                                       // a sign before a parenthesis
	regexp.MustCompile(`\n[ \t]*\f|^\s*\\|\\\s*$|\r[^\n]|\r$`),                            // indentation, ends of lines
}

func isExotic(text []byte) bool {
	return slices.ContainsFunc(exotic, func(r *regexp.Regexp) bool { return r.Match(text) })
}

// dropped are names of types that NumPy 2 no longer has.
var dropped = regexp.MustCompile(`bool8|int0|float_|longfloat|singlecomplex|complex_|cfloat|clongfloat|longcomplex|bytes0|string_|str0|unicode|void0|object0|\ba\d*['"]`)

// headerScript prints what NumPy finds in each header.
const headerScript = `
import io, re, sys, warnings
import numpy as np
from numpy.lib import format as npy
warnings.simplefilter("ignore")
try:
    from numpy.lib import _format_impl as impl
except ImportError:
    impl = npy

# The first call for a header has what descr is.
calls, descr_to_dtype = [], impl.descr_to_dtype
def recording(descr):
    calls.append(descr)
    return descr_to_dtype(descr)
impl.descr_to_dtype = recording

def shape_exotic(shape, base):
    if isinstance(shape, int): # a length out of range, or for an array that has no bytes
        base = descr_to_dtype(base)
        return base.names is None and base.itemsize == 0 and (base.shape != () or not 0 <= shape < 2**29)
    return not isinstance(shape, (tuple, list)) or not all(isinstance(n, int) for n in shape)

def exotic(descr):
    if isinstance(descr, str): # a list in a string, the number of a type, a fraction of a unit, a length out of range
        length = re.match(r"[<>=|]?[SUVa]\s*([-+]?\d+)$", descr)
        return ("," in descr or re.match(r"[<>=|]?(\d|\(|[\0-\x1a]$)", descr) or re.search(r"\[.*/", descr)
            or length and not 0 <= int(length[1]) < (2**29 if "U" in descr else 2**31))
    if isinstance(descr, tuple):
        return exotic(descr[0]) or shape_exotic(descr[1], descr[0])
    return not isinstance(descr, list) or any(
        not isinstance(f, (tuple, list))
        or isinstance(f[0], tuple) and not isinstance(f[0][0], (str, type(None)))
        or exotic(f[1]) or len(f) > 2 and shape_exotic(f[2], f[1]) for f in descr)

def show(d):
    if d.names is None:
        return d.str
    text = "{"
    for name in d.names:
        field, offset, *title = d.fields[name]
        shape = ()
        while field.subdtype:
            field, inner = field.subdtype
            shape += inner
        text += f"{ascii(name)}|{ascii(title[0] if title else '')}|{offset}|{shape}|{show(field)};"
    return text + "}" + str(d.itemsize)

def read(b):
    f = io.BytesIO(b)
    version = npy.read_magic(f)
    if version == (1, 0):
        return npy.read_array_header_1_0(f)
    if version == (2, 0):
        return npy.read_array_header_2_0(f)
    return impl._read_array_header(f, version)

for line in open(sys.argv[1]):
    calls.clear()
    try:
        shape, fortran, dtype = read(bytes.fromhex(line))
        if exotic(calls[0]):
            print("exotic")
        elif dtype.hasobject or dtype.subdtype or any(
                isinstance(c, str) and descr_to_dtype(c).hasobject for c in calls): # also in padding
            print("unsupported")
        else:
            print("ok", show(dtype), fortran, tuple(int(n) for n in shape))
    except Exception as e:
        print("error", type(e).__name__, ascii(str(e))[:80])
print(np.__version__)
`

// show prints a type as headerScript does.
func show(t npy.Type) string {
	if t.Kind != npy.Struct {
		return t.Descr()
	}
	var b strings.Builder
	b.WriteByte('{')
	for _, f := range t.Fields {
		fmt.Fprintf(&b, "%s|%s|%d|%s|%s;", ascii(f.Name), ascii(f.Title), f.Offset, array.FormatShape(f.Shape), show(f.Type))
	}
	fmt.Fprintf(&b, "}%d", t.ItemSize)
	return b.String()
}

// ascii is Python's ascii.
func ascii(s string) string {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	var b strings.Builder
	b.WriteString(quote)
	for _, c := range s {
		switch {
		case string(c) == quote, c == '\\':
			b.WriteString(`\` + string(c))
		case c >= ' ' && c < 0x7f:
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	return b.String() + quote
}

// The size and the seed of TestHeadersAgainstNumPy, for longer runs by hand.
var (
	headerCount = flag.Int("headers", 12000, "headers to compare with NumPy")
	headerSeed  = flag.Uint64("headerseed", 3, "seed of those headers")
)

// The header parser accepts what NumPy's own accepts, and finds the same in it,
// but for the exceptions that the package comment lists.
func TestHeadersAgainstNumPy(t *testing.T) {
	rng := rand.New(rand.NewPCG(*headerSeed, 4))
	var headers [][]byte
	texts := texts()
	for _, text := range texts {
		for version := byte(1); version <= 3; version++ {
			headers = append(headers, headerOf(text, version))
		}
	}
	for len(headers) < *headerCount {
		var text string
		switch rng.IntN(3) {
		case 0:
			text = text3
		case 1:
			text = texts[rng.IntN(len(texts))]
		case 2:
			text = with(randomDescr(rng, 3), "(3,)")
		}
		b := headerOf(mutated(rng, text, rng.IntN(4)), byte(1+rng.IntN(3)))
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
	theirs := strings.Split(strings.TrimSpace(numpy.Run(t, headerScript, path)), "\n")
	if len(theirs) != len(headers)+1 {
		t.Fatalf("%d answers to %d headers", len(theirs), len(headers))
	}
	older := strings.HasPrefix(theirs[len(headers)], "1.")
	accepted, structured, exceptions := 0, 0, 0
	for i, b := range headers {
		h, _, err := npy.ReadHeader(bytes.NewReader(b))
		status, theirs, _ := strings.Cut(theirs[i], " ")
		text := b[min(len(b), headerStart(b)):]
		switch {
		case status == "ok" && err == nil:
			accepted++
			ours := fmt.Sprintf("%s %s %s", show(h.Type), python(h.Fortran), array.FormatShape(h.Shape))
			if h.Kind == npy.Struct {
				structured++
			}
			if ours != theirs {
				t.Errorf("%q: NumPy finds %s, this package %s", b, theirs, ours)
			}
		case status == "error" && err == nil:
			if older || !dropped.Match(text) {
				t.Errorf("%q: NumPy says %s, this package accepts it", b, theirs)
			}
		case status == "unsupported" && err == nil:
			t.Errorf("%q: NumPy finds objects or a subarray, this package accepts it", b)
		case status == "exotic":
			exceptions++
			if err == nil {
				t.Errorf("%q: this package accepts a type that its comment lists as refused", b)
			}
		case status == "ok" && errors.Is(err, array.ErrShape), status == "ok" && isExotic(text):
			exceptions++
		case status == "ok":
			t.Errorf("%q: NumPy finds %s, this package: %v", b, theirs, err)
		case status == "unsupported" && !errors.Is(err, npy.ErrUnsupported) && !isExotic(text):
			t.Errorf("%q: NumPy finds objects or a subarray, this package: %v", b, err)
		}
	}
	t.Logf("%d headers: %d accepted by both, %d of them structured; %d exceptions", len(headers), accepted, structured, exceptions)
	if accepted < len(headers)/8 || structured < len(headers)/50 || exceptions > len(headers)/20 {
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
