package memo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// needLocks skips the test where the system has no locks.
func needLocks(t *testing.T) {
	t.Helper()
	d, err := store.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	unlock, err := d.Lock(t.Context(), 1, 0)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no locks here:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// twoCaches runs f in a bubble with two caches on one folder, which know no more of
// each other than two processes do. Time passes only while everybody waits.
func twoCaches(t *testing.T, f func(t *testing.T, a, b *Cache)) {
	t.Helper()
	needLocks(t)
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f(t, openQuiet(t, dir), openQuiet(t, dir))
	})
}

// computing is a computation that goes on until it is released.
type computing struct {
	release chan struct{}
	calls   atomic.Int64
}

func newComputing() *computing { return &computing{release: make(chan struct{})} }

// in returns a call of the computation by way of c.
func (p *computing) in(c *Cache) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		return Do(ctx, c, NewKey("f", "1"), func(context.Context) (int, error) {
			p.calls.Add(1)
			<-p.release
			return 7, nil
		})
	}
}

// enough is more time than a waiter needs to see that a lock is free.
const enough = 100 * time.Millisecond

// checkGot fails the test unless the call has returned 7.
func checkGot(t *testing.T, what string, w *waiting) {
	t.Helper()
	if !w.done || w.value != 7 || w.err != nil {
		t.Errorf("%s: %+v", what, w)
	}
}

func TestTwoCachesComputeOnce(t *testing.T) {
	twoCaches(t, func(t *testing.T, a, b *Cache) {
		p := newComputing()
		var calls []*waiting
		for range crowd {
			calls = append(calls, start(t, p.in(a)), start(t, p.in(b)))
		}
		// One who lives is waited for, many times longer than patience.
		time.Sleep(20 * DefaultPatience)
		close(p.release)
		time.Sleep(enough)
		synctest.Wait()
		for _, w := range calls {
			checkGot(t, "a caller", w)
			w.cancel()
		}
		if n := p.calls.Load(); n != 1 || !lockIsFree(t, a.store) {
			t.Errorf("computed %d times; the lock is free: %v", n, lockIsFree(t, a.store))
		}
		if s, u := a.Stats(), b.Stats(); s.Misses != 1 || s.Shared != crowd-1 || u.Misses != 0 || u.Hits != crowd || s.Faults+u.Faults > 0 {
			t.Errorf("%+v, %+v", s, u)
		}
	})
}

// TestWaitersForAnotherProcessGiveUp: each at once, without harm to others.
func TestWaitersForAnotherProcessGiveUp(t *testing.T) {
	twoCaches(t, func(t *testing.T, a, b *Cache) {
		p := newComputing()
		holder := start(t, p.in(a))
		for _, leaver := range []int{0, 1} {
			waiters := []*waiting{start(t, p.in(b)), start(t, p.in(b))}
			waiters[leaver].cancel()
			synctest.Wait()
			if w := waiters[leaver]; !w.done || !errors.Is(w.err, context.Canceled) {
				t.Errorf("waiter %d gave up: %+v", leaver, w)
			}
			if w := waiters[1-leaver]; w.done {
				t.Errorf("waiter %d gave up, and the other one has %+v", leaver, w)
			}
			waiters[1-leaver].cancel()
			synctest.Wait()
			if w := waiters[1-leaver]; !w.done || !errors.Is(w.err, context.Canceled) {
				t.Errorf("the other one gave up too: %+v", w)
			}
			// Nobody waits for the lock any more.
			if n := b.landed.Load(); n != int64(leaver+1) {
				t.Errorf("%d flights have ended, want %d", n, leaver+1)
			}
		}
		// Who cannot return an error computes, when told to wait no longer.
		f, err := Func(b, Spec{Name: "f", Version: "1"}, func(context.Context) int { return 7 })
		if err != nil {
			t.Fatal(err)
		}
		sure := start(t, func(ctx context.Context) (int, error) { return f.Call(ctx), nil })
		if sure.done {
			t.Error("did not wait")
		}
		sure.cancel()
		synctest.Wait()
		checkGot(t, "a function without an error", sure)

		last := start(t, p.in(b))
		close(p.release)
		time.Sleep(enough)
		synctest.Wait()
		checkGot(t, "who computed", holder)
		checkGot(t, "who came last", last)
		holder.cancel()
		last.cancel()
		if s, u := a.Stats(), b.Stats(); p.calls.Load() != 1 || s.Faults+u.Faults > 0 {
			t.Errorf("computed %d times; %+v, %+v", p.calls.Load(), s, u)
		}
	})
}

