package npy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// stream hides the length of a reader.
type stream struct{ io.Reader }

// headerOf is a header of the given text and format version.
func headerOf(text string, version byte) []byte {
	b := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	}
	return append(b, text...)
}

// with is the header text of a type and a shape.
func with(descr, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }\n", descr, shape)
}

const text3 = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"

// legal are headers of three bytes of uint8 that NumPy never writes but reads.
var legal = map[string][]byte{
	"no newline":      headerOf(text3, 1),
	"many newlines":   headerOf(text3+"\n \n\n", 1),
	"no spaces":       headerOf(strings.ReplaceAll(text3, " ", ""), 1),
	"odd spaces":      headerOf("\t { 'descr'\t:'|u1' ,\n'fortran_order' : False,'shape':( 3 , ) \f}", 1),
	"double quotes":   headerOf(strings.ReplaceAll(text3, "'", `"`), 1),
	"prefixes":        headerOf("{u'descr': r'|u1', U'fortran_order': False, R'shape': (3,)}", 1),
	"reordered":       headerOf("{'shape': (3,), 'fortran_order': False, 'descr': '|u1'}", 1),
	"duplicate keys":  headerOf("{'shape': (9,), 'descr': 3, 'fortran_order': False, 'descr': '|u1', 'shape': (3,)}", 1),
	"Python 2":        headerOf(strings.Replace(text3, "3,", "3L,", 1), 1),
	"Python 2 spaced": headerOf(strings.Replace(text3, "3,", "3 L,", 1), 2),
	"parentheses":     headerOf("{('descr'): ('|u1'), 'fortran_order': (False), 'shape': ((3),)}", 1),
	"plus":            headerOf(strings.Replace(text3, "3,", "+3,", 1), 1),
	"zeros":           headerOf(strings.Replace(text3, "(3,)", "(3, 1)", 1), 1),
	"no bar":          headerOf(strings.Replace(text3, "|", "", 1), 1),
	"an order":        headerOf(strings.Replace(text3, "|", ">", 1), 1),
	"version 2":       headerOf(text3, 2),
	"version 3":       headerOf(text3, 3),
	"10000 bytes":     headerOf(text3+strings.Repeat(" ", 10000-len(text3)), 1),
	"escapes": headerOf(strings.ReplaceAll(strings.ReplaceAll(text3, "|u1", `\x7c\u0075\61`), "descr", `d\
escr`), 1),
	"pieces": headerOf(strings.ReplaceAll(text3, "'descr'", `'de' u"s" # and
		R'''cr'''`), 1),
	"bases":         headerOf(strings.ReplaceAll(text3, "(3,)", "(0x1, 0b1_1, +0o1, True)"), 1),
	"parenthesis":   headerOf("("+text3+")", 1),
	"comments":      headerOf("# one\n"+strings.ReplaceAll(text3, "{", "{ # two\n")+"# three", 1),
	"joined lines":  headerOf(strings.ReplaceAll(text3, "(3,)", "(\\\n3,)"), 1),
	"Windows":       headerOf(strings.ReplaceAll(text3, " ", "\r\n"), 1),
	"a name":        headerOf(strings.ReplaceAll(text3, "|u1", "ubyte"), 1),
	"32 dimensions": headerOf(with("'|u1'", "("+strings.Repeat("1,", 31)+"3)"), 1),
	"64 dimensions": headerOf(with("'|u1'", "("+strings.Repeat("1,", 63)+"3)"), 1),
}

func TestLegalHeaders(t *testing.T) {
	for name, b := range legal {
		t.Run(name, func(t *testing.T) {
			a, err := npy.Read(bytes.NewReader(append(bytes.Clone(b), 1, 2, 3)))
			if err != nil {
				t.Fatal(err)
			}
			u, ok := a.(*array.Array[uint8])
			if !ok || !bytes.Equal(u.Data(), []byte{1, 2, 3}) {
				t.Errorf("%v %v", a.DType(), a.Shape())
			}
		})
	}
}

