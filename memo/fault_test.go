package memo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// causes are what file systems answer when they cannot.
var causes = []error{
	syscall.ENOSPC, syscall.EIO, syscall.EACCES, syscall.EROFS, fs.ErrNotExist, syscall.EDQUOT, syscall.ESTALE, syscall.EINTR,
	store.ErrForeign, io.ErrUnexpectedEOF, io.ErrShortWrite, store.ErrTooLarge, io.EOF,
}

// scenario uses a cache in every way that a fault could spoil, and checks each
// result. Errors of the verbs that may report a fault are allowed.
func scenario(t *testing.T, c *Cache) {
	t.Helper()
	ctx := context.Background()
	f := memoizeSample(t, c)
	call := func(n int) {
		t.Helper()
		got, err := f.Call(ctx, n)
		checkSample(t, n, got, err)
	}
	call(1) // a miss
	call(1) // a hit
	call(2) // shares an object
	_ = f.Forget(1)
	call(1)
	_, _ = f.Has(1)
	_, _ = c.Verify(ctx, nil)
	call(2)
	for range c.Records(ctx) {
	}
	_, _ = c.ClearFunction(ctx, "sample")
	call(2)
}

// checkHealed uses the store without faults: whatever it holds now is right, and
// the cache works.
func checkHealed(t *testing.T, s store.Store, what string) {
	t.Helper()
	c := openOn(t, s)
	f := memoizeSample(t, c)
	for n := 1; n <= 2; n++ {
		for range 2 {
			got, err := f.Call(context.Background(), n)
			checkSample(t, n, got, err)
		}
	}
	if r, err := c.Verify(context.Background(), nil); err != nil || len(r.Damaged) > 0 {
		t.Errorf("%s: after the faults: %+v, %v", what, r, err)
	}
	if s := c.Stats(); s.Hits < 2 {
		t.Errorf("%s: after the faults: %+v", what, s)
	}
	if t.Failed() {
		t.Fatalf("with %s", what)
	}
}

// TestEveryOperationFails fails operation i, for every i, alone and with all that
// follow, for every cause.
func TestEveryOperationFails(t *testing.T) {
	s := &storetest.Faulty{Store: &storetest.Memory{}}
	s.Fail(nil)
	scenario(t, openOn(t, s))
	operations := s.Count()
	if operations < 40 {
		t.Fatalf("the scenario has %d operations only", operations)
	}
	for n, cause := range causes {
		if raceEnabled && n%4 != 0 {
			continue // one of each class: EACCES is to memo what EIO is
		}
		for _, persistent := range []bool{false, true} {
			for i := range operations {
				memory := &storetest.Memory{}
				s := &storetest.Faulty{Store: memory}
				s.Fail(func(n int, op string) error {
					if n == i || persistent && n > i {
						return cause
					}
					return nil
				})
				c := openOn(t, s)
				scenario(t, c)
				what := fmt.Sprintf("%v at operation %d (%v), persistent %v", cause, i, s.Failed(), persistent)
				if t.Failed() {
					t.Fatal(what)
				}
				checkHealed(t, memory, what)
			}
		}
	}
	t.Logf("%d operations, %d causes", operations, len(causes))
}

// TestFaultsAreCounted fails each kind of operation of a call in turn: the call
// returns its result, and one fault at least is counted and told.
func TestFaultsAreCounted(t *testing.T) {
	for _, op := range []string{"get", "open", "read", "put", "put if absent", "write", "put, done", "put if absent, done"} {
		for _, cause := range []error{syscall.ENOSPC, syscall.EIO, syscall.EACCES, syscall.EROFS} {
			s := &storetest.Faulty{Store: &storetest.Memory{}}
			var told []error
			c, err := Open("", quiet())
			if err != nil {
				t.Fatal(err)
			}
			c.store = s
			c.options.OnEvent = func(e Event) {
				if e.Kind == Fault {
					told = append(told, e.Err)
				}
			}
			f := memoizeSample(t, c)
			call := func(n int) {
				got, err := f.Call(t.Context(), n)
				checkSample(t, n, got, err)
			}
			call(1)
			s.Fail(func(_ int, failing string) error {
				if failing == op {
					return cause
				}
				return nil
			})
			call(1)
			call(2)
			failed := len(s.Failed())
			if n := c.Stats().Faults; failed == 0 || n == 0 || int(n) != len(told) {
				t.Errorf("%s: %d operations failed, %d faults counted, %d told", op, failed, n, len(told))
			}
			for _, err := range told {
				var typed *Error
				if !errors.Is(err, cause) || !errors.As(err, &typed) {
					t.Errorf("%s: told %v, which does not wrap %v in an *Error", op, err, cause)
				}
			}
			s.Fail(nil)
			call(2)
			if c.Stats().Misses < 2 {
				t.Errorf("%s: %+v", op, c.Stats())
			}
		}
	}
}

// TestReadOnlyStore serves hits and computes misses where nothing can be written.
func TestReadOnlyStore(t *testing.T) {
	s := &storetest.Faulty{Store: &storetest.Memory{}}
	c := openOn(t, s)
	f := memoizeSample(t, c)
	call := func(n int) {
		t.Helper()
		got, err := f.Call(t.Context(), n)
		checkSample(t, n, got, err)
	}
	call(1)
	s.Fail(func(_ int, op string) error {
		switch op {
		case "get", "open", "read", "stat", "list":
			return nil
		}
		return syscall.EROFS
	})
	for range 2 {
		call(1)
		call(2)
	}
	if st := c.Stats(); st.Hits != 2 || st.Misses != 3 || st.Faults != 2 {
		t.Errorf("%+v, want 2 hits, 1 + 2 misses, 2 faults", st)
	}
}