// TestCloseEndsTheWait: who waits for another process computes when the cache is
// closed.
func TestCloseEndsTheWait(t *testing.T) {
	twoCaches(t, func(t *testing.T, a, b *Cache) {
		p, q := newComputing(), newComputing()
		close(q.release)
		holder, w := start(t, p.in(a)), start(t, q.in(b))
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		checkGot(t, "who waited", w)
		close(p.release)
		synctest.Wait()
		checkGot(t, "who computed", holder)
		holder.cancel()
		w.cancel()
	})
}

func TestNoPatience(t *testing.T) {
	twoCaches(t, func(t *testing.T, a, b *Cache) {
		b.options.Patience = -1
		p, q := newComputing(), newComputing()
		close(q.release)
		holder, w := start(t, p.in(a)), start(t, q.in(b))
		checkGot(t, "with a negative patience", w)
		close(p.release)
		synctest.Wait()
		checkGot(t, "who computed", holder)
		holder.cancel()
		w.cancel()
		if s, u := a.Stats(), b.Stats(); s.Misses != 1 || u.Misses != 1 || s.Faults+u.Faults > 0 {
			t.Errorf("%+v, %+v", s, u)
		}
	})
}

func TestRefreshWaitsForNobody(t *testing.T) {
	twoCaches(t, func(t *testing.T, a, b *Cache) {
		p := newComputing()
		holder := start(t, p.in(a))
		w := start(t, func(ctx context.Context) (int, error) {
			return Refresh(ctx, b, NewKey("f", "1"), func(context.Context) (int, error) { return 7, nil })
		})
		checkGot(t, "a refresh", w)
		close(p.release)
		synctest.Wait()
		checkGot(t, "who computed", holder)
		holder.cancel()
		w.cancel()
	})
}

// lockIsFree reports whether nobody holds the lock of the key of [computing].
func lockIsFree(t *testing.T, s store.Store) bool {
	t.Helper()
	unlock, err := s.Lock(t.Context(), keyLock(NewKey("f", "1").withSum().Digest()), 0)
	if err == nil {
		unlock()
	} else if !errors.Is(err, store.ErrLocked) {
		t.Fatal(err)
	}
	return err == nil
}

// TestLockIsGivenBack, however the function ends, and not before.
func TestLockIsGivenBack(t *testing.T) {
	for how, end := range map[string]func() (int, error){
		"a result":  func() (int, error) { return 7, nil },
		"an error":  func() (int, error) { return 0, errors.New("broken") },
		"a panic":   func() (int, error) { panic("broken") },
		"Goexit":    func() (int, error) { runtime.Goexit(); return 0, nil },
		"giving up": func() (int, error) { return 0, nil },
	} {
		inBubble(t, func(t *testing.T, c *Cache, s *storetest.Memory) {
			release := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				defer func() { _ = recover() }()
				_, _ = Do(ctx, c, NewKey("f", "1"), func(ctx context.Context) (int, error) {
					select {
					case <-release:
					case <-ctx.Done():
					}
					return end()
				})
			}()
			synctest.Wait()
			if lockIsFree(t, s) {
				t.Errorf("%s: no lock while it is computed", how)
			}
			if how == "giving up" {
				cancel()
			} else {
				close(release)
			}
			synctest.Wait()
			if !lockIsFree(t, s) {
				t.Errorf("%s: the lock stays", how)
			}
		})
	}
}

