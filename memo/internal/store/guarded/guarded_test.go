package guarded_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/guarded"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return guarded.New(&storetest.Memory{}, guarded.Options{}) })
}

// silent is a store that does not answer, as long as it is silent.
type silent struct {
	store.Store
	quiet atomic.Bool
	asked atomic.Int64
}

func (s *silent) answer(ctx context.Context) error {
	s.asked.Add(1)
	if s.quiet.Load() {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (s *silent) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	if err := s.answer(ctx); err != nil {
		return nil, time.Time{}, err
	}
	return s.Store.Get(ctx, name, limit)
}

func (s *silent) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := s.answer(ctx); err != nil {
		return store.Info{}, err
	}
	return s.Store.Stat(ctx, name)
}

func (s *silent) Open(ctx context.Context, name string) (store.Blob, error) {
	b, err := s.Store.Open(ctx, name)
	return silentBlob{b, ctx, s}, err
}

type silentBlob struct {
	store.Blob
	ctx context.Context
	s   *silent
}

func (b silentBlob) ReadAt(p []byte, offset int64) (int, error) {
	if err := b.s.answer(b.ctx); err != nil {
		return 0, err
	}
	return b.Blob.ReadAt(p, offset)
}

// TestSilence: a server that does not answer costs one timeout, is left alone, and is
// used again when it answers.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silent{Store: &storetest.Memory{}}
		g := guarded.New(s, guarded.Options{})
		defer g.Close()
		s.quiet.Store(true)
		began := time.Now()
		if _, err := g.Stat(t.Context(), "a"); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, guarded.ErrResting) {
			t.Errorf("%v", err)
		}
		for range 100 {
			if _, _, err := g.Get(t.Context(), "a", 1); !errors.Is(err, guarded.ErrResting) {
				t.Errorf("%v", err)
			}
		}
		if took := time.Since(began); took != guarded.Timeout || s.asked.Load() != 1 {
			t.Errorf("it took %v, and %d requests", took, s.asked.Load())
		}
		time.Sleep(guarded.Pause)
		if _, err := g.Stat(t.Context(), "a"); !errors.Is(err, store.ErrUnavailable) || s.asked.Load() != 2 {
			t.Errorf("%v", err)
		}
		time.Sleep(guarded.Pause)
		s.quiet.Store(false)
		for range 2 {
			if _, err := g.Stat(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestSilentBlob: so is one that falls silent while a blob is read.
func TestSilentBlob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silent{Store: &storetest.Memory{}}
		g := guarded.New(s, guarded.Options{})
		defer g.Close()
		if err := g.Put(t.Context(), "a", store.PutOptions{}, func(w io.Writer) error { _, err := io.WriteString(w, "abc"); return err }); err != nil {
			t.Fatal(err)
		}
		b, err := g.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		time.Sleep(time.Hour) // an open blob waits for its reader
		p := make([]byte, 3)
		if _, err := b.ReadAt(p, 0); err != nil || string(p) != "abc" {
			t.Errorf("%q, %v", p, err)
		}
		s.quiet.Store(true)
		if _, err := b.ReadAt(p, 0); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
}

// TestSilenceAtLock: who waits for a lock of a server that falls silent gives up; who
// waits for one who lives does not.
func TestSilenceAtLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silent{Store: &storetest.Memory{}}
		g := guarded.New(s, guarded.Options{})
		defer g.Close()
		unlock, err := g.Lock(t.Context(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		done := make(chan error, 1)
		go func() {
			_, err := g.Lock(t.Context(), 1, time.Minute)
			done <- err
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-done:
			t.Fatalf("gave up: %v", err)
		default:
		}
		s.quiet.Store(true)
		if err := <-done; !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
}

// TestFailures: some faults in a row are enough too; those of a callback, and what the
// caller ends, are none.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &storetest.Faulty{Store: &storetest.Memory{}}
		g := guarded.New(s, guarded.Options{})
		defer g.Close()
		mine := errors.New("mine")
		ended, end := context.WithCancel(t.Context())
		end()
		for range 10 {
			if err := g.Put(t.Context(), "a", store.PutOptions{}, func(io.Writer) error { return mine }); !errors.Is(err, mine) {
				t.Errorf("%v", err)
			}
			if _, err := g.Stat(ended, "a"); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if _, err := g.Stat(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v", err)
			}
		}
		broken := errors.New("500")
		s.Fail(func(int, string) error { return broken })
		for range 10 {
			if err := g.Delete(t.Context(), "a"); !errors.Is(err, broken) && !errors.Is(err, guarded.ErrResting) {
				t.Errorf("%v", err)
			}
		}
		if n := s.Count(); n != 3 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestPrepare: the store is prepared before its first use, again where that failed.
func TestPrepare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		g := guarded.New(&storetest.Memory{}, guarded.Options{Prepare: func(ctx context.Context, s store.Store) error {
			if calls++; calls < 3 {
				return store.ErrUnavailable
			}
			return nil
		}})
		defer g.Close()
		for i, want := range []error{store.ErrUnavailable, store.ErrUnavailable, nil, nil} {
			if err := g.Ready(t.Context()); !errors.Is(err, want) {
				t.Errorf("%d: %v, want %v", i, err, want)
			}
		}
		if calls != 3 {
			t.Errorf("prepared %d times", calls)
		}
	})
}
