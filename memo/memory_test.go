package memo

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// memoizeCounted memoizes a function that counts its calls.
func memoizeCounted(t testing.TB, c *Cache, spec Spec) (call func(int) []int, computed *atomic.Int64, f *Memoized) {
	t.Helper()
	computed = new(atomic.Int64)
	fn, err := Func(c, spec, func(_ context.Context, n int) ([]int, error) {
		computed.Add(1)
		return []int{n, n * n}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(n int) []int {
		t.Helper()
		got, err := fn.Call(context.Background(), n)
		if err != nil || len(got) != 2 || got[0] != n || got[1] != n*n {
			t.Errorf("f(%d) returned %v, %v", n, got, err)
		}
		return got
	}, computed, fn.Memoized
}

// TestMemoryOnly goes through the verbs without a folder.
func TestMemoryOnly(t *testing.T) {
	for _, policy := range tierPolicies {
		ctx := t.Context()
		c := openMemory(t, Memory{Policy: policy})
		f, computed, m := memoizeCounted(t, c, Spec{Name: "f"})
		has := func(n int) bool {
			ok, err := m.Has(n)
			if err != nil {
				t.Error(err)
			}
			return ok
		}
		steps := []struct {
			do       func()
			computed int64
		}{
			{func() { f(1); f(1); f(2) }, 2},
			{func() { f(1)[0] = -1; f(1) }, 2},
			{func() {
				if !has(1) || has(3) {
					t.Error("Has is wrong")
				}
				if err := m.Forget(1); err != nil || has(1) || !has(2) {
					t.Error("Forget is wrong", err)
				}
				f(1)
			}, 3},
			{func() {
				_, _, other := memoizeCounted(t, c, Spec{Name: "other"})
				if _, err := other.Shelve(5); err != nil {
					t.Error(err)
				}
				if n, err := m.Clear(ctx); n != 2 || err != nil || has(1) || has(2) {
					t.Error("ClearFunction is wrong", n, err)
				}
				if ok, err := other.Has(5); !ok || err != nil {
					t.Error("ClearFunction takes other functions along", err)
				}
				f(1)
			}, 4},
			{func() {
				if err := c.Clear(ctx, nil); err != nil || has(1) || c.memory.len() != 0 {
					t.Error("Clear is wrong", err)
				}
				f(1)
			}, 5},
			{func() {
				got, err := m.RefreshFunc().(func(context.Context, int) ([]int, error))(ctx, 1)
				if err != nil || got[1] != 1 {
					t.Error(got, err)
				}
				f(1)
			}, 6},
		}
		for i, step := range steps {
			step.do()
			if computed.Load() != step.computed {
				t.Errorf("%v, step %d: computed %d times, want %d", policy, i, computed.Load(), step.computed)
			}
		}
		if s := c.Stats(); s.Hits != 4 || s.MemoryHits != 4 || s.Misses != 7 || s.Faults != 0 || s.MemoryEntries != 1 || c.Dir() != "" {
			t.Errorf("%v: %+v", policy, s)
		}
	}
}

// TestHitsInMemoryNeedNoFile counts what is asked of the folder.
func TestHitsInMemoryNeedNoFile(t *testing.T) {
	s := &storetest.Faulty{Store: &storetest.Memory{}}
	for round := range 2 { // the second one reads each entry from the folder once
		c := withMemory(t, openOn(t, s), Memory{})
		f, computed, m := memoizeCounted(t, c, Spec{Name: "f"})
		f(1)
		s.Fail(nil)
		f(1)[0] = -1
		f(1)
		if ok, err := m.Has(1); !ok || err != nil {
			t.Error(ok, err)
		}
		if n := s.Count(); n != 0 {
			t.Errorf("round %d: %d operations of the folder", round, n)
		}
		if got := c.Stats(); got.MemoryHits != 2 || got.Hits != int64(2+round) || computed.Load() != int64(1-round) {
			t.Errorf("round %d: %+v", round, got)
		}
		// What the folder loses, the memory still has.
		s.Fail(func(int, string) error { return store.ErrForeign })
		f(1)
		s.Fail(nil)
	}
}

// TestResultsThatTheFolderCannotTake: a full disk, a read-only cache.
func TestResultsThatTheFolderCannotTake(t *testing.T) {
	full := &storetest.Faulty{Store: &storetest.Memory{}}
	full.Fail(func(_ int, op string) error {
		if op == "put" || op == "put if absent" {
			return errors.New("full")
		}
		return nil
	})
	dir := t.TempDir()
	openQuiet(t, dir)
	o := quiet()
	o.ReadOnly, o.Memory = true, &Memory{}
	readOnly, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { readOnly.Close() })
	for faults, c := range []*Cache{readOnly, withMemory(t, openOn(t, full), Memory{})} {
		f, computed, m := memoizeCounted(t, c, Spec{Name: "f"})
		f(1)
		f(1)
		if s := c.Stats(); computed.Load() != 1 || s.MemoryHits != 1 || s.Faults != int64(faults) {
			t.Errorf("computed %d times, %+v", computed.Load(), s)
		}
		ref, err := m.Shelve(2)
		var got []int
		if err != nil || ref.Get(t.Context(), &got) != nil || got[1] != 4 {
			t.Error(got, err)
		}
	}
}

// TestMemoryEntriesExpire asks for validity with a clock of the test's own.
func TestMemoryEntriesExpire(t *testing.T) {
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, dir := range []string{"", t.TempDir()} {
		o := quiet()
		o.Memory, o.Now = &Memory{}, func() time.Time { return now }
		c, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		f, computed, m := memoizeCounted(t, c, Spec{Name: "f", ExpiresAfter: time.Hour})
		check := func(when string, want int64) {
			t.Helper()
			if f(1); computed.Load() != want {
				t.Errorf("%s: computed %d times, want %d", when, computed.Load(), want)
			}
		}
		check("new", 1)
		now = now.Add(time.Hour - 1)
		check("before the hour is over", 1)
		now = now.Add(1)
		if ok, err := m.Has(1); ok || err != nil {
			t.Error("Has says that an expired result is there", err)
		}
		check("expired", 2)
		now = now.Add(time.Hour / 2)
		check("computed anew", 2)
		now = now.Add(-time.Hour)
		check("from the future", 3)
	}
}

func TestMemoryEntriesAreAskedFor(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		o := quiet()
		o.Memory = &Memory{}
		c, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		reject := false
		f, computed, m := memoizeCounted(t, c, Spec{Name: "f", Version: "v", Valid: func(r *Record) bool {
			if r.Function != "f" || r.Version != "v" || len(r.Args) != 1 || r.Args[0].String() != "7" || r.Created.IsZero() || r.Writer == "" || r.Size() <= 0 {
				t.Errorf("asked with %+v", r)
			}
			return !reject
		}})
		f(7)
		f(7)
		if k, err := m.Key(7); err != nil || c.memory.peek(&request{key: k}).record.Key != k.Digest() {
			t.Error("the record has another key", err)
		}
		reject = true
		if f(7); computed.Load() != 2 || c.Stats().Faults != 0 {
			t.Errorf("computed %d times, %+v", computed.Load(), c.Stats())
		}
		reject = false
		if f(7); computed.Load() != 2 || c.Stats().MemoryHits != 2 {
			t.Errorf("computed %d times, %+v", computed.Load(), c.Stats())
		}
	}
}

func TestMemorySettings(t *testing.T) {
	for _, m := range []Memory{{MaxBytes: -1}, {MaxEntries: -1}, {Policy: LeastCost}, {Policy: -1}} {
		if c, err := Open("", &Options{Memory: &m}); c != nil || !errors.Is(err, ErrArguments) {
			t.Errorf("%+v: %v, want ErrArguments", m, err)
		}
	}
}
