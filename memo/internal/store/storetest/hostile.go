package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// InvalidNames are refused by every method of every store, but that List takes ".".
var InvalidNames = []string{
	"", ".", "..", "/", "/etc/passwd", "../x", "a/../x", "a/../../x", "a/..", "./a", "a/./b", "a//b", "a/", "/a",
	"a\\b", "..\\x", "a\x00", "\x00", "a/b\x00c", "c:", "c:/x", "a:stream", "\xff\xfe",
}

// everyCall calls every method of s that takes a name and passes on the errors.
func everyCall(ctx context.Context, s store.Store, name string, check func(method string, err error)) {
	write := func(io.Writer) error { return nil }
	_, _, err := s.Get(ctx, name, limit)
	check("Get", err)
	_, err = s.Open(ctx, name)
	check("Open", err)
	_, err = s.Stat(ctx, name)
	check("Stat", err)
	check("Put", s.Put(ctx, name, store.PutOptions{}, write))
	_, err = s.PutIfAbsent(ctx, name, 0, store.PutOptions{}, write)
	check("PutIfAbsent", err)
	check("Freshen", s.Freshen(ctx, name, time.Now()))
	check("Delete", s.Delete(ctx, name))
	check("Quarantine", s.Quarantine(ctx, name))
	for _, err = range s.List(ctx, name) {
	}
	check("List", err)
}

func testInvalidNames(t *testing.T, s store.Store) {
	for _, name := range InvalidNames {
		everyCall(t.Context(), s, name, func(method string, err error) {
			if method == "List" && name == "." {
				return // it lists all
			}
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s %q: %v, want fs.ErrInvalid", method, name, err)
			}
		})
	}
}

func testCancelled(t *testing.T, s store.Store) {
	put(t, s, "a/b", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	everyCall(ctx, s, "a/b", func(method string, err error) {
		if method == "List" {
			err = nil
			for _, err = range s.List(ctx, "a") {
			}
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", method, err)
		}
	})
	checkContent(t, s, "a/b", "x")
	// Cancelled while it is written, a blob stays unpublished.
	ctx, cancel = context.WithCancel(t.Context())
	err := s.Put(ctx, "a/b", store.PutOptions{}, func(w io.Writer) error {
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		cancel()
		_, err := w.Write([]byte("whole"))
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Put, cancelled meanwhile: %v", err)
	}
	checkContent(t, s, "a/b", "x")
}

func testOpenBlobsStay(t *testing.T, s store.Store) {
	for name, change := range map[string]func(name string) error{
		"replaced": func(name string) error {
			return s.Put(t.Context(), name, store.PutOptions{}, content([]byte("new and longer")))
		},
		"deleted":     func(name string) error { return s.Delete(t.Context(), name) },
		"quarantined": func(name string) error { return s.Quarantine(t.Context(), name) },
	} {
		put(t, s, name, "old")
		blob, err := s.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b := make([]byte, 3)
		if n, err := blob.ReadAt(b, 0); n != 3 || string(b) != "old" || blob.Size() != 3 {
			t.Errorf("%s: an open blob reads %q, %v", name, b[:n], err)
		}
		if err := blob.Close(); err != nil {
			t.Error(err)
		}
	}
}

// uniform returns a blob whose every byte and length follow from n.
func uniform(n int) string {
	return strings.Repeat(string(rune('a'+n%26)), 1000+n%26*100)
}

func isUniform(b []byte) bool {
	return len(b) > 0 && string(b) == uniform(int(b[0]-'a'))
}

// testAtomicReplace checks that readers see whole blobs while writers replace
// them.
func testAtomicReplace(t *testing.T, s store.Store) {
	const writers, rounds = 2, 100
	put(t, s, "a/b", uniform(0))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if b, _, err := s.Get(context.Background(), "a/b", limit); err != nil || !isUniform(b) {
					t.Errorf("a reader got %d bytes, %.20q…, %v", len(b), b, err)
					return
				}
			}
		})
	}
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range rounds {
				text := uniform(w + i)
				err := s.Put(context.Background(), "a/b", store.PutOptions{}, func(w io.Writer) error {
					for part := range slices.Chunk([]byte(text), 300) {
						if _, err := w.Write(part); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	wg.Wait()
}

// testConcurrentUse runs everything at once, on few names. What is read is
// whole; nothing fails but for a blob that is missing.
func testConcurrentUse(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			ctx := context.Background()
			for i := range 60 {
				name := fmt.Sprintf("a/%d/%d", i%2, (g+i)%3)
				var err error
				switch (g + i/3) % 6 {
				case 0, 1:
					err = s.Put(ctx, name, store.PutOptions{}, content([]byte(uniform(g+i))))
				case 2:
					_, err = s.PutIfAbsent(ctx, name, int64(len(uniform(g))), store.PutOptions{}, content([]byte(uniform(g))))
				case 3:
					err = s.Delete(ctx, name)
				case 4:
					for _, err = range s.List(ctx, "a") {
					}
				case 5:
					err = s.Quarantine(ctx, name)
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				b, _, err := s.Get(ctx, name, limit)
				if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !isUniform(b) {
					t.Errorf("Get %s: %.20q…, %v", name, b, err)
				}
			}
		})
	}
	wg.Wait()
}

func testClosed(t *testing.T, s store.Store) {
	put(t, s, "a/b", "x")
	blob, err := s.Open(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	b := make([]byte, 1)
	if n, err := blob.ReadAt(b, 0); n != 1 || b[0] != 'x' {
		t.Errorf("a blob opened before Close reads %d bytes, %v", n, err)
	}
	everyCall(t.Context(), s, "a/b", func(method string, err error) {
		if err == nil {
			t.Errorf("%s after Close: no error", method)
		}
	})
}
