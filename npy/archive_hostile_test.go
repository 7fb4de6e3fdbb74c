package npy_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// zipped is one file of a zip that zipOf makes.
type zipped struct {
	name   string
	method uint16
	data   []byte // as it stands in the archive
	size   uint64 // that it says it has once inflated
	crc    uint32
	flags  uint16
}

// zipOf makes an archive of files that say of themselves what they like.
func zipOf(files ...zipped) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{
			Name: f.name, Method: f.method, Flags: f.flags, CRC32: f.crc,
			CompressedSize64: uint64(len(f.data)), UncompressedSize64: f.size,
		}
		m, err := w.CreateRaw(h)
		if err != nil {
			panic(err)
		}
		m.Write(f.data)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// stored is a file whose claims are true.
func stored(name string, data []byte) zipped {
	return zipped{name, zip.Store, data, uint64(len(data)), crc32.ChecksumIEEE(data), 0}
}

// file3 is a .npy file of three bytes.
var file3 = append(headerOf(text3, 1), 1, 2, 3)

// hostileArchives are refused: when they are opened, or when member x is read.
func hostileArchives() map[string]struct {
	file []byte
	want error
} {
	x := stored("x.npy", file3)
	changed := func(change func(*zipped)) []byte {
		c := x
		change(&c)
		return zipOf(c)
	}
	sharing := zipOf(x, stored("y.npy", file3)) // y is made to lie where x does
	at := bytes.LastIndex(sharing, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(sharing[at+42:], 0)
	outside := zipOf(x)
	at = bytes.LastIndex(outside, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(outside[at+20:], 1<<30)
	binary.LittleEndian.PutUint32(outside[at+24:], 1<<30)
	huge := append(headerOf(with("'<f8'", "(1000000000000,)"), 1), 1, 2, 3)
	return map[string]struct {
		file []byte
		want error
	}{
		"nothing":          {nil, npy.ErrFormat},
		"text":             {[]byte("no zip"), npy.ErrFormat},
		"no end":           {zipOf(x)[:100], npy.ErrFormat},
		"twice":            {zipOf(x, x), npy.ErrName},
		"clash":            {zipOf(x, stored("x", file3)), npy.ErrName},
		"clash of .npy":    {zipOf(x, stored("x.npy.npy", file3)), npy.ErrName},
		"absolute":         {zipOf(x, stored("/y.npy", file3)), npy.ErrName},
		"out":              {zipOf(x, stored("a/../y.npy", file3)), npy.ErrName},
		"backslash":        {zipOf(x, stored(`a\y.npy`, file3)), npy.ErrName},
		"NUL":              {zipOf(x, stored("y.npy\x00", file3)), npy.ErrName},
		"no name":          {zipOf(x, stored("", file3)), npy.ErrName},
		"not UTF-8":        {zipOf(x, stored("\xff", file3)), npy.ErrName},
		"sharing":          {sharing, npy.ErrFormat},
		"outside":          {outside, npy.ErrFormat},
		"encrypted":        {changed(func(f *zipped) { f.flags = 1 }), npy.ErrUnsupported},
		"bzip2":            {changed(func(f *zipped) { f.method = 12 }), npy.ErrUnsupported},
		"size":             {changed(func(f *zipped) { f.size++ }), npy.ErrFormat},
		"checksum":         {changed(func(f *zipped) { f.crc++ }), npy.ErrFormat},
		"no deflate":       {changed(func(f *zipped) { f.method = zip.Deflate }), npy.ErrFormat},
		"bomb by claim":    {changed(func(f *zipped) { f.method, f.size = zip.Deflate, 1<<40 }), npy.ErrFormat},
		"claim of 2⁶³":     {changed(func(f *zipped) { f.method, f.size = zip.Deflate, 1<<63 }), npy.ErrFormat},
		"beyond the limit": {zipOf(zipped{"x.npy", zip.Deflate, make([]byte, 1<<14), 1<<20 + 1, 0, 0}), npy.ErrTooLarge},
		"huge":             {zipOf(stored("x.npy", huge)), npy.ErrFormat},
		"empty":            {zipOf(stored("x.npy", nil)), npy.ErrFormat},
		"cut":              {zipOf(stored("x.npy", file3[:len(file3)-1])), npy.ErrFormat},
		"no npy":           {zipOf(stored("x", []byte("hello"))), npy.ErrFormat},
		"objects":          {zipOf(stored("x.npy", hostile["objects"].file)), npy.ErrUnsupported},
	}
}

func TestHostileArchives(t *testing.T) {
	for name, tt := range hostileArchives() {
		var x array.Any
		var err error
		got := allocated(func() {
			var a *npy.Archive
			if a, err = npy.NewArchive(bytes.NewReader(tt.file), int64(len(tt.file)), &npy.ArchiveOptions{MaxInflated: 1 << 20}); err == nil {
				x, err = a.Read("x")
			}
		})
		if x != nil || !errors.Is(err, tt.want) || errors.Is(err, io.EOF) {
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
		if limit := uint64(16*len(tt.file) + 256<<10); got > limit {
			t.Errorf("%s: %d bytes were allocated for a file of %d", name, got, len(tt.file))
		}
	}
	// What is not asked for does no harm, and garbage around the zip neither.
	b := zipOf(stored("x.npy", file3), stored("o.npy", hostile["objects"].file), stored("note.txt", []byte("hello")))
	b = append(append([]byte("garbage before"), b...), "behind"...)
	a, err := npy.NewArchive(bytes.NewReader(b), int64(len(b)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Names(), []string{"x", "o", "note.txt"}) {
		t.Error(a.Names())
	}
	if x, err := a.Read("x"); err != nil || x.Len() != 3 {
		t.Error(err)
	}
	r, err := a.Open("note.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); string(text) != "hello" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	r.Close()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

// One bit changed anywhere in an archive changes no array: it is read as it was,
// or not at all.
func TestArchiveDamage(t *testing.T) {
	arrays := map[string]any{"a": []float64{1, 2, 3}, "b": make([]uint16, 50_000), "c": []int8{4}}
	for _, level := range []int{0, 6} {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := npy.WriteArchive(path, arrays, &npy.ArchiveOptions{Level: level}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := 1 + len(b)/2000
		for i := 0; i < len(b); i += step {
			damaged := bytes.Clone(b)
			damaged[i] ^= 1 << (i % 8)
			a, err := npy.NewArchive(bytes.NewReader(damaged), int64(len(b)), nil)
			if err != nil {
				checkError(t, err)
				continue
			}
			for name, v := range arrays {
				x, err := a.Read(name)
				if errors.Is(err, npy.ErrMissing) || errors.Is(err, npy.ErrTooLarge) {
					continue
				} else if err != nil {
					checkError(t, err)
				} else if src, _ := array.Of(v); x.Digest() != src.(array.Any).Digest() {
					t.Fatalf("level %d, byte %d: %s has changed", level, i, name)
				}
			}
		}
		for n := 0; n < len(b); n += step {
			if _, err := npy.NewArchive(bytes.NewReader(b[:n]), int64(n), nil); !errors.Is(err, npy.ErrFormat) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
	}
}

// A wrong list of a member's blocks changes nothing: the member is one stream.
func TestArchiveBlocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	want := filled(rand.New(rand.NewPCG(3, 4)), array.Uint8, []int{3 << 20})
	if err := npy.WriteArchive(path, map[string]any{"x": want}, &npy.ArchiveOptions{Level: 1}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	field := bytes.LastIndex(b, []byte("nc\x14\x00")) // four blocks
	if field < 0 {
		t.Fatal("the archive does not list blocks")
	}
	for name, change := range map[string]func([]byte){
		"as it is":    func([]byte) {},
		"another id":  func(f []byte) { f[0]++ },
		"length":      func(f []byte) { f[2]-- },
		"block size":  func(f []byte) { f[4]++ },
		"sum":         func(f []byte) { f[8]++ },
		"other sizes": func(f []byte) { f[8]++; f[12]-- },
		"exchanged":   func(f []byte) { f[8], f[12], f[9], f[13] = f[12], f[8], f[13], f[9]; f[10], f[14] = f[14], f[10] },
		"a size of 0": func(f []byte) {
			le := binary.LittleEndian
			le.PutUint32(f[12:], le.Uint32(f[8:])+le.Uint32(f[12:]))
			le.PutUint32(f[8:], 0)
		},
	} {
		c := bytes.Clone(b)
		change(c[field:])
		a, err := npy.NewArchive(bytes.NewReader(c), int64(len(c)), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if x, err := a.Read("x"); err != nil || !equal(x, want) {
			t.Errorf("%s: other elements, %v", name, err)
		}
	}
}
