package npy_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// file writes a .npy file of the given header text and data to a temporary folder.
func file(t *testing.T, text string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, append(headerOf(text, 1), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Text is written as np.save writes np.array of it.
func TestStringsAreWrittenAsNumPyWrites(t *testing.T) {
	dir := t.TempDir()
	texts := map[string]struct {
		v          any
		expression string
	}{
		"0-d":       {"hello", "'hello'"},
		"empty 0-d": {"", "''"},
		"none":      {[]string{}, "[], dtype='<U1'"},
		"nil":       {[]string(nil), "[], dtype='<U1'"},
		"empty":     {[]string{"", ""}, "['', '']"},
		"1-d":       {[]string{"a", "", "ünïcode", "日本", "😀", "in\x00side"}, `['a', '', 'ünïcode', '日本', '😀', 'in\0side']`},
		"2-d":       {&npy.Strings{Data: []string{"a", "b", "c", "dd"}, Shape: []int{2, 2}}, "[['a', 'b'], ['c', 'dd']]"},
		"wide":      {&npy.Strings{Data: []string{"a"}, Shape: []int{1}, Width: 5}, "['a'], dtype='<U5'"},
		"bytes":     {&npy.Strings{Data: []string{"a", "\xff\x00b"}, Shape: []int{2}, Bytes: true}, `[b'a', b'\xff\0b']`},
		"no bytes":  {&npy.Strings{Data: []string{""}, Bytes: true}, `b''`},
		"many":      {strings.Fields(strings.Repeat("word and another ", 30000)), "['word', 'and', 'another'] * 30000"},
	}
	var script strings.Builder
	script.WriteString("import os, sys\nimport numpy as np\nos.chdir(sys.argv[1])\n")
	for name, tt := range texts {
		script.WriteString("np.save('" + name + ".npy', np.array(" + tt.expression + "))\n")
	}
	numpy.Run(t, script.String(), dir)
	for name, tt := range texts {
		theirs, err := os.ReadFile(filepath.Join(dir, name+".npy"))
		if err != nil {
			t.Fatal(err)
		}
		var ours bytes.Buffer
		if err := npy.Write(&ours, tt.v); err != nil || !bytes.Equal(ours.Bytes(), theirs) {
			t.Errorf("%s: %.200q, %v; np.save writes %.200q", name, ours.Bytes(), err, theirs)
		}
	}
}

func TestStringsRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	for _, want := range []*npy.Strings{
		{Data: []string{"a"}, Shape: []int{}, Width: 1},
		{Data: []string{"ä", "日本", ""}, Shape: []int{3}, Width: 9},
		{Data: []string{}, Shape: []int{3, 0}, Width: 1000000000 / 8},
		{Data: []string{"\xff\xfe", "", "\x00a"}, Shape: []int{3, 1}, Width: 3, Bytes: true},
		{Data: []string{strings.Repeat("long", 100_000)}, Shape: []int{1}, Width: 400_001},
	} {
		if err := npy.WriteFile(path, want); err != nil {
			t.Fatal(err)
		}
		if got, err := npy.ReadStrings(path); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.100v is read as %.100v, %v", want, got, err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]io.Reader{
			"stream": stream{bytes.NewReader(b)}, "halves": iotest.HalfReader(bytes.NewReader(b)), "early EOF": iotest.DataErrReader(bytes.NewReader(b)),
		} {
			if got, err := npy.ReadStringsFrom(r); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %.100v is read as %.100v, %v", name, want, got, err)
			}
		}
		if err := npy.Write(shortWriter{}, want); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a writer that takes half: %v", err)
		}
	}
}

