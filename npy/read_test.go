package npy_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// Arrays that follow each other in an open file take their own memory and no more,
// and after each the file stands at the next one.
func TestReadOfAnOpenFile(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	var arrays []array.Any
	var content []byte
	for i, o := range slices.Concat(orders, orders) {
		a := random(t, r, array.Float64, 10+200_000*(i/len(orders)), 3)
		arrays = append(arrays, a)
		content = append(content, layout(t, a, o.fortran, o.big)...)
	}
	f, err := os.Open(write(t, "x.npy", content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, want := range arrays {
		var a array.Any
		got := allocated(func() { a, err = npy.Read(f) })
		if err != nil || !equal(a, want) {
			t.Fatalf("array %d: other elements, %v", i, err)
		}
		if size := uint64(8 * a.Len()); got > 2*size+1<<20 {
			t.Errorf("array %d: %d bytes were allocated for %d", i, got, size)
		}
	}
	if _, err := npy.Read(f); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last array: error %v", err)
	}
}

// A file whose length is in doubt is read as a stream.
func TestReadOfOtherFiles(t *testing.T) {
	want := random(t, rand.New(rand.NewPCG(25, 26)), array.Int32, 300_000)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wrote := make(chan error, 1)
	go func() {
		wrote <- errors.Join(npy.Write(w, want), w.Close())
	}()
	if a, err := npy.Read(r); err != nil || !equal(a, want) {
		t.Errorf("a pipe: %v", err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	short := write(t, "x.npy", fileOf(t, want)[:1000])
	f, err := os.Open(short)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if a, err := npy.Read(f); a != nil || !errors.Is(err, npy.ErrFormat) {
		t.Errorf("a file that was cut: %v", err)
	}
	f.Close()
	if a, err := npy.Read(f); a != nil || !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file: %v", err)
	}
}
