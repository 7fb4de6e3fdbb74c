package npy_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// seed adds every vector, the legal oddities and the hostile files.
func seed(f *testing.F) {
	for _, v := range allVectors(f) {
		b, err := os.ReadFile(filepath.Join(vectorFolder, v.File))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, b := range legal {
		f.Add(append(bytes.Clone(b), 1, 2, 3))
	}
	for _, h := range hostile {
		f.Add(h.file)
	}
	for _, h := range hostileStrings {
		f.Add(append(headerOf(h.text, 1), h.data...))
	}
	for i, descr := range descrs {
		f.Add(append(headerOf(with(descr, "(2, 1)"), byte(1+i%3)), make([]byte, 64)...))
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, npy.ErrFormat) && !errors.Is(err, npy.ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}

func FuzzReadHeader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		h, size, err := npy.ReadHeader(r)
		if err != nil {
			checkError(t, err)
			if h.Kind != 0 || h.DType != 0 || h.Shape != nil || size != 0 {
				t.Errorf("%+v, %d beside error %v", h, size, err)
			}
			return
		}
		if size != int64(len(b)-r.Len()) || size > 12+4*10000 {
			t.Errorf("a header of %d bytes, %d were read", size, len(b)-r.Len())
		}
		if n, err := h.DataSize(); err != nil || n < 0 {
			t.Errorf("%+v has %d bytes, %v", h, n, err)
		}
		// What is read can be written, unless the text grows beyond what is read.
		written, err := h.Append(nil)
		if err != nil {
			if len(b) < 1000 || !errors.Is(err, npy.ErrUnsupported) {
				t.Errorf("%+v cannot be written: %v", h, err)
			}
			return
		}
		again, n, err := npy.ReadHeader(bytes.NewReader(written))
		if err != nil || n != int64(len(written)) || n%64 != 0 || !reflect.DeepEqual(h, again) {
			t.Errorf("%+v is written as %q and read as %+v, %v", h, written, again, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, _, _ := npy.ReadHeader(bytes.NewReader(b))
		switch h.Kind {
		case npy.Bytes, npy.Text:
			fuzzStrings(t, b)
			return
		case npy.Struct:
			fuzzFields(t, h.Type, "", b)
		}
		var a array.Any
		var err error
		bounded(t, b, func() { a, err = npy.Read(stream{bytes.NewReader(b)}) })
		known, knownErr := npy.Read(bytes.NewReader(b))
		if (err == nil) != (knownErr == nil) || err == nil && !equal(a, known) {
			t.Errorf("of unknown length: %v; of known length: %v", err, knownErr)
		}
		if err != nil {
			checkError(t, err)
			return
		}
		var file bytes.Buffer
		if err := npy.Write(&file, a); err != nil {
			t.Fatal(err)
		}
		if again, err := npy.Read(&file); err != nil || !equal(a, again) {
			t.Errorf("%v %v does not survive Write and Read: %v", a.DType(), a.Shape(), err)
		}
	})
}

// bounded runs f, which may allocate as much as the bytes of b justify. A string of
// one byte costs 16 bytes, and twice that while a list of them grows.
func bounded(t *testing.T, b []byte, f func()) {
	t.Helper()
	got := allocated(f)
	if limit := uint64(128*len(b) + 1<<20); got > limit { // the fuzzer allocates meanwhile
		t.Errorf("%d bytes were allocated for %d", got, len(b))
	}
}

func fuzzStrings(t *testing.T, b []byte) {
	var s *npy.Strings
	var err error
	bounded(t, b, func() { s, err = npy.ReadStringsFrom(stream{bytes.NewReader(b)}) })
	if err != nil {
		checkError(t, err)
		return
	}
	var file bytes.Buffer
	if err := npy.Write(&file, s); err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	again, err := npy.ReadStringsFrom(&file)
	s.Width = max(s.Width, 1) // as NumPy writes
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Errorf("%+v does not survive Write and Read: %+v, %v", s, again, err)
	}
}

// fuzzFields reads every field of the file b.
func fuzzFields(t *testing.T, of npy.Type, prefix string, b []byte) {
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, f := range of.Fields {
		if i == 10 {
			break // of thousands
		}
		name := prefix + f.Name
		var err error
		bounded(t, b, func() {
			switch f.Type.Kind {
			case npy.Bytes, npy.Text:
				_, err = npy.ReadStringField(path, name)
			default:
				_, err = npy.ReadField(path, name)
			}
		})
		if err != nil {
			checkError(t, err)
		}
		if f.Type.Kind == npy.Struct && len(prefix) < 10 {
			fuzzFields(t, f.Type, name+".", b)
		}
	}
}
