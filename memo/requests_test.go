package memo

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// operations are those of a store that are counted, in the order that they are told
// in. "read" is a range of an open blob, "listed" a blob that a list yields.
var operations = []string{"lock", "get", "open", "read", "stat", "put", "put if absent", "freshen", "delete", "quarantine", "list", "listed", "sweep"}

// countingStore counts what is asked of a store.
type countingStore struct {
	store.Store
	mu     sync.Mutex
	counts map[string]int
}

func (s *countingStore) count(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[operation]++
}

// of returns what f asks of the store.
func (s *countingStore) of(f func()) map[string]int {
	s.mu.Lock()
	s.counts = map[string]int{}
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

func (s *countingStore) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	s.count("get")
	return s.Store.Get(ctx, name, limit)
}

func (s *countingStore) Open(ctx context.Context, name string) (store.Blob, error) {
	s.count("open")
	b, err := s.Store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return countingBlob{b, s}, nil
}

type countingBlob struct {
	store.Blob
	s *countingStore
}

func (b countingBlob) ReadAt(p []byte, offset int64) (int, error) {
	b.s.count("read")
	return b.Blob.ReadAt(p, offset)
}

func (s *countingStore) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	s.count("put")
	return s.Store.Put(ctx, name, o, write)
}

func (s *countingStore) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (bool, error) {
	s.count("put if absent")
	return s.Store.PutIfAbsent(ctx, name, size, o, write)
}

func (s *countingStore) Freshen(ctx context.Context, name string, modified time.Time) error {
	s.count("freshen")
	return s.Store.Freshen(ctx, name, modified)
}

func (s *countingStore) Stat(ctx context.Context, name string) (store.Info, error) {
	s.count("stat")
	return s.Store.Stat(ctx, name)
}

func (s *countingStore) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	s.count("list")
	return func(yield func(store.Info, error) bool) {
		for info, err := range s.Store.List(ctx, prefix) {
			s.count("listed")
			if !yield(info, err) {
				return
			}
		}
	}
}

func (s *countingStore) Delete(ctx context.Context, name string) error {
	s.count("delete")
	return s.Store.Delete(ctx, name)
}

func (s *countingStore) Quarantine(ctx context.Context, name string) error {
	s.count("quarantine")
	return s.Store.Quarantine(ctx, name)
}

func (s *countingStore) Lock(ctx context.Context, number uint64, patience time.Duration) (func(), error) {
	s.count("lock")
	return s.Store.Lock(ctx, number, patience)
}

func (s *countingStore) Sweep(ctx context.Context, now time.Time) (int64, error) {
	s.count("sweep")
	return s.Store.Sweep(ctx, now)
}

// requestsCache is a cache on a counting store, with a clock that stands still. A call's
// result is one matrix of so many rows of 4096 bytes, and no other call's.
type requestsCache struct {
	*Cache
	s   *countingStore
	now time.Time
	t   *testing.T
}

func newRequestsCache(t *testing.T) *requestsCache {
	c := &requestsCache{s: &countingStore{Store: &storetest.Memory{}, counts: map[string]int{}}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), t: t}
	c.Cache = openOn(t, c.s)
	c.options.Now = func() time.Time { return c.now }
	return c
}

func requestsKey(i int) Key { return NewKey("requests", "1").Add(i) }

// call calls, and holds that it computes where it is to.
func (c *requestsCache) call(i, rows int, computes bool) {
	c.t.Helper()
	computed := false
	m, err := c.Dense(c.t.Context(), requestsKey(i), func(context.Context) (*mat.Dense, error) {
		computed = true
		m := mat.NewDense(rows, 512, nil)
		m.Set(0, 0, float64(i))
		return m, nil
	})
	if err != nil || m.At(0, 0) != float64(i) || computed != computes {
		c.t.Errorf("call %d: computed is %v, want %v; %v", i, computed, computes, err)
	}
}

// perEntry is what f asks for each of the entries of a cache, and for none of them: it
// is tried with 100 and with 200. That it does not grow by the same for each is an error.
func perEntry(t *testing.T, f func(*requestsCache)) (each, once map[string]int) {
	t.Helper()
	asked := map[int]map[string]int{}
	for _, n := range []int{100, 200} {
		c := newRequestsCache(t)
		for i := range n {
			c.call(i, 1, true)
		}
		asked[n] = c.s.of(func() { f(c) })
	}
	each, once = map[string]int{}, map[string]int{}
	for _, op := range operations {
		growth := asked[200][op] - asked[100][op]
		if growth%100 != 0 {
			t.Errorf("%s: %d for 100 entries, %d for 200", op, asked[100][op], asked[200][op])
		}
		each[op] = growth / 100
		once[op] = asked[100][op] - growth
	}
	return each, once
}

