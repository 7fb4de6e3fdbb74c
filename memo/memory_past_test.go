package memo

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// slowStore stops readers of records after they have read, where they are asked to.
type slowStore struct {
	store.Store
	read, proceed chan struct{}
}

func (s slowStore) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	b, modified, err := s.Store.Get(ctx, name, limit)
	s.read <- struct{}{}
	<-s.proceed
	return b, modified, err
}

// TestMemoryIsNotFilledWithThePast: a reader has read the folder when the entry is
// forgotten, cleared or refreshed. It must not keep what it read.
func TestMemoryIsNotFilledWithThePast(t *testing.T) {
	ctx := t.Context()
	type function = *Function[func(context.Context, int) (int64, error)]
	for what, change := range map[string]func(*Cache, function) error{
		"Forget":  func(_ *Cache, f function) error { return f.Forget(1) },
		"Clear":   func(c *Cache, _ function) error { return c.Clear(ctx, nil) },
		"Refresh": func(_ *Cache, f function) error { return second(f.Refresh(ctx, 1)) },
	} {
		s := &storetest.Memory{}
		computed := new(atomic.Int64)
		memoize := func(c *Cache) function {
			f, err := Func(c, Spec{Name: "f"}, func(context.Context, int) (int64, error) { return computed.Add(1), nil })
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if _, err := memoize(openOn(t, s)).Call(ctx, 1); err != nil {
			t.Fatal(err)
		}
		slow := slowStore{s, make(chan struct{}), make(chan struct{})}
		c := withMemory(t, openOn(t, slow), Memory{})
		f := memoize(c)
		done := make(chan int64)
		go func() {
			n, err := f.Call(ctx, 1)
			if err != nil {
				t.Error(err)
			}
			done <- n
		}()
		<-slow.read
		c.storeMu.Lock()
		c.store = s // for all but the one who reads
		c.storeMu.Unlock()
		if err := change(c, f); err != nil {
			t.Error(what, err)
		}
		close(slow.proceed)
		if n := <-done; n != 1 {
			t.Errorf("%s: the reader got %d", what, n)
		}
		if n, err := f.Call(ctx, 1); n != 2 || err != nil {
			t.Errorf("%s: afterwards the memory has the result of computation %d; %v", what, n, err)
		}
	}
}
