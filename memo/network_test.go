package memo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

var networkSeeds = flag.Int("network.seeds", 40, "histories that TestNetworkFolder goes through")

// networked is a store that behaves as a folder on a network file system can: what was
// done is reported as failed, what has changed is not seen for a while, files are stale,
// and there are no locks.
type networked struct {
	store.Store

	mu     sync.Mutex
	r      *rand.Rand
	chance int // one in so many operations is odd; 0 for none
	odd    map[string]int
	old    map[string][]byte // what blobs once held
}

// oddly reports whether an operation is odd.
func (s *networked) oddly(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chance == 0 || s.r.IntN(s.chance) > 0 {
		return false
	}
	s.odd[what]++
	return true
}

// networkError is an error that says nothing about what was done.
func networkError(op, name string, err error) error {
	return fmt.Errorf("%s %s: %w", op, name, err)
}

func (s *networked) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	if s.oddly("stale file") {
		return nil, time.Time{}, networkError("get", name, syscall.ESTALE)
	}
	if s.oddly("old content") { // of a client that has not asked again
		s.mu.Lock()
		b, ok := s.old[name]
		s.mu.Unlock()
		if ok {
			return slices.Clone(b), time.Unix(1, 0), nil
		}
	}
	b, modified, err := s.Store.Get(ctx, name, limit)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.old[name] = slices.Clone(b)
	}
	return b, modified, err
}

func (s *networked) Open(ctx context.Context, name string) (store.Blob, error) {
	if s.oddly("stale file") {
		return nil, networkError("open", name, syscall.ESTALE)
	}
	b, err := s.Store.Open(ctx, name)
	if err == nil && s.oddly("stale while it is read") { // another client has removed it
		return staleBlob{b}, nil
	}
	return b, err
}

type staleBlob struct{ store.Blob }

func (staleBlob) ReadAt([]byte, int64) (int, error) { return 0, syscall.ESTALE }

func (s *networked) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	if s.oddly("nothing put") {
		return networkError("put", name, syscall.ESTALE)
	}
	err := s.Store.Put(ctx, name, o, write)
	if err == nil && s.oddly("put, and yet an error") { // the answer was lost, and the rename asked for again
		return networkError("put", name, syscall.ENOENT)
	}
	return err
}

func (s *networked) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (bool, error) {
	if s.oddly("there by an old look") {
		return false, nil
	}
	written, err := s.Store.PutIfAbsent(ctx, name, size, o, write)
	if err == nil && s.oddly("put, and yet an error") {
		return written, networkError("put", name, syscall.EIO)
	}
	return written, err
}

func (s *networked) Freshen(ctx context.Context, name string, modified time.Time) error {
	if s.oddly("stale file") {
		return networkError("freshen", name, syscall.ESTALE)
	}
	return s.Store.Freshen(ctx, name, modified)
}

func (s *networked) Stat(ctx context.Context, name string) (store.Info, error) {
	if s.oddly("old attributes") {
		return store.Info{Name: name, Size: 1, Modified: time.Unix(1, 0)}, nil
	}
	return s.Store.Stat(ctx, name)
}

func (s *networked) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range s.Store.List(ctx, prefix) {
			if s.oddly("not yet listed") {
				continue
			}
			if !yield(info, err) {
				return
			}
			if s.oddly("listed still") && !yield(store.Info{Name: info.Name[:len(info.Name)-6] + "x.json", Size: 10}, nil) {
				return
			}
		}
		if s.oddly("the end of a list is lost") {
			yield(store.Info{}, networkError("list", prefix, syscall.ESTALE))
		}
	}
}

func (s *networked) Delete(ctx context.Context, name string) error {
	err := s.Store.Delete(ctx, name)
	if err == nil && s.oddly("deleted, and yet an error") {
		return networkError("delete", name, syscall.EIO)
	}
	return err
}

func (s *networked) Quarantine(ctx context.Context, name string) error {
	err := s.Store.Quarantine(ctx, name)
	if err == nil && s.oddly("put aside, and yet an error") {
		return networkError("quarantine", name, syscall.ESTALE)
	}
	return err
}

func (s *networked) Lock(ctx context.Context, number uint64, patience time.Duration) (func(), error) {
	switch {
	case s.oddly("no locks"):
		return nil, fmt.Errorf("%w: %w", errors.ErrUnsupported, syscall.ENOLCK)
	case s.oddly("a lock that fails"):
		return nil, networkError("lock", "lock", syscall.EIO)
	case s.oddly("a lock that excludes nobody"): // the server was started anew
		return func() {}, nil
	}
	return s.Store.Lock(ctx, number, patience)
}

// TestNetworkFolder uses a store that does as network file systems do now and then, with
// every verb: calls compute where they must, and never return anything wrong. When the
// store has recovered, everything that is left is right.
func TestNetworkFolder(t *testing.T) {
	odd := map[string]int{}
	var total Stats
	for seed := range uint64(*networkSeeds) {
		s := &networked{Store: &storetest.Memory{}, r: rand.New(rand.NewPCG(seed, 32)), chance: 3 + int(seed%20), odd: odd, old: map[string][]byte{}}
		c := openOn(t, s)
		c.options.OnEvent = nil // faults are expected
		c.options.Limits.MaxEntries = 6
		c.options.Patience = 10 * time.Millisecond
		f := memoizeSample(t, c)
		var wg sync.WaitGroup
		for g := range 3 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(g)))
				for range 30 {
					n := r.IntN(10)
					switch r.IntN(12) {
					case 0:
						got, err := f.Refresh(t.Context(), n)
						checkSample(t, n, got, err)
					case 1:
						_ = f.Forget(n)
					case 2:
						_, _ = f.Has(n)
					case 3:
						_, _ = c.Verify(t.Context(), nil)
					case 4:
						_, _ = c.Trim(t.Context(), Limits{MaxEntries: 3}, nil)
					case 5:
						ref, err := f.Shelve(n)
						var got sample
						if err == nil && ref.Get(t.Context(), &got) == nil {
							checkSample(t, n, got, nil)
						} else if err != nil {
							t.Errorf("shelve: %v", err)
						}
					case 6:
						for range c.Records(t.Context()) {
						}
						_, _ = c.History(t.Context())
					default:
						got, err := f.Call(t.Context(), n)
						checkSample(t, n, got, err)
					}
				}
			})
		}
		wg.Wait()
		stats := c.Stats()
		total.Hits, total.Misses, total.Faults = total.Hits+stats.Hits, total.Misses+stats.Misses, total.Faults+stats.Faults
		s.mu.Lock()
		s.chance = 0
		s.mu.Unlock()
		c.options.Limits = Limits{}
		report, err := c.Verify(t.Context(), nil)
		if err != nil || len(report.Damaged) > 0 {
			t.Errorf("seed %d: when all is well again: %+v, %v", seed, report, err)
		}
		for range 2 {
			c.ResetStats()
			for n := range 10 {
				got, err := f.Call(t.Context(), n)
				checkSample(t, n, got, err)
			}
		}
		if s := c.Stats(); s.Hits != 10 || s.Faults != 0 {
			t.Errorf("seed %d: when all is well again: %+v", seed, s)
		}
	}
	t.Logf("%d histories: %d hits, %d misses, %d faults; %v", *networkSeeds, total.Hits, total.Misses, total.Faults, odd)
	if total.Hits == 0 || total.Faults == 0 || len(odd) < 15 {
		t.Error("too little was tried")
	}
}
