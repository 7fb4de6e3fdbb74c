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

// runLocks tests locks, in a bubble where waiting takes no time and synctest.Wait
// tells that everybody waits, or else in real time.
func runLocks(t *testing.T, bubble bool, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		f    func(*testing.T, lockTest)
	}{
		{"LockExcludes", testLockExcludes},
		{"LockNumbers", testLockNumbers},
		{"LockWithoutPatience", testLockWithoutPatience},
		{"LockOfTheLiving", testLockOfTheLiving},
		{"LockCancelled", testLockCancelled},
		{"UnlockTwice", testUnlockTwice},
		{"LockClosed", testLockClosed},
	} {
		run := func(t *testing.T) {
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
			test.f(t, lockTest{s, bubble})
		}
		t.Run(test.name, func(t *testing.T) {
			if bubble {
				synctest.Test(t, run)
			} else {
				run(t)
			}
		})
	}
}

// lockTest is a store whose locks are tested.
type lockTest struct {
	store.Store
	bubble bool
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
	bubble bool
	done   chan struct{} // closed when the fields below are set
	unlock func()
	err    error
}

// wait calls Lock in a goroutine and returns when it waits, or in real time when it
// should.
func (s lockTest) wait(ctx context.Context, number uint64, patience time.Duration) *waiter {
	w := &waiter{bubble: s.bubble, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.unlock, w.err = s.Lock(ctx, number, patience)
	}()
	w.waits(0)
	return w
}

const (
	// soon is more than a waiter needs to see that a lock is free.
	soon = 100 * time.Millisecond
	// Real time has a server in it, which may be slow, and no minutes.
	soonReal = 10 * time.Second
	longReal = 2500 * time.Millisecond
)

var errWaiting = errors.New("still waiting")

// waits reports whether Lock waits for as long as that, in real time for longReal at most.
func (w *waiter) waits(during time.Duration) bool {
	if w.bubble {
		time.Sleep(during)
		synctest.Wait()
		during = 0
	} else {
		during = min(max(during, soon), longReal)
	}
	return w.result(during) == errWaiting
}

// ends returns what Lock did before as much time had passed, or errWaiting.
func (w *waiter) ends(within time.Duration) error {
	if w.bubble {
		time.Sleep(within)
		synctest.Wait()
		return w.result(0)
	}
	return w.result(soonReal)
}

func (w *waiter) result(within time.Duration) error {
	select {
	case <-w.done: // also where no time is given
		return w.err
	default:
	}
	if within == 0 {
		return errWaiting
	}
	select {
	case <-w.done:
		return w.err
	case <-time.After(within):
		return errWaiting
	}
}

func testLockExcludes(t *testing.T, s lockTest) {
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

func testLockNumbers(t *testing.T, s lockTest) {
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

func testLockWithoutPatience(t *testing.T, s lockTest) {
	defer lock(t, s, 5)()
	began := time.Now()
	checkLocked(t, s, 5)
	if _, err := s.Lock(t.Context(), 5, -time.Minute); !errors.Is(err, store.ErrLocked) {
		t.Errorf("with a negative patience: %v, want ErrLocked", err)
	}
	if took := time.Since(began); s.bubble && took > 0 {
		t.Errorf("waited for %v", took)
	}
}

// testLockOfTheLiving: one who works long is waited for, far beyond patience.
func testLockOfTheLiving(t *testing.T, s lockTest) {
	const patience = 3 * store.Pulse / 2
	unlock := lock(t, s, 5)
	w := s.wait(t.Context(), 5, patience)
	if !w.waits(100*patience + store.Pulse/2) {
		t.Fatalf("did not wait for one who lives: %v", w.err)
	}
	unlock()
	if err := w.ends(soon); err != nil {
		t.Fatalf("the lock is free: %v", err)
	}
	checkLocked(t, s, 5)
	w.unlock()
	lock(t, s, 5)()
}

func testLockCancelled(t *testing.T, s lockTest) {
	ctx, cancel := context.WithCancel(t.Context())
	unlock := lock(t, s, 5)
	w, other := s.wait(ctx, 5, time.Minute), s.wait(t.Context(), 5, time.Minute)
	cancel()
	if err := w.ends(0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while it waits: %v", err)
	}
	if !other.waits(0) {
		t.Fatalf("the other one: %v", other.err)
	}
	unlock()
	if err := other.ends(soon); err != nil {
		t.Fatalf("the other one, when the lock is free: %v", err)
	}
	other.unlock()
	if _, err := s.Lock(ctx, 5, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v, want context.Canceled", err)
	}
	lock(t, s, 5)()
}

func testUnlockTwice(t *testing.T, s lockTest) {
	unlock := lock(t, s, 5)
	unlock()
	unlock()
	defer lock(t, s, 5)()
	unlock()
	checkLocked(t, s, 5)
}

func testLockClosed(t *testing.T, s lockTest) {
	unlock := lock(t, s, 5)
	w := s.wait(t.Context(), 5, time.Minute)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := w.ends(0); err == nil || err == errWaiting {
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
