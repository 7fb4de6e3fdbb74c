package npy_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// A value that does not fit leaves the file as it is.
func TestAppendRefuses(t *testing.T) {
	a, path := appender(t, array.Float64, 3)
	if err := a.Append([]float64{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	old := content(t, path)
	for name, tt := range map[string]struct {
		v    any
		want error
	}{
		"nil":              {nil, array.ErrNil},
		"nil matrix":       {(*mat.Dense)(nil), array.ErrNil},
		"text":             {"text", array.ErrDType},
		"float32":          {[]float32{1, 2, 3}, array.ErrDType},
		"int":              {[]int{1, 2, 3}, array.ErrDType},
		"too few columns":  {mat.NewDense(3, 2, nil), array.ErrShape},
		"too many columns": {mat.NewDense(3, 4, nil), array.ErrShape},
		"a short row":      {[]float64{1, 2}, array.ErrShape},
		"a 0-d array":      {values(t, array.Float64, nil), array.ErrShape},
		"three dimensions": {values(t, array.Float64, []int{1, 1, 3}), array.ErrShape},
		"empty":            {&mat.Dense{}, array.ErrShape},
		"negative":         {source{dtype: array.Float64, shape: []int{-1, 3}}, array.ErrShape},
		"too many rows":    {source{dtype: array.Float64, shape: []int{int(^uint(0) >> 1), 3}}, array.ErrShape},
		"Encode fails":     {source{dtype: array.Float64, shape: []int{1, 3}, err: errBroken}, errBroken},
	} {
		err := a.Append(tt.v)
		var of *npy.Error
		if !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Op != "append" || of.Path != path {
			t.Errorf("%s: error %v", name, err)
		}
		if !bytes.Equal(content(t, path), old) || a.Rows() != 1 {
			t.Errorf("%s: the file has changed", name)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic of the caller's own Source was swallowed")
			}
		}()
		a.Append(panicky{source{dtype: array.Float64, shape: []int{1, 3}}})
	}()
	if err := a.Append([]float64{4, 5, 6}); err != nil { // no lock is left behind
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	for door, err := range map[string]error{"Append": a.Append([]float64{1, 2, 3}), "Sync": a.Sync(), "Close": a.Close()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s once closed: error %v", door, err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	check := leaks(t)
	path := write(t, "x.npy", []byte("precious"))
	err := second(npy.Create(path, array.Float64))
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "OpenAppend") || string(content(t, path)) != "precious" {
		t.Errorf("a file that is there: error %v", err)
	}
	fresh := filepath.Join(filepath.Dir(path), "new.npy")
	for name, tt := range map[string]struct {
		d    array.DType
		row  []int
		want error
	}{
		"no type":  {0, nil, array.ErrDType},
		"negative": {array.Int8, []int{-1}, array.ErrShape},
		"huge":     {array.Int8, []int{int(^uint(0) >> 1)}, array.ErrShape},
		"64 more":  {array.Int8, make([]int, 64), array.ErrShape},
	} {
		a, err := npy.Create(fresh, tt.d, tt.row...)
		var of *npy.Error
		if a != nil || !errors.Is(err, tt.want) || !errors.As(err, &of) || of.Path != fresh {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if list := names(t, filepath.Dir(path)); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
	check()
}

// Headers that other writers make.
func TestOpenAppendForeign(t *testing.T) {
	check := leaks(t)
	three := []byte{1, 2, 3}
	for name, tt := range map[string]struct {
		file []byte
		ok   bool
	}{
		"no room":            {headerOf(text3, 1), false},
		"no newline":         {headerOf(strings.ReplaceAll(text3, " ", "")+strings.Repeat(" ", 20), 1), true},
		"room for a digit":   {headerOf(text3+" \n", 1), true},
		"reordered":          {headerOf("{'shape': (3,), 'fortran_order': False, 'descr': '|u1'}"+strings.Repeat(" ", 30), 2), true},
		"Fortran and 1-d":    {headerOf(strings.Replace(text3, "False", "True", 1)+strings.Repeat(" ", 30), 3), true},
		"Fortran and a row":  {headerOf("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 3), }"+strings.Repeat(" ", 30), 1), false},
		"another array":      {append(append(headerOf(text3+strings.Repeat(" ", 30), 1), three...), headerOf(text3, 1)...), false},
		"something else":     {append(append(headerOf(text3+strings.Repeat(" ", 30), 1), three...), "something else"...), true},
		"10000 bytes":        {headerOf(text3+strings.Repeat(" ", 10000-len(text3)), 1), true},
		"Python 2":           {headerOf(strings.Replace(text3, "3,", "3L,", 1)+strings.Repeat(" ", 30), 1), true},
		"objects":            {headerOf(with("'|O'", "(3,)"), 1), false},
		"no header":          {[]byte("no header"), false},
		"nothing":            {nil, false},
		"negative":           {headerOf(with("'|u1'", "(-3,)"), 1), false},
		"another byte order": {headerOf(strings.Replace(text3, "|", ">", 1)+strings.Repeat(" ", 30), 1), true},
	} {
		file := tt.file
		if !bytes.Contains(file, three) {
			file = append(bytes.Clone(file), three...)
		}
		path := write(t, "x.npy", file)
		a, err := npy.OpenAppend(path)
		if !tt.ok {
			if a != nil || !errors.Is(err, npy.ErrUnsupported) && !errors.Is(err, npy.ErrFormat) || !bytes.Equal(content(t, path), file) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range 7 {
			if err := a.Append([]uint8{uint8(4 + i)}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := a.Append(make([]uint8, 90)); errors.Is(err, npy.ErrUnsupported) != (name == "room for a digit") {
			t.Errorf("%s: 100 rows: %v", name, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		got, err := npy.ReadFileAs[uint8](path)
		if err != nil || !slices.Equal(got.Data()[:10], []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none.npy")} {
		if a, err := npy.OpenAppend(path); a != nil || err == nil {
			t.Errorf("%s: error %v", path, err)
		}
	}
	check()
}

// A file has one Appender at a time, in this process and any other.
func TestOneAppender(t *testing.T) {
	switch runtime.GOOS {
	case "linux", "darwin":
	default:
		t.Skip("no locks on this system")
	}
	a, path := appender(t, array.Float64)
	b, err := npy.OpenAppend(path)
	var of *npy.Error
	if b != nil || !errors.Is(err, npy.ErrLocked) || !errors.As(err, &of) || of.Path != path {
		t.Errorf("a second one: error %v", err)
	}
	const try = `
import fcntl, sys
try:
    fcntl.flock(open(sys.argv[1], "rb+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("free")
except BlockingIOError:
    print("locked")
`
	if out := numpy.Run(t, try, path); strings.TrimSpace(out) != "locked" {
		t.Errorf("another process finds it %s", out)
	}
	if _, err := npy.ReadFile(path); err != nil { // readers are free
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if out := numpy.Run(t, try, path); strings.TrimSpace(out) != "free" {
		t.Errorf("once closed, another process finds it %s", out)
	}
	if b, err = npy.OpenAppend(path); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
