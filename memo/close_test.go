package memo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

func TestCloseWhileComputing(t *testing.T) {
	inBubble(t, func(t *testing.T, c *Cache, s *storetest.Memory) {
		release := make(chan struct{})
		w := start(t, func(ctx context.Context) (int, error) {
			return Do(ctx, c, NewKey("f", "1"), func(context.Context) (int, error) { <-release; return 1, nil })
		})
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		if !w.done || w.value != 1 || w.err != nil {
			t.Errorf("the call under way: %+v", w)
		}
		if len(s.Blobs()) > 0 {
			t.Error("stored after Close")
		}
		w.cancel()
	})
}

func TestUseAfterClose(t *testing.T) {
	ctx := t.Context()
	c := openQuiet(t, t.TempDir())
	f := memoizeSample(t, c)
	got, err := f.Call(ctx, 1)
	checkSample(t, 1, got, err)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		got, err := f.Call(ctx, 1)
		checkSample(t, 1, got, err)
	}
	if s := c.Stats(); s.Misses != 3 || s.Hits != 0 || s.Faults == 0 {
		t.Errorf("%+v", s)
	}
	_, hasErr := f.Has(1)
	_, objectErr := c.Object(ctx, array.Digest{})
	_, verifyErr := c.Verify(ctx, nil)
	for what, err := range map[string]error{"Has": hasErr, "Forget": f.Forget(1), "Clear": c.Clear(ctx, nil), "Object": objectErr, "Verify": verifyErr} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", what, err)
		}
	}
	for _, err := range c.Records(ctx) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Records after Close: %v, want ErrClosed", err)
		}
	}
}

// TestCloseWaitsForThoseWhoUseTheCacheAgain: within a loop over the records, and
// within progress functions, the cache is used while another goroutine closes it.
// A lock that lets no new reader pass a waiting writer would hang here.
func TestCloseWaitsForThoseWhoUseTheCacheAgain(t *testing.T) {
	for what, loop := range map[string]func(c *Cache, inside func()){
		"Records": func(c *Cache, inside func()) {
			for range c.Records(context.Background()) {
				inside()
			}
		},
		"Verify": func(c *Cache, inside func()) { _, _ = c.Verify(context.Background(), func(Progress) { inside() }) },
		"Clear":  func(c *Cache, inside func()) { _ = c.Clear(context.Background(), func(Progress) { inside() }) },
	} {
		inBubble(t, func(t *testing.T, c *Cache, _ *storetest.Memory) {
			f := memoizeSample(t, c)
			for n := range 2 {
				got, err := f.Call(t.Context(), n)
				checkSample(t, n, got, err)
			}
			closed := false
			var once sync.Once
			loop(c, func() {
				once.Do(func() {
					go func() {
						if err := c.Close(); err != nil {
							t.Error(err)
						}
						closed = true
					}()
				})
				synctest.Wait() // Close waits for the loop
				if closed {
					t.Errorf("%s: closed under a reader", what)
				}
				if _, err := c.Has(t.Context(), NewKey("sample", "1").Add(1)); !errors.Is(err, ErrClosed) {
					t.Errorf("%s: Has, while Close waits: %v", what, err)
				}
				got, err := f.Call(t.Context(), 1)
				checkSample(t, 1, got, err)
			})
			synctest.Wait()
			if !closed {
				t.Errorf("%s: still open after the loop", what)
			}
		})
	}
}

// TestEverythingAtOnce mixes calls, Forget, Clear, Verify and Records on one
// cache, and closes it in the middle: no result is wrong, no error comes but those
// of a closed cache.
func TestEverythingAtOnce(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		c := openQuiet(t, dir)
		f := memoizeSample(t, c)
		var wg sync.WaitGroup
		check := func(what string, err error) {
			if err != nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for g := range 8 {
			wg.Go(func() {
				for i := range 40 {
					n := (g + i) % 3
					got, err := f.Call(context.Background(), n)
					checkSample(t, n, got, err)
					switch g {
					case 0:
						check("Forget", f.Forget(n))
					case 1:
						if i%10 == 0 {
							check("Clear", c.Clear(context.Background(), nil))
						}
					case 2:
						r, err := c.Verify(context.Background(), nil)
						check("Verify", err)
						check("Verify", errors.Join(r.Damaged...))
					case 3:
						for r, err := range c.Records(context.Background()) {
							check("Records", err)
							if err == nil && r.Function != "sample" {
								t.Errorf("%+v", r)
							}
						}
					case 4:
						_, err := f.Has(n)
						check("Has", err)
					case 5:
						if i == 30 && round > 0 {
							check("Close", c.Close())
						}
					}
				}
			})
		}
		wg.Wait()
		if s := c.Stats(); round == 0 && s.Faults > 0 {
			t.Errorf("%+v: faults without a cause", s)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestNilAndZero uses what has no cache, no context or no key: no panic.
func TestNilAndZero(t *testing.T) {
	var none *Cache
	var zero Cache
	on := openOn(t, &storetest.Memory{})
	var nilContext context.Context
	one := func(context.Context) (int, error) { return 1, nil }
	for name, c := range map[string]*Cache{"nil": none, "zero": &zero, "without folder": openQuiet(t, ""), "in memory": on} {
		for i, k := range []Key{{}, NewKey("f", ""), NewKey("", "1").Add(func() {})} {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				got, err := Do(nilContext, c, k, one)
				if c != none && (got != 1 || err != nil) || c == none && !errors.Is(err, ErrNil) {
					t.Error("Do:", got, err)
				}
				if _, err := c.Has(nilContext, k); (err != nil) != (c == none || k.Err() != nil) {
					t.Error("Has:", err)
				}
				if err := c.Forget(nilContext, k); (err != nil) != (c == none || k.Err() != nil) {
					t.Error("Forget:", err)
				}
				_ = k.String()
			})
		}
		for _, err := range c.Records(nilContext) {
			if c != none || !errors.Is(err, ErrNil) {
				t.Error("Records:", err)
			}
		}
		_, objectErr := c.Object(nilContext, array.Digest{})
		_, verifyErr := c.Verify(nilContext, nil)
		_, clearErr := c.ClearFunction(nilContext, "f")
		for what, err := range map[string]error{"Object": objectErr, "Verify": verifyErr, "ClearFunction": clearErr, "Clear": c.Clear(nilContext, nil), "Close": c.Close()} {
			wantNil := c == none && what != "Close"
			if errors.Is(err, ErrNil) != wantNil || err != nil && !wantNil && what != "Object" {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		_, _, _ = c.Dir(), c.Stats(), c.ObjectPath(array.Digest{})
	}
	if _, err := Do(nilContext, on, NewKey("f", ""), (func(context.Context) (int, error))(nil)); !errors.Is(err, ErrNil) {
		t.Error("a nil function:", err)
	}
}
