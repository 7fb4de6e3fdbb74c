package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

var dtypes = []array.DType{
	array.Bool, array.Int8, array.Int16, array.Int32, array.Int64,
	array.Uint8, array.Uint16, array.Uint32, array.Uint64,
	array.Float16, array.Float32, array.Float64, array.Complex64, array.Complex128,
}

// shapes has lengths of headers around a multiple of 64 bytes among them.
var shapes = [][]int{
	{}, {0}, {1}, {5}, {3, 4}, {0, 3}, {3, 0}, {2, 3, 4}, {1, 1, 1}, {1000, 70}, {123456},
	{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	{1, 1, 1, 2, 1, 1, 3}, {1, 1, 1, 2, 1, 1, 3, 1}, {1, 1, 1, 2, 1, 1, 3, 1, 1}, {10, 10, 10, 10},
}

// gonumValues are laid out in other ways than C order, by what NumPy calls them.
func gonumValues() map[string]any {
	a := mat.NewDense(300, 200, nil)
	for k := range a.RawMatrix().Data {
		a.RawMatrix().Data[k] = float64(k)
	}
	symmetric := mat.NewSymDense(3, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8})
	return map[string]any{
		"a":                                    a,
		"a.T":                                  a.T(),
		"a[10:290, 3:7]":                       a.Slice(10, 290, 3, 7),
		"a[10:290, 3:7].T":                     a.Slice(10, 290, 3, 7).T(),
		"a[:, 5]":                              a.ColView(5),
		"a[7, :]":                              a.RowView(7),
		"a[:, 5:6].T":                          a.ColView(5).T(),
		"a[1:2, 1:2]":                          a.Slice(1, 2, 1, 2),
		"np.array([[0,1,2],[1,4,5],[2,5,8.]])": symmetric,
		"np.diag([1.,2.])":                     mat.NewDiagDense(2, []float64{1, 2}),
		"np.zeros((0, 0))":                     &mat.Dense{},
		"np.zeros(0)":                          []float64(nil),
		"np.arange(3) * 1j":                    []complex128{0, 1i, 2i},
		"np.arange(-1, 2)":                     []int{-1, 0, 1},
		"np.array([1j, 2]).reshape(2, 1)":      mat.NewCDense(2, 1, []complex128{1i, 2}),
	}
}

// What this package writes are the bytes that np.save writes, np.load opens it,
// and what np.save writes is read to equal elements.
func TestBytesOfNumPy(t *testing.T) {
	dir := t.TempDir()
	var list strings.Builder
	written := map[string]any{}
	add := func(name, expression string, v any) {
		written[name] = v
		fmt.Fprintf(&list, "%s\t%s\n", name, expression)
		if err := npy.WriteFile(filepath.Join(dir, name+".go.npy"), v); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range dtypes {
		for i, shape := range shapes {
			expression := fmt.Sprintf("values(%q, %s)", d.Descr(), array.FormatShape(shape))
			add(fmt.Sprintf("%v-%d", d, i), expression, values(t, d, shape))
		}
	}
	for expression, v := range gonumValues() {
		add(fmt.Sprintf("gonum-%d", len(written)), expression, v)
	}
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out := numpy.Run(t, `
import os, sys
import numpy as np

def values(descr, shape):
    dtype = np.dtype(descr)
    k = np.arange(int(np.prod(shape)))
    v = k % 2 == 1 if dtype.kind == "b" else k + 1j * (0 - k / 2) if dtype.kind == "c" else k * 7 % 11
    return v.astype(dtype).reshape(shape)

a = np.arange(60000.0).reshape(300, 200)
os.chdir(sys.argv[1])
for line in open("list", encoding="utf8"):
    name, expression = line.rstrip("\n").split("\t")
    want = np.array(eval(expression), order="C")
    np.save(name + ".numpy.npy", want)
    got = np.load(name + ".go.npy", allow_pickle=False)
    if got.dtype != want.dtype or got.shape != want.shape or got.tobytes() != want.tobytes():
        print("np.load of", expression, "gives", got.dtype, got.shape)
print("done")
`, dir)
	if strings.TrimSpace(out) != "done" {
		t.Error(out)
	}
	for name, v := range written {
		ours, err := os.ReadFile(filepath.Join(dir, name+".go.npy"))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join(dir, name+".numpy.npy"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s: other bytes than np.save's: %.130q, %.130q", name, ours, theirs)
		}
		src, err := array.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := array.Copy(src)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := npy.ReadFile(filepath.Join(dir, name+".numpy.npy")); err != nil || !equal(a, want) {
			t.Errorf("%s: np.save's file is read to other elements, %v", name, err)
		}
	}
}

// Without Python: what is written is read again, its elements begin at a
// multiple of 64 bytes, and Write and WriteFile agree.
func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	check := func(v any) {
		t.Helper()
		src, err := array.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := array.Copy(src)
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		if err := npy.Write(&buf, v); err != nil {
			t.Fatal(err)
		}
		if err := npy.WriteFile(path, v); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, buf.Bytes()) {
			t.Errorf("%v %v: WriteFile and Write differ, %v", want.DType(), want.Shape(), err)
		}
		header := npy.AppendHeader([]byte("before"), want.DType(), want.Shape())
		if !bytes.HasPrefix(header, []byte("before")) || !bytes.HasPrefix(buf.Bytes(), header[6:]) || len(header[6:])%64 != 0 {
			t.Errorf("%v %v: AppendHeader gives %q", want.DType(), want.Shape(), header)
		}
		if a, err := npy.ReadFile(path); err != nil || !equal(a, want) {
			t.Errorf("%v %v: other elements, %v", want.DType(), want.Shape(), err)
		}
	}
	for _, d := range dtypes {
		for _, shape := range shapes {
			check(values(t, d, shape))
		}
	}
	for _, v := range gonumValues() {
		check(v)
	}
	ones := make([]int, 64)
	for i := range ones {
		ones[i] = 1
	}
	check(values(t, array.Int8, ones))
	check(values(t, array.Int8, append(ones[:63], 77)))
}

