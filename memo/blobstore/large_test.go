package blobstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
)

// noise returns bytes that follow from a seed.
func noise(seed uint64, size int) []byte {
	var key [32]byte
	key[0] = byte(seed)
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// inPieces writes b as memo does.
func inPieces(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for at := 0; at < len(b); at += 256 << 10 {
			if _, err := w.Write(b[at:min(at+256<<10, len(b))]); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestLargeRaced puts large blobs several times at once, where a server tells the loser
// in its own ways: nobody gets an error, and the blob is whole.
func TestLargeRaced(t *testing.T) {
	s := needServer(t)
	st := openStore(t, url(s.address, s.bucket(t)))
	for _, megabytes := range []int{5, 8, 12, 20, 100} {
		content := noise(uint64(megabytes), megabytes<<20)
		name := fmt.Sprint("objects/", megabytes)
		var wg sync.WaitGroup
		var written atomic.Int64
		for range 2 {
			wg.Go(func() {
				put, err := st.PutIfAbsent(context.Background(), name, int64(len(content)), store.PutOptions{Durable: true}, inPieces(content))
				if err != nil {
					t.Errorf("%d MB: %v", megabytes, err)
				}
				if put {
					written.Add(1)
				}
			})
		}
		wg.Wait()
		if written.Load() != 1 {
			t.Errorf("%d MB: %d say that they wrote it", megabytes, written.Load())
		}
		got, _, err := st.Get(context.Background(), name, int64(len(content)))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d MB: %d bytes, %v", megabytes, len(got), err)
		}
		checkRanges(t, st, name, content)
	}
}

// checkRanges reads a blob in pieces, from several goroutines as memo does.
func checkRanges(t *testing.T, st store.Store, name string, content []byte) {
	t.Helper()
	blob, err := st.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	var wg sync.WaitGroup
	const workers = 3
	for w := range workers {
		wg.Go(func() {
			to := len(content) * (w + 1) / workers
			for at := len(content) * w / workers; at < to; {
				b := make([]byte, min(256<<10, to-at))
				if n, err := blob.ReadAt(b, int64(at)); n != len(b) || !bytes.Equal(b, content[at:at+n]) {
					t.Errorf("%s: %d other bytes at %d, %v", name, n, at, err)
					return
				}
				at += len(b)
			}
		})
	}
	wg.Wait()
}

// TestReplacedWhileOpen: of a large blob that is replaced, nobody reads half of each.
func TestReplacedWhileOpen(t *testing.T) {
	s := needServer(t)
	st := openStore(t, url(s.address, s.bucket(t)))
	ctx := context.Background()
	one, two := noise(1, 1<<20), noise(2, 1<<20)
	if err := st.Put(ctx, "a/b", store.PutOptions{}, inPieces(one)); err != nil {
		t.Fatal(err)
	}
	blob, err := st.Open(ctx, "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if err := st.Put(ctx, "a/b", store.PutOptions{}, inPieces(two)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1000)
	for _, at := range []int64{0, 100 << 10, 500 << 10, 1<<20 - 1000} {
		if n, err := blob.ReadAt(b, at); !bytes.Equal(b[:n], one[at:at+int64(n)]) || n < len(b) && err == nil {
			t.Errorf("at %d: %d other bytes, %v", at, n, err)
		}
	}
}

// TestAbandonedUploads: an upload whose writer fails leaves nothing on the server.
func TestAbandonedUploads(t *testing.T) {
	s := needServer(t)
	bucket := s.bucket(t)
	st := openStore(t, url(s.address, bucket))
	broken := errors.New("broken")
	fail := func(end func() error) func(io.Writer) error {
		return func(w io.Writer) error { return errors.Join(inPieces(noise(1, 40<<20))(w), end()) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := st.Put(ctx, "a/b", store.PutOptions{}, fail(func() error { return broken })); !errors.Is(err, broken) {
		t.Errorf("%v, want the callback's error", err)
	}
	if err := st.Put(ctx, "a/b", store.PutOptions{}, fail(func() error { cancel(); return nil })); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	for info := range st.List(context.Background(), ".") {
		t.Errorf("%s is there", info.Name)
	}
	left, err := filepath.Glob(filepath.Join(s.folder, bucket, ".sgwtmp", "multipart", "*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("uploads are left: %q, %v", left, err)
	}
}