// hostile are files that must be refused.
var hostile = map[string]struct {
	file []byte
	want error
}{
	"nothing":                {nil, npy.ErrFormat},
	"text":                   {[]byte("hello, world, this is no array"), npy.ErrFormat},
	"zip":                    {[]byte("PK\x03\x04 and so on and so on"), npy.ErrFormat},
	"wrong magic":            {bytes.Replace(headerOf(text3, 1), []byte("NUMPY"), []byte("NUMPI"), 1), npy.ErrFormat},
	"version 0":              {headerOf(text3, 0), npy.ErrFormat},
	"version 4":              {headerOf(text3, 4), npy.ErrFormat},
	"version 1.1":            {bytes.Replace(headerOf(text3, 1), []byte{1, 0}, []byte{1, 1}, 1), npy.ErrFormat},
	"header beyond file":     {headerOf(text3, 1)[:30], npy.ErrFormat},
	"header of 4 GB":         {append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), text3...), npy.ErrFormat},
	"10001 bytes of header":  {append(headerOf(text3+strings.Repeat(" ", 10001-len(text3)), 1), 1, 2, 3), npy.ErrFormat},
	"no header":              {headerOf("", 1), npy.ErrFormat},
	"empty dictionary":       {headerOf("{}", 1), npy.ErrFormat},
	"another literal":        {headerOf("[1, 2]", 1), npy.ErrFormat},
	"code":                   {headerOf(with("'<f8'", "__import__('os').system('true')"), 1), npy.ErrFormat},
	"a key too few":          {headerOf("{'descr': '<f8', 'shape': (3,)}", 1), npy.ErrFormat},
	"a key too many":         {headerOf("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'x': 1}", 1), npy.ErrFormat},
	"a number as key":        {headerOf("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 1: 1}", 1), npy.ErrFormat},
	"something behind":       {headerOf(text3+"x", 1), npy.ErrFormat},
	"no end":                 {headerOf(text3[:len(text3)-1], 1), npy.ErrFormat},
	"string without end":     {headerOf("{'descr", 1), npy.ErrFormat},
	"two commas":             {headerOf("{'descr': '<f8',, 'fortran_order': False, 'shape': (3,)}", 1), npy.ErrFormat},
	"order 1":                {headerOf("{'descr': '<f8', 'fortran_order': 1, 'shape': (3,)}", 1), npy.ErrFormat},
	"order Falsehood":        {headerOf("{'descr': '<f8', 'fortran_order': Falsehood, 'shape': (3,)}", 1), npy.ErrFormat},
	"Python 2 in version 3":  {headerOf(strings.Replace(text3, "3,", "3L,", 1), 3), npy.ErrFormat},
	"shape is a list":        {headerOf(with("'<f8'", "[3]"), 1), npy.ErrFormat},
	"shape is a number":      {headerOf(with("'<f8'", "3"), 1), npy.ErrFormat},
	"shape of a float":       {headerOf(with("'<f8'", "(3.0,)"), 1), npy.ErrFormat},
	"shape of a string":      {headerOf(with("'<f8'", "('3',)"), 1), npy.ErrFormat},
	"shape of a tuple":       {headerOf(with("'<f8'", "((3,),)"), 1), npy.ErrFormat},
	"shape with a leading 0": {headerOf(with("'<f8'", "(010,)"), 1), npy.ErrFormat},
	"shape without comma":    {headerOf(with("'<f8'", "(3 4)"), 1), npy.ErrFormat},
	"shape of a comma":       {headerOf(with("'<f8'", "(,)"), 1), npy.ErrFormat},
	"negative":               {headerOf(with("'<f8'", "(-1,)"), 1), array.ErrShape},
	"negative twice":         {headerOf(with("'<f8'", "(-1, -3)"), 1), npy.ErrFormat},
	"negative and empty":     {headerOf(with("'<f8'", "(0, -3)"), 1), npy.ErrFormat},
	"huge":                   {headerOf(with("'<f8'", "(9223372036854775807,)"), 1), npy.ErrFormat},
	"beyond 64 bits":         {headerOf(with("'<f8'", "(18446744073709551616,)"), 1), npy.ErrFormat},
	"product is 2⁶⁴":         {headerOf(with("'<f8'", "(4294967296, 4294967296)"), 1), npy.ErrFormat},
	"bytes are 2⁶⁴":          {headerOf(with("'<f8'", "(2305843009213693952,)"), 1), npy.ErrFormat},
	"huge and empty":         {headerOf(with("'<f8'", "(0, 4294967296, 4294967296)"), 1), npy.ErrFormat},
	"65 dimensions":          {headerOf(with("'|u1'", "("+strings.Repeat("1,", 65)+")"), 1), npy.ErrFormat},
	"deep":                   {headerOf(with(strings.Repeat("(", 4000)+"1"+strings.Repeat(")", 4000), "(3,)"), 1), npy.ErrFormat},
	"deep without end":       {headerOf(strings.Repeat("[", 9000), 1), npy.ErrFormat},
	"type is a number":       {headerOf(with("8", "(3,)"), 1), npy.ErrFormat},
	"terabytes":              {headerOf(with("'<f8'", "(1000000000000,)"), 1), npy.ErrFormat},
	"Fortran terabytes":      {headerOf("{'descr': '<f8', 'fortran_order': True, 'shape': (1000000, 1000000)}", 1), npy.ErrFormat},
	"a byte too few":         {append(headerOf(text3, 1), 1, 2), npy.ErrFormat},
	"no elements":            {headerOf(with("'<c16'", "()"), 1), npy.ErrFormat},
	"no type":                {headerOf(with("''", "(3,)"), 1), npy.ErrFormat},
	"lists in a string":      {headerOf(with("'<f8,<i4'", "(3,)"), 1), npy.ErrUnsupported},
	"no fields":              {headerOf(with("[]", "(1000000000,)"), 1), npy.ErrUnsupported},
	"a field twice":          {headerOf(with("[('a', '<f8'), ('a', '<f8')]", "(3,)"), 1), npy.ErrFormat},
	"a field of objects":     {headerOf(with("[('a', [('b', '|O')])]", "(3,)"), 1), npy.ErrUnsupported},
	"a record of 2 GB":       {headerOf(with("[('a', '<f8', (268435456,))]", "(3,)"), 1), npy.ErrFormat},
	"a record of 2⁶² bytes":  {headerOf(with("[('a', '|S2147483647', (2147483647,))]", "(3,)"), 1), npy.ErrFormat},
	"a string of 4 GB":       {headerOf(with("'<U1073741823'", "(3,)"), 1), npy.ErrFormat},
	"negative length":        {headerOf(with("'|S-5'", "(3,)"), 1), npy.ErrFormat},
	"negative field":         {headerOf(with("[('a', '<f8', (-1,))]", "(3,)"), 1), npy.ErrFormat},
	"deep fields":            {headerOf(with(strings.Repeat("[('a',", 90)+"'O'"+strings.Repeat(")]", 90), "(3,)"), 1), npy.ErrUnsupported},
	"deeper fields":          {headerOf(with(strings.Repeat("[('a',", 101)+"'f4'"+strings.Repeat(")]", 101), "(3,)"), 1), npy.ErrFormat},
	"no UTF-8":               {headerOf(with("[('\xff', '<f8')]", "(3,)"), 3), npy.ErrFormat},
	"half a character":       {headerOf(with(`[('\ud800', '<f8')]`, "(3,)"), 1), npy.ErrFormat},
	"an escape cut off":      {headerOf(with(`'<f\x3`, "(3,)"), 1), npy.ErrFormat},
	"10001 characters":       {headerOf(with("[('"+strings.Repeat("é", 9999)+"', 'f4')]", "(3,)"), 3), npy.ErrFormat},
	"strings of nothing":     {headerOf(with("'|S0'", "(3,)"), 1), npy.ErrUnsupported},
	"strings":                {append(headerOf(with("'<U7'", "(3,)"), 1), make([]byte, 84)...), npy.ErrUnsupported},
	"objects":                {append(headerOf(with("'|O'", "(3,)"), 1), "\x80\x03]q\x00."...), npy.ErrUnsupported},
	"longdouble":             {append(headerOf(with("'<f16'", "(3,)"), 1), make([]byte, 84)...), npy.ErrUnsupported},
	"times":                  {append(headerOf(with("'<M8[ns]'", "(3,)"), 1), make([]byte, 84)...), npy.ErrUnsupported},
	"structured":             {append(headerOf(with("[('a', '<f8'), ('b', '|S3', (2,))]", "(3,)"), 1), make([]byte, 84)...), npy.ErrUnsupported},
	"subarray":               {headerOf(with("('<f8', (2,))", "(3,)"), 1), npy.ErrUnsupported},
}