// hostileStrings are files of strings that must be refused.
var hostileStrings = map[string]struct {
	text string
	data []byte
	want error
	says string
}{
	"surrogate":       {with("'<U2'", "(3,)"), units(97, 98, 99, 100, 0xd800, 0), npy.ErrFormat, "string 2, "},
	"beyond Unicode":  {with("'<U1'", "(2,)"), units(97, 0x110000), npy.ErrFormat, "U+110000"},
	"minus one":       {with("'<U1'", "(1,)"), units(0xffffffff), npy.ErrFormat, "string 0, "},
	"other order":     {with("'>U1'", "(1,)"), units(97), npy.ErrFormat, "U+61000000"},
	"none there":      {with("'<U1000000000'", "(1000,)"), nil, npy.ErrFormat, "U1000000000"},
	"wide":            {with("'|S2147000000'", "(1,)"), make([]byte, 100), npy.ErrFormat, "needs 2147000000 bytes of elements, it holds 100"},
	"many":            {with("'|S1'", "(1000000000,)"), make([]byte, 100), npy.ErrFormat, "it holds 100"},
	"a byte too few":  {with("'|S3'", "(2,)"), make([]byte, 5), npy.ErrFormat, "it holds 5"},
	"hollow bytes":    {with("'|S0'", "(1000000000,)"), nil, npy.ErrUnsupported, "no characters"},
	"hollow":          {with("'<U0'", "(4097,)"), nil, npy.ErrUnsupported, "no characters"},
	"numbers":         {with("'<f8'", "(1,)"), make([]byte, 8), npy.ErrUnsupported, "<f8, not strings"},
	"records":         {with("[('a', 'S1')]", "(1,)"), make([]byte, 1), npy.ErrUnsupported, "not strings"},
	"Fortran, hollow": {strings.Replace(with("'<U0'", "(10000, 10000)"), "False", "True", 1), nil, npy.ErrUnsupported, "no characters"},
}

// units are code points as U has them.
func units(codes ...uint32) (b []byte) {
	for _, c := range codes {
		b = binary.LittleEndian.AppendUint32(b, c)
	}
	return b
}

func TestHostileStrings(t *testing.T) {
	for name, tt := range hostileStrings {
		path := file(t, tt.text, tt.data)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for door, read := range map[string]func() (*npy.Strings, error){
			"ReadStrings":     func() (*npy.Strings, error) { return npy.ReadStrings(path) },
			"ReadStringsFrom": func() (*npy.Strings, error) { return npy.ReadStringsFrom(stream{bytes.NewReader(b)}) },
		} {
			var s *npy.Strings
			var err error
			got := allocated(func() { s, err = read() })
			if s != nil || !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s, %s: error %v", name, door, err)
			}
			if limit := uint64(4*len(b) + 128<<10); got > limit {
				t.Errorf("%s, %s: %d bytes were allocated for a file of %d", name, door, got, len(b))
			}
		}
	}
	broken := errors.New("broken")
	head := headerOf(with("'|S1'", "(100,)"), 1)
	r := io.MultiReader(bytes.NewReader(append(head, make([]byte, 50)...)), iotest.ErrReader(broken))
	if s, err := npy.ReadStringsFrom(r); s != nil || !errors.Is(err, broken) || errors.Is(err, npy.ErrFormat) {
		t.Errorf("a broken stream: %v", err)
	}
	r = io.MultiReader(bytes.NewReader(append(head, make([]byte, 50)...)), iotest.ErrReader(io.ErrUnexpectedEOF))
	if s, err := npy.ReadStringsFrom(r); s != nil || !errors.Is(err, npy.ErrFormat) || !strings.Contains(err.Error(), "it holds 50") {
		t.Errorf("a stream cut off: %v", err)
	}
	if _, err := npy.ReadStringsFrom(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("an empty stream: %v", err)
	}
	var of *npy.Error
	if _, err := npy.ReadStrings("none.npy"); !errors.Is(err, os.ErrNotExist) || !errors.As(err, &of) || of.Op != "read" || of.Path != "none.npy" {
		t.Errorf("no file: %v", err)
	}
}

// Strings of no characters are read, as long as there are few.
func TestStringsOfNoCharacters(t *testing.T) {
	for _, descr := range []string{"'|S0'", "'<U0'", "'>U0'"} {
		s, err := npy.ReadStrings(file(t, with(descr, "(2, 3)"), nil))
		if err != nil || len(s.Data) != 6 || strings.Join(s.Data, "") != "" || s.Width != 0 {
			t.Errorf("%s: %v, %v", descr, s, err)
		}
	}
}

// What is no array of numbers says who reads it.
func TestReadNamesTheOtherReader(t *testing.T) {
	for descr, says := range map[string]string{
		"'<U3'": "ReadStrings", "'|S3'": "ReadStrings", "[('a', '<U3')]": "ReadField", "'|V3'": "only their header is read", "'<f16'": "only their header is read", "'<M8[D]'": "<M8[D]",
	} {
		path := file(t, with(descr, "(2,)"), make([]byte, 100))
		_, err := npy.ReadFile(path)
		if !errors.Is(err, npy.ErrUnsupported) || !strings.Contains(err.Error(), says) {
			t.Errorf("ReadFile of %s: %v", descr, err)
		}
		if _, _, err := npy.HashFile(t.Context(), path); !errors.Is(err, npy.ErrUnsupported) || !strings.Contains(err.Error(), says) {
			t.Errorf("HashFile of %s: %v", descr, err)
		}
	}
}