// TestValidEndsItsGoroutine: what Spec.Valid does to its goroutine, when it sees
// what another process has stored, keeps nobody from the result.
func TestValidEndsItsGoroutine(t *testing.T) {
	for how, valid := range map[string]func(*Record) bool{
		"a panic": func(*Record) bool { panic("broken") },
		"Goexit":  func(*Record) bool { runtime.Goexit(); return true },
	} {
		inBubble(t, func(t *testing.T, a *Cache, s *storetest.Memory) {
			b := openOn(t, s)
			p := newComputing()
			holder := start(t, p.in(a))
			f, err := Func(b, Spec{Name: "f", Version: "1", Valid: valid}, func(context.Context) (int, error) { return 7, nil })
			if err != nil {
				t.Fatal(err)
			}
			w := start(t, f.Call)
			if w.done {
				t.Errorf("%s: did not wait", how)
			}
			close(p.release)
			synctest.Wait()
			checkGot(t, how+": who computed", holder)
			checkGot(t, how+": who waited", w)
			if !lockIsFree(t, s) {
				t.Errorf("%s: the lock stays", how)
			}
			holder.cancel()
			w.cancel()
		})
	}
}

// lockless is a store whose Lock of a key does something and fails.
type lockless struct {
	store.Store
	lock func() error
}

func (s lockless) Lock(_ context.Context, number uint64, _ time.Duration) (func(), error) {
	if number >= firstOwnLock {
		return func() {}, nil
	}
	return nil, s.lock()
}

// TestLocksThatFail: the call computes, and what a user can do something about is
// a fault.
func TestLocksThatFail(t *testing.T) {
	for _, test := range []struct {
		err    error
		faults int64
	}{
		{store.ErrLocked, 1}, {store.ErrForeign, 1}, {errors.New("broken"), 1},
		{errors.ErrUnsupported, 0}, {syscall.EROFS, 0}, {syscall.EACCES, 0}, {syscall.EMFILE, 0},
	} {
		c := openOn(t, lockless{&storetest.Memory{}, func() error { return test.err }})
		f := memoizeSample(t, c)
		for range 2 {
			got, err := f.Call(t.Context(), 1)
			checkSample(t, 1, got, err)
		}
		if s := c.Stats(); s.Misses != 1 || s.Hits != 1 || s.Faults != test.faults {
			t.Errorf("%v: %+v, want %d faults", test.err, s, test.faults)
		}
	}
	// Patience has an end, but by then somebody has stored the result.
	memory := &storetest.Memory{}
	other := memoizeSample(t, openOn(t, memory))
	c := openOn(t, lockless{memory, func() error {
		got, err := other.Call(t.Context(), 1)
		checkSample(t, 1, got, err)
		return store.ErrLocked
	}})
	got, err := memoizeSample(t, c).Call(t.Context(), 1)
	checkSample(t, 1, got, err)
	if s := c.Stats(); s.Misses != 0 || s.Hits != 1 || s.Faults != 1 {
		t.Errorf("stored meanwhile: %+v", s)
	}
}

// TestOtherThingsInPlaceOfTheLock: something else has the lock file's name, and is put
// aside.
func TestOtherThingsInPlaceOfTheLock(t *testing.T) {
	for what, place := range otherThings {
		dir := t.TempDir()
		copied := filepath.Join(t.TempDir(), "copy")
		overwrite(t, []byte("mine"), copied)
		a, b := openQuiet(t, dir), openQuiet(t, dir)
		if err := place(filepath.Join(dir, "lock"), copied); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			for _, c := range []*Cache{a, b} {
				got, err := memoizeSample(t, c).Call(t.Context(), n)
				checkSample(t, n, got, err)
			}
		}
		if s, u := a.Stats(), b.Stats(); s.Misses != 3 || u.Hits != 3 {
			t.Errorf("%s: %+v, %+v", what, s, u)
		} else if info, err := os.Lstat(filepath.Join(dir, "lock")); runtime.GOOS == "linux" && (s.Faults != 0 || err != nil || !info.Mode().IsRegular()) {
			t.Errorf("%s: %+v; the lock is now %v, %v", what, s, info, err)
		}
	}
}
