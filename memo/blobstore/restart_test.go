package blobstore_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// TestServerKilledWhileItIsWrittenTo: what was being uploaded is not to be seen, what was
// there is, and the store goes on with the server that comes back.
func TestServerKilledWhileItIsWrittenTo(t *testing.T) {
	t.Parallel()
	needServer(t)
	s, err := startServer(filepath.Join(t.TempDir(), "own"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill() })
	address := url(s.address, s.bucket(t), "timeout=5s")
	c := openCache(t, address)
	c.call(t, 1, 200)
	st := openStore(t, address)
	ctx := context.Background()
	if err := st.Put(ctx, "a/old", store.PutOptions{}, text("old")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/old", "a/new"} {
		for _, size := range []int{1 << 10, 40 << 20} { // in one request, in several
			err := st.Put(ctx, name, store.PutOptions{}, func(w io.Writer) error {
				if _, err := w.Write(make([]byte, size)); err != nil {
					return err
				}
				s.kill()
				_, err := w.Write(make([]byte, size))
				return err
			})
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Put %s of %d bytes: %v, want ErrUnavailable", name, size, err)
			}
			c.call(t, 2, 200) // computes
			if err := s.start(); err != nil {
				t.Fatal(err)
			}
			again(t, func() error {
				b, _, err := st.Get(ctx, "a/old", 100<<20)
				if err == nil && string(b) != "old" {
					t.Errorf("%d other bytes", len(b))
				}
				return err
			})
			if _, err := st.Stat(ctx, "a/new"); name == "a/new" && err == nil {
				t.Error("half of a blob is to be seen")
			}
		}
	}
	before := c.Stats().Hits
	again(t, func() error {
		c.call(t, 1, 200)
		if c.Stats().Hits == before {
			return errors.New("no hit")
		}
		return nil
	})
	if c.computed.Load() < 5 {
		t.Errorf("computed %d times while the server was away", c.computed.Load()-1)
	}
}

// again tries until there is no error: a store leaves a server alone for some seconds
// that could not be had.
func again(t *testing.T, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// text returns a write callback.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}