// source is a Source of the caller's own.
type source struct {
	dtype array.DType
	shape []int
	err   error
}

func (s source) DType() array.DType       { return s.dtype }
func (s source) Shape() []int             { return s.shape }
func (s source) Encode([]byte, int) error { return s.err }

// panicky is a Source whose Encode panics, which it must not.
type panicky struct{ source }

func (panicky) Encode([]byte, int) error { panic("no") }

// shortWriter takes half of what it is given and says nothing.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

var errBroken = errors.New("broken")

// unwritable are values that Write refuses.
var unwritable = map[string]struct {
	v    any
	want error
}{
	"nil":           {nil, array.ErrNil},
	"nil matrix":    {(*mat.Dense)(nil), array.ErrNil},
	"a map":         {map[string]int{}, array.ErrDType},
	"text of NUL":   {[]string{"a", "b\x00"}, npy.ErrUnsupported},
	"no UTF-8":      {"\xff", npy.ErrUnsupported},
	"nil strings":   {(*npy.Strings)(nil), array.ErrNil},
	"too wide":      {&npy.Strings{Data: []string{"äöü"}, Width: 2}, npy.ErrUnsupported},
	"wide bytes":    {&npy.Strings{Data: []string{"äö"}, Width: 3, Bytes: true}, npy.ErrUnsupported},
	"2³² bytes":     {&npy.Strings{Data: []string{"a"}, Width: 1 << 30}, npy.ErrUnsupported},
	"other shape":   {&npy.Strings{Data: []string{"a"}, Shape: []int{2}}, array.ErrShape},
	"no type":       {source{dtype: 0, shape: []int{1}}, array.ErrDType},
	"negative":      {source{dtype: array.Int8, shape: []int{-1}}, array.ErrShape},
	"65 dimensions": {source{dtype: array.Int8, shape: make([]int, 65)}, array.ErrShape},
	"Encode fails":  {source{dtype: array.Int8, shape: []int{1}, err: errBroken}, errBroken},
}

func TestWriteErrors(t *testing.T) {
	for name, tt := range unwritable {
		var buf bytes.Buffer
		if err := npy.Write(&buf, tt.v); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v", name, err)
		}
		if tt.want != errBroken && buf.Len() > 0 {
			t.Errorf("%s: %d bytes were written", name, buf.Len())
		}
	}
	for name, v := range gonumValues() {
		if err := npy.Write(shortWriter{}, v); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// names lists a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWriteFileIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	old := values(t, array.Float64, []int{7})
	if err := npy.WriteFile(path, old); err != nil {
		t.Fatal(err)
	}
	stands := func(name string) {
		t.Helper()
		if a, err := npy.ReadFile(path); err != nil || !equal(a, old) {
			t.Errorf("%s: the old file does not stand: %v", name, err)
		}
		if list := names(t, dir); len(list) != 1 {
			t.Errorf("%s: left behind: %v", name, list)
		}
	}
	for name, tt := range unwritable {
		err := npy.WriteFile(path, tt.v)
		var of *npy.Error
		if !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Op != "write" || of.Path != path {
			t.Errorf("%s: error %v", name, err)
		}
		stands(name)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic of the caller's own Source was swallowed")
			}
		}()
		npy.WriteFile(path, panicky{source{dtype: array.Int8, shape: []int{1}}})
	}()
	stands("panic")

	// The last step fails, too: a folder stands where the file should.
	folder := filepath.Join(dir, "folder.npy")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := npy.WriteFile(folder, old); err == nil {
		t.Error("a folder was replaced")
	}
	if list := names(t, dir); len(list) != 2 {
		t.Errorf("left behind: %v", list)
	}
	if err := npy.WriteFile(filepath.Join(dir, "none", "x.npy"), old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	long := filepath.Join(dir, strings.Repeat("x", 250)+".npy")
	if err := npy.WriteFile(long, old); err != nil && runtime.GOOS == "linux" {
		t.Errorf("the longest name that a file can have: %v", err)
	}
}

// A reader never sees a part of a file that is being replaced.
func TestReadersSeeWholeFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open for reading cannot be replaced there")
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	versions := []array.Any{values(t, array.Float64, []int{300, 200}), values(t, array.Int16, []int{17})}
	if err := npy.WriteFile(path, versions[0]); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		for i := range 30 {
			if err := npy.WriteFile(path, versions[i%2]); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		a, err := npy.ReadFile(path)
		if err != nil || !equal(a, versions[0]) && !equal(a, versions[1]) {
			t.Errorf("neither version: %v", err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}
