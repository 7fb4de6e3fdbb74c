package storetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// testPutTogether tests stores that put several blobs together.
func testPutTogether(t *testing.T, s store.Store) {
	together, ok := s.(store.Together)
	if !ok {
		t.Skip("each blob for itself")
	}
	now := time.Now().Truncate(time.Second)
	blob := func(name, text string) store.NewBlob {
		return store.NewBlob{Name: name, Size: int64(len(text)), Write: content([]byte(text))}
	}
	for _, text := range []string{"one", "two"} { // the second time in place of the first
		name, err := together.PutTogether(t.Context(), []store.NewBlob{blob("a/b/x", text), blob("a/c/y", text+text), blob("d/z", "last "+text)}, now)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("each blob for itself")
		}
		if err != nil {
			t.Fatal(name, err)
		}
		checkContent(t, s, "a/b/x", text)
		checkContent(t, s, "a/c/y", text+text)
		checkContent(t, s, "d/z", "last "+text)
	}
	if info, err := s.Stat(t.Context(), "d/z"); err != nil || !info.Modified.Equal(now) {
		t.Errorf("Stat: %v, %v; want %v", info, err, now)
	}
	// As with PutIfAbsent, the time of one that was there stays if it is later.
	if _, err := together.PutTogether(t.Context(), []store.NewBlob{blob("a/b/x", "two"), blob("d/z", "last two")}, now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]time.Time{"a/b/x": now, "d/z": now.Add(-time.Minute)} {
		if info, err := s.Stat(t.Context(), name); err != nil || !info.Modified.Equal(want) {
			t.Errorf("Stat: %v, %v; want %v", info, err, want)
		}
	}
	broken := errors.New("broken")
	fails := store.NewBlob{Name: "a/fails", Write: func(io.Writer) error { return broken }}
	if name, err := together.PutTogether(t.Context(), []store.NewBlob{blob("a/new", "x"), fails, blob("d/new", "x")}, now); !errors.Is(err, broken) || name != "a/fails" {
		t.Errorf("one fails to write: %q, %v", name, err)
	}
	if name, err := together.PutTogether(t.Context(), []store.NewBlob{blob("a/new", "x"), blob("../x", "x")}, now); !errors.Is(err, fs.ErrInvalid) || name != "../x" {
		t.Errorf("a name that leads out: %q, %v", name, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := together.PutTogether(ctx, []store.NewBlob{blob("d/new", "x")}, now); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	checkMissing(t, s, "a/fails")
	checkMissing(t, s, "d/new")
	if _, err := together.PutTogether(t.Context(), nil, now); err != nil {
		t.Errorf("nothing: %v", err)
	}
}