// TestRequests counts what the verbs ask of a store, and holds it to
// testdata/requests.txt, on which parallel/slurm/SCALE.md is built.
func TestRequests(t *testing.T) {
	var table strings.Builder
	row := func(verb string, counts map[string]int) {
		t.Helper()
		var told []string
		for _, op := range operations {
			if n := counts[op]; n != 0 {
				told = append(told, fmt.Sprintf("%s %d", op, n))
			}
		}
		fmt.Fprintf(&table, "%s: %s\n", verb, strings.Join(told, ", "))
	}
	rowsEach := func(verb string, each, once map[string]int) {
		t.Helper()
		row(verb+", for each entry", each)
		row(verb+", besides", once)
	}
	background := t.Context()

	c := newRequestsCache(t)
	row("has, of none", c.s.of(func() {
		if has, err := c.Has(background, requestsKey(1)); has || err != nil {
			t.Error(has, err)
		}
	}))
	row("miss", c.s.of(func() { c.call(1, 1, true) }))
	row("has", c.s.of(func() {
		if has, err := c.Has(background, requestsKey(1)); !has || err != nil {
			t.Error(has, err)
		}
	}))
	row("hit", c.s.of(func() { c.call(1, 1, false) }))
	c.call(3, 1, true)
	c.call(2, 1024, true)
	row("hit, of 4 MB", c.s.of(func() { c.call(2, 1024, false) }))
	if err := c.Forget(background, requestsKey(1)); err != nil {
		t.Error(err)
	}
	short := func(context.Context) (string, error) { return "text", nil }
	if _, err := Do(background, c.Cache, requestsKey(4), short); err != nil {
		t.Fatal(err)
	}
	row("hit, of a short text", c.s.of(func() {
		if text, err := Do(background, c.Cache, requestsKey(4), short); text != "text" || err != nil {
			t.Error(text, err)
		}
	}))
	record, err := c.Record(background, requestsKey(3))
	if err != nil {
		t.Fatal(err)
	}
	row("object, of one chunk", c.s.of(func() {
		if _, err := c.Object(background, record.Results[0].Arrays()[0].Digest); err != nil {
			t.Error(err)
		}
	}))
	row("miss, with an object that is there", c.s.of(func() { c.call(1, 1, true) }))
	row("forget", c.s.of(func() {
		if err := c.Forget(background, requestsKey(1)); err != nil {
			t.Error(err)
		}
	}))
	c.unwritten.note("requests", &FunctionStats{Misses: 1}, c.Cache.now)
	row("statistics, each 10 s and when it is closed", c.s.of(func() {
		if err := c.flushHistory(background, c.s); err != nil {
			t.Error(err)
		}
	}))

	c.now = c.now.Add(2 * time.Hour)
	row("hit, the first for an hour", c.s.of(func() { c.call(3, 1, false) }))
	row("ledger, each hundredth of a limit", c.s.of(func() {
		c.account.own = usage{1, 1}
		if err := c.flushUsage(background, c.s); err != nil {
			t.Error(err)
		}
	}))

	each, once := perEntry(t, func(c *requestsCache) {
		for _, err := range c.Entries(background) {
			if err != nil {
				t.Error(err)
			}
		}
	})
	rowsEach("entries", each, once)
	each, once = perEntry(t, func(c *requestsCache) {
		for _, err := range c.Records(background) {
			if err != nil {
				t.Error(err)
			}
		}
	})
	rowsEach("records", each, once)
	each, once = perEntry(t, func(c *requestsCache) {
		if _, _, err := c.Usage(background); err != nil {
			t.Error(err)
		}
	})
	rowsEach("usage", each, once)
	each, once = perEntry(t, func(c *requestsCache) {
		if _, err := c.Trim(background, Limits{}, nil); err != nil {
			t.Error(err)
		}
	})
	rowsEach("trim, with nothing to remove", each, once)
	kept := each
	each, _ = perEntry(t, func(c *requestsCache) {
		if trimmed, err := c.Trim(background, Limits{MaxBytes: 1}, nil); err != nil || trimmed.LeftEntries != 0 {
			t.Error(trimmed, err)
		}
	})
	for op := range each {
		each[op] -= kept[op]
	}
	row("trim, for each entry removed more", each)
	defer func(old int) { maxCandidates = old }(maxCandidates)
	maxCandidates = 25
	four := newRequestsCache(t)
	for i := range 100 {
		four.call(i, 1, true)
	}
	row("trim, of all of 100 entries, where the names of 25 are held at once", four.s.of(func() {
		if trimmed, err := four.Trim(background, Limits{MaxBytes: 1}, nil); err != nil || trimmed.LeftEntries != 0 {
			t.Error(trimmed, err)
		}
	}))
	each, once = perEntry(t, func(c *requestsCache) {
		if r, err := c.Verify(background, nil); err != nil || len(r.Damaged) > 0 {
			t.Error(r, err)
		}
	})
	rowsEach("verify", each, once)

	golden, err := os.ReadFile("testdata/requests.txt")
	if err != nil || table.String() != string(golden) {
		t.Errorf("testdata/requests.txt is not this (%v):\n%s", err, table.String())
	}
}
