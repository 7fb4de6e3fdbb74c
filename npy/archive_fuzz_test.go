package npy_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// seedArchives adds forged archives, those that NumPy made (testdata/npz), and
// dumps.
func seedArchives(f *testing.F) {
	for _, h := range hostileArchives() {
		f.Add(h.file)
	}
	made, err := filepath.Glob("../testdata/npz/*.npz")
	if err != nil || len(made) == 0 {
		f.Fatalf("testdata/npz: %v", err)
	}
	dir := f.TempDir()
	for level := range 2 {
		var v rich
		r := rand.New(rand.NewPCG(uint64(level), 7))
		fill(r, reflect.ValueOf(&v).Elem(), 2)
		for i, v := range []any{&v, map[string]any{"a": []any{1, "x\x00"}, "": []int{1, 2}}} {
			path := filepath.Join(dir, string(rune('a'+2*i+level)))
			restore := npy.SetZip64Limit(int64(level) * 1 << 40)
			err := npy.Dump(path, v, &npy.ArchiveOptions{Level: level})
			restore()
			if err != nil {
				f.Fatal(err)
			}
			made = append(made, path)
		}
	}
	for _, path := range made {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// knownError reports whether err is one that a bad archive may give.
func knownError(err error) bool {
	for _, known := range []error{npy.ErrFormat, npy.ErrUnsupported, npy.ErrTooLarge, npy.ErrMissing, npy.ErrType, array.ErrDType} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

func FuzzArchive(f *testing.F) {
	seedArchives(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var a *npy.Archive
		var err error
		got := allocated(func() {
			a, err = npy.NewArchive(bytes.NewReader(b), int64(len(b)), &npy.ArchiveOptions{MaxInflated: 1 << 24})
		})
		if limit := uint64(32*len(b) + 1<<20); got > limit { // the fuzzer allocates meanwhile
			t.Errorf("%d bytes were allocated for %d", got, len(b))
		}
		if err != nil {
			checkError(t, err)
			return
		}
		for _, name := range a.Names() {
			x, err := a.Read(name)
			if err != nil && !knownError(err) {
				t.Errorf("Read(%q): %v", name, err)
			}
			d, _, hashErr := a.Hash(t.Context(), name)
			if (err == nil) != (hashErr == nil) || err == nil && d != x.Digest() {
				t.Errorf("%q is read with %v and hashed with %v", name, err, hashErr)
			}
			r, openErr := a.Open(name)
			if openErr != nil {
				if err == nil {
					t.Errorf("%q is read, but Open: %v", name, openErr)
				}
				continue
			}
			if _, e := io.Copy(io.Discard, r); e != nil && (err == nil || !errors.Is(e, npy.ErrFormat)) {
				t.Errorf("%q: Read %v, Open %v", name, err, e)
			}
			r.Close()
		}
	})
}

func FuzzLoad(f *testing.F) {
	seedArchives(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := npy.NewArchive(bytes.NewReader(b), int64(len(b)), &npy.ArchiveOptions{MaxInflated: 1 << 20})
		if err != nil {
			return
		}
		for _, v := range []any{new(rich), new(any), new(map[string]array.Any), new([]inner)} {
			err := a.Load("", v)
			if err != nil {
				if !knownError(err) {
					t.Errorf("Load into %T: %v", v, err)
				}
				continue
			}
			path := filepath.Join(t.TempDir(), "x.npz")
			if err := npy.Dump(path, v, nil); err != nil {
				t.Fatalf("what was loaded cannot be dumped: %v", err)
			}
			again := reflect.New(reflect.TypeOf(v).Elem())
			if err := npy.Load(path, again.Interface()); err != nil {
				t.Fatalf("nor loaded again: %v", err)
			}
			if _, whole := v.(*any); whole {
				continue // a *Strings of several dimensions has no bits to compare
			}
			if d := differ("v", reflect.ValueOf(v), again); d != "" {
				t.Error(d)
			}
		}
	})
}
