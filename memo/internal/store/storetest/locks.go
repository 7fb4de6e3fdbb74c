package storetest

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// runLocks tests locks in a bubble, where waiting takes no time and synctest.Wait
// tells that everybody waits.
func runLocks(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		f    func(*testing.T, store.Store)
	}{
		{"LockExcludes", testLockExcludes},
		{"LockNumbers", testLockNumbers},
		{"LockWithoutPatience", testLockWithoutPatience},
		{"LockOfTheLiving", testLockOfTheLiving},
		{"LockCancelled", testLockCancelled},
		{"UnlockTwice", testUnlockTwice},
		{"LockClosed", testLockClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				defer s.Close()
				unlock, err := s.Lock(t.Context(), 1, 0)
				if errors.Is(err, errors.ErrUnsupported) {
					t.Skip("this store has no locks here:", err)
				}
				if err != nil {
					t.Fatal(err)
				}
				unlock()
				test.f(t, s)
			})
		})
	}
}

// lock takes a lock that is free.
func lock(t *testing.T, s store.Store, number uint64) (unlock func()) {
	t.Helper()
	unlock, err := s.Lock(t.Context(), number, 0)
	if err != nil {
		t.Fatalf("lock %d, which is free: %v", number, err)
	}
	return unlock
}

func checkLocked(t *testing.T, s store.Store, number uint64) {
	t.Helper()
	unlock, err := s.Lock(t.Context(), number, 0)
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("lock %d, which is held: %v, want ErrLocked", number, err)
	}
	if err == nil {
		unlock()
	}
}

// waiter is a call of Lock under way.
type waiter struct {
	done   atomic.Bool // then the fields below are set
	unlock func()
	err    error
}

// wait calls Lock in a goroutine and returns when it waits.
func wait(ctx context.Context, s store.Store, number uint64, patience time.Duration) *waiter {
	w := &waiter{}
	go func() {
		w.unlock, w.err = s.Lock(ctx, number, patience)
		w.done.Store(true)
	}()
	synctest.Wait()
	return w
}

var errWaiting = errors.New("still waiting")

// result returns what Lock did, now that as much time has passed, or errWaiting.
func (w *waiter) result(after time.Duration) error {
	time.Sleep(after)
	synctest.Wait()
	if !w.done.Load() {
		return errWaiting
	}
	return w.err
}

// soon is more than a waiter needs to see that a lock is free.
const soon = 100 * time.Millisecond

func testLockExcludes(t *testing.T, s store.Store) {
	const goroutines, rounds = 16, 10
	var inside, entered atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range rounds {
				unlock, err := s.Lock(t.Context(), 5, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				entered.Add(1)
				time.Sleep(3 * time.Millisecond)
				inside.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	if n := entered.Load(); n != goroutines*rounds {
		t.Errorf("%d had the lock, want %d", n, goroutines*rounds)
	}
}

func testLockNumbers(t *testing.T, s store.Store) {
	numbers := []uint64{0, 1, 2, 3, 1 << 31, 1 << 32, 1<<61 - 1, 1 << 61, 1<<61 + 1, store.MaxLock - 1, store.MaxLock}
	for _, number := range numbers {
		defer lock(t, s, number)()
	}
	for _, number := range numbers {
		checkLocked(t, s, number)
	}
	for _, number := range []uint64{store.MaxLock + 1, 1<<63 + 1, 1<<64 - 1} {
		if _, err := s.Lock(t.Context(), number, time.Minute); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("lock %d: %v, want fs.ErrInvalid", number, err)
		}
	}
}

func testLockWithoutPatience(t *testing.T, s store.Store) {
	defer lock(t, s, 5)()
	began := time.Now()
	checkLocked(t, s, 5)
	if _, err := s.Lock(t.Context(), 5, -time.Minute); !errors.Is(err, store.ErrLocked) {
		t.Errorf("with a negative patience: %v, want ErrLocked", err)
	}
	if took := time.Since(began); took > 0 {
		t.Errorf("waited for %v", took)
	}
}

// testLockOfTheLiving: one who works long is waited for, far beyond patience.
func testLockOfTheLiving(t *testing.T, s store.Store) {
	const patience = 3 * store.Pulse / 2
	unlock := lock(t, s, 5)
	w := wait(t.Context(), s, 5, patience)
	if err := w.result(100*patience + store.Pulse/2); err != errWaiting {
		t.Fatalf("did not wait for one who lives: %v", err)
	}
	unlock()
	if err := w.result(soon); err != nil {
		t.Fatalf("the lock is free: %v", err)
	}
	checkLocked(t, s, 5)
	w.unlock()
	lock(t, s, 5)()
}

func testLockCancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	unlock := lock(t, s, 5)
	w, other := wait(ctx, s, 5, time.Minute), wait(t.Context(), s, 5, time.Minute)
	cancel()
	if err := w.result(0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while it waits: %v", err)
	}
	if err := other.result(0); err != errWaiting {
		t.Errorf("the other one: %v", err)
	}
	unlock()
	if err := other.result(soon); err != nil {
		t.Fatalf("the other one, when the lock is free: %v", err)
	}
	other.unlock()
	if _, err := s.Lock(ctx, 5, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v, want context.Canceled", err)
	}
	lock(t, s, 5)()
}

func testUnlockTwice(t *testing.T, s store.Store) {
	unlock := lock(t, s, 5)
	unlock()
	unlock()
	defer lock(t, s, 5)()
	unlock()
	checkLocked(t, s, 5)
}

func testLockClosed(t *testing.T, s store.Store) {
	unlock := lock(t, s, 5)
	w := wait(t.Context(), s, 5, time.Minute)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := w.result(0); err == nil || err == errWaiting {
		t.Errorf("who waited at Close: %v", err)
	}
	for _, number := range []uint64{5, 6} {
		if _, err := s.Lock(t.Context(), number, time.Minute); err == nil {
			t.Errorf("lock %d after Close: no error", number)
		}
	}
	unlock()
	unlock()
}