func TestHostileFiles(t *testing.T) {
	for name, tt := range hostile {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.npy")
			if err := os.WriteFile(path, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			for door, read := range map[string]func() (array.Any, error){
				"Read of a stream": func() (array.Any, error) { return npy.Read(stream{bytes.NewReader(tt.file)}) },
				"Read":             func() (array.Any, error) { return npy.Read(bytes.NewReader(tt.file)) },
				"ReadFile":         func() (array.Any, error) { return npy.ReadFile(path) },
			} {
				var a array.Any
				var err error
				got := allocated(func() { a, err = read() })
				if a != nil || !errors.Is(err, tt.want) {
					t.Errorf("%s: error %v, want %v", door, err, tt.want)
				}
				if errors.Is(err, npy.ErrFormat) == errors.Is(err, npy.ErrUnsupported) {
					t.Errorf("%s: error %v", door, err)
				}
				if err != nil && len(err.Error()) > 1000 {
					t.Errorf("%s: an error of %d bytes", door, len(err.Error()))
				}
				if limit := uint64(4*len(tt.file) + 128<<10); got > limit {
					t.Errorf("%s: %d bytes were allocated for a file of %d", door, got, len(tt.file))
				}
			}
		})
	}
	if _, err := npy.ReadFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := npy.Read(bytes.NewReader(hostile["objects"].file)); !strings.Contains(err.Error(), "unpickling runs code") {
		t.Errorf("objects: %v does not say why", err)
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestTruncatedAtEveryByte(t *testing.T) {
	for _, file := range []string{"c16-2x3x4-c-v1.npy", "f8-3x4-fortran-v3.npy", "bool-3x4-c-v2.npy", "f8-3x4-big-v1.npy"} {
		b, err := os.ReadFile(filepath.Join(vectorFolder, file))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.npy")
		for n := range b {
			for _, r := range []io.Reader{bytes.NewReader(b[:n]), stream{bytes.NewReader(b[:n])}} {
				if a, err := npy.Read(r); a != nil || !errors.Is(err, npy.ErrFormat) {
					t.Fatalf("%s, %d bytes: error %v", file, n, err)
				} else if errors.Is(err, io.EOF) != (n == 0) {
					t.Errorf("%s, %d bytes: io.EOF in %v", file, n, err)
				}
			}
			if err := os.WriteFile(path, b[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if a, err := npy.ReadFile(path); a != nil || !errors.Is(err, npy.ErrFormat) {
				t.Fatalf("%s, %d bytes: error %v", file, n, err)
			}
		}
	}
}

func TestTrailingData(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(vectorFolder, "f8-3x4-c-v1.npy"))
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(append(bytes.Clone(b), "behind"...))
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, append(bytes.Clone(b), "behind"...), 0o600); err != nil {
		t.Fatal(err)
	}
	want := values(t, array.Float64, []int{3, 4})
	if a, err := npy.ReadFile(path); err != nil || !equal(a, want) {
		t.Errorf("ReadFile: %v", err)
	}
	if a, err := npy.Read(r); err != nil || !equal(a, want) {
		t.Errorf("Read: %v", err)
	}
	if rest, err := io.ReadAll(r); string(rest) != "behind" || err != nil {
		t.Errorf("Read left %q, %v", rest, err)
	}
}

// Streams that do not tell their length, come in pieces, or break.
func TestStreams(t *testing.T) {
	for _, d := range []array.DType{array.Uint8, array.Bool, array.Int16, array.Float64, array.Complex128} {
		for _, n := range []int{0, 1, 1000, 1<<16/d.Size() - 1, 1 << 16 / d.Size(), 1<<16/d.Size() + 1, 300_001} {
			want := values(t, d, []int{n})
			var file bytes.Buffer
			if err := npy.Write(&file, want); err != nil {
				t.Fatal(err)
			}
			b := file.Bytes()
			for name, r := range map[string]io.Reader{
				"buffer":    bytes.NewBuffer(b),
				"string":    strings.NewReader(string(b)),
				"stream":    stream{bytes.NewReader(b)},
				"halves":    iotest.HalfReader(bytes.NewReader(b)),
				"early EOF": iotest.DataErrReader(bytes.NewReader(b)),
			} {
				if a, err := npy.Read(r); err != nil || !equal(a, want) {
					t.Errorf("%v, %d elements, %s: other elements, %v", d, n, name, err)
				}
			}
		}
	}
	broken := errors.New("broken")
	var file bytes.Buffer
	if err := npy.Write(&file, make([]float64, 100_000)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 9, 50, 128, 1000, 500_000} {
		r := io.MultiReader(bytes.NewReader(file.Bytes()[:n]), iotest.ErrReader(broken))
		if a, err := npy.Read(r); a != nil || !errors.Is(err, broken) || errors.Is(err, npy.ErrFormat) {
			t.Errorf("broken after %d bytes: %v", n, err)
		}
	}
	// A stream that promises 8 GB and sends 1 MB costs a few MB.
	r := stream{io.MultiReader(bytes.NewReader(headerOf(with("'<f8'", "(1000000000,)"), 1)), io.LimitReader(zeros{}, 1<<20))}
	got := allocated(func() {
		if _, err := npy.Read(r); !errors.Is(err, npy.ErrFormat) {
			t.Errorf("a short stream: %v", err)
		}
	})
	if got > 4<<20 {
		t.Errorf("a short stream: %d bytes were allocated", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
