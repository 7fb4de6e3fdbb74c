//go:build unix

package memo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

var growCalls = flag.Int("grow.calls", 1000, "calls of TestNothingGrows, after as many to warm up")

// errGrow is what functions return that fail.
var errGrow = errors.New("the function failed")

// growKeys is the number of keys that are asked for again and again. One of eight calls is
// of a new one.
const growKeys = 200

// grower makes calls of every kind.
type grower struct {
	t      *testing.T
	dir    string // of one of the caches that has a folder
	caches []*Cache
	funcs  []*Function[func(context.Context, int) ([]float64, error)]
	wraps  []func(context.Context, int) ([]float64, error)
	next   atomic.Int64 // new key

	results, failures, panics, cancels, others atomic.Int64
}

// growFunction returns n, or does something else, as n says.
func growFunction(ctx context.Context, n int) ([]float64, error) {
	switch n % 16 {
	case 0:
		return nil, errGrow
	case 1:
		panic(errGrow)
	case 2: // does as it is told
		<-ctx.Done()
		return nil, ctx.Err()
	case 3: // returns its results all the same
		<-ctx.Done()
	case 4: // leaves something running until the context ends
		go func() { <-ctx.Done() }()
	}
	return growResult(n), nil
}

func growResult(n int) []float64 {
	data := make([]float64, 100)
	for i := range data {
		data[i] = float64(n + i)
	}
	return data
}

// growOptions bound everything that is meant to be kept.
func growOptions(folder, memory bool, policy Policy) *Options {
	o := quiet()
	if folder {
		o.Limits.MaxEntries = growKeys / 2
	}
	if memory {
		o.Memory = &Memory{MaxEntries: growKeys / 2, Policy: policy}
	}
	return o
}

// open opens a cache, to be closed by the caller.
func (g *grower) open(dir string, o *Options) *Cache {
	g.t.Helper()
	c, err := Open(dir, o)
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

// add opens a cache and memoizes the function with it.
func (g *grower) add(dir string, o *Options) {
	g.t.Helper()
	c := g.open(dir, o)
	f, err := Func(c, Spec{Name: "grow", Version: "1"}, growFunction)
	if err != nil {
		g.t.Fatal(err)
	}
	wrapped, err := c.Wrap(Spec{Name: "grow", Version: "1"}, growFunction)
	if err != nil {
		g.t.Fatal(err)
	}
	g.caches, g.funcs = append(g.caches, c), append(g.funcs, f)
	g.wraps = append(g.wraps, wrapped.(func(context.Context, int) ([]float64, error)))
}

// call makes one call by one of the doors, and gives up at any time, or does not.
func (g *grower) call(r *rand.Rand) {
	i, n := r.IntN(len(g.caches)), r.IntN(growKeys)
	if r.IntN(8) == 0 {
		n = growKeys + int(g.next.Add(1))
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if wait := r.IntN(200); n%16 == 2 || n%16 == 3 || r.IntN(4) == 0 {
		go func() {
			for range wait {
				runtime.Gosched()
			}
			cancel()
		}()
	}
	defer func() {
		if v := recover(); v != nil {
			g.panics.Add(1)
		}
	}()
	var got []float64
	var err error
	switch door := r.IntN(8); {
	case door < 2:
		got, err = g.funcs[i].Call(ctx, n)
	case door < 4:
		got, err = g.wraps[i](ctx, n)
	case door < 6:
		got, err = Do(ctx, g.caches[i], NewKey("grow", "1").Add(n), func(ctx context.Context) ([]float64, error) { return growFunction(ctx, n) })
	case door == 6:
		got, err = g.funcs[i].Refresh(ctx, n)
	default:
		got, err = g.shelve(ctx, r, i, n)
	}
	switch {
	case err == nil && len(got) == 100 && got[0] == float64(n) && got[99] == float64(n+99):
		g.results.Add(1)
	case errors.Is(err, errGrow):
		g.failures.Add(1)
	case errors.Is(err, context.Canceled):
		g.cancels.Add(1)
	default:
		g.t.Errorf("WRONG result of call %d: %v, %v", n, got, err)
	}
}

// shelve is a call by reference, whose result is read in one of three ways.
func (g *grower) shelve(ctx context.Context, r *rand.Rand, i, n int) (got []float64, err error) {
	ref, err := g.funcs[i].Shelve(ctx, n)
	if err != nil {
		return nil, err
	}
	switch r.IntN(3) {
	case 0:
		err = ref.Get(context.Background(), &got)
	case 1:
		var file *npy.File
		if file, err = ref.Open(context.Background(), 0); err == nil {
			var m *npy.Mapping
			if m, err = file.Map(npy.ReadOnly); err == nil {
				data := m.Array().(*array.Array[float64]).Data()
				got = append(got, data...)
				err = m.Close()
			}
			err = errors.Join(err, file.Close())
		}
	default:
		err = ref.Forget(context.Background())
		got = growResult(n)
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnsupported) || errors.Is(err, npy.ErrUnsupported) { // evicted, or in no folder
		return growResult(n), nil
	}
	return got, err
}

// crowd calls many functions, each once, more than are counted by name, in caches that are
// in memory only.
func (g *grower) crowd(r *rand.Rand) {
	for range 20 {
		c := g.caches[1+r.IntN(2)]
		n := int(g.next.Add(1))
		got, err := Do(context.Background(), c, NewKey(fmt.Sprint("grow ", n), "1").Add(n), func(context.Context) (int, error) { return n, nil })
		if got != n || err != nil {
			g.t.Errorf("WRONG result of call %d: %v, %v", n, got, err)
		}
	}
}

// other does something else than to call.
func (g *grower) other(r *rand.Rand) {
	g.others.Add(1)
	ctx := context.Background()
	i := r.IntN(len(g.caches))
	c := g.caches[i]
	var err error
	switch r.IntN(8) {
	case 0:
		_, err = g.funcs[i].Has(r.IntN(growKeys))
	case 1:
		for range c.Records(ctx) {
			break
		}
	case 2:
		_, err = c.Verify(ctx, nil)
	case 3:
		_, err = c.Trim(ctx, Limits{MaxEntries: growKeys / 2}, nil)
	case 4:
		_, err = c.History(ctx)
		_ = c.Stats()
	case 5: // until the context ends
		ended, cancel := context.WithCancel(ctx)
		go cancel()
		_, _ = c.Verify(ended, nil)
	default:
		o := growOptions(true, true, DefaultPolicy)
		again := g.open(g.dir, o)
		_, _ = Do(ctx, again, NewKey("grow", "1").Add(4), func(context.Context) ([]float64, error) { return growResult(4), nil })
		err = again.Close()
	}
	if err != nil {
		g.t.Errorf("%v", err)
	}
}

// run makes so many calls, four at a time.
func (g *grower) run(calls int, seed uint64) {
	var left atomic.Int64
	left.Store(int64(calls))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for left.Add(-1) >= 0 {
				if r.IntN(200) == 0 {
					g.other(r)
				}
				if r.IntN(4) == 0 {
					g.crowd(r)
				}
				g.call(r)
			}
		})
	}
	wg.Wait()
}

// holdings are what the process holds.
type holdings struct {
	goroutines int
	heap       uint64
	files      int // descriptors
	locks      int // of them, of files called lock
	objects    int // mapped
	regions    int // of memory
}

// settled returns what the process holds when those who gave up have left nothing running
// but what goroutines says.
func settled(t *testing.T, goroutines int) holdings {
	t.Helper()
	// What was given up goes on until the function returns, and a file is closed a moment
	// after: there is no event to wait for.
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	runtime.GC()
	runtime.GC() // what pools held through the first
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	h := holdings{goroutines: runtime.NumGoroutine(), heap: memory.HeapAlloc}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return h // no such folder on this system
	}
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil {
			continue // the descriptor of the folder itself
		}
		h.files++
		if filepath.Base(target) == "lock" {
			h.locks++
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Error(err)
	}
	h.regions = strings.Count(string(maps), "\n")
	h.objects = strings.Count(string(maps), ".npy")
	return h
}

const (
	// growHot is how many keys are counted at most of those that are asked for once: of
	// the last thousand calls, and some.
	growHot = 4000
	// growHeap is by how much the heap may differ: 4,000 hot keys of some hundred bytes
	// come and go, and results are in flight or pooled. It does not depend on how
	// many calls are made, so that the more are made, the smaller is the leak that shows.
	growHeap = 3 << 20
	// growRegions is by how much the regions of memory may differ: the runtime maps its
	// heap as it likes.
	growRegions = 24
)

// TestNothingGrows makes calls of every kind, by every door and with every tier, and then
// as many again: goroutines, memory, open files, mappings and locks are not more than
// before.
func TestNothingGrows(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	g := &grower{t: t, dir: t.TempDir()}
	both := t.TempDir()
	g.add(t.TempDir(), growOptions(true, false, DefaultPolicy))
	g.add("", growOptions(false, true, DefaultPolicy))
	g.add("", growOptions(false, true, LRU))
	g.add(g.dir, growOptions(true, true, DefaultPolicy))
	g.add(both, growOptions(true, true, LRI))
	began, goroutines := time.Now(), runtime.NumGoroutine()
	g.run(*growCalls, 1)
	before := settled(t, goroutines)
	g.run(*growCalls, 2)
	after := settled(t, goroutines)
	took := time.Since(began)
	var stats Stats
	for _, c := range g.caches {
		s := c.Stats()
		stats.Hits, stats.Misses, stats.Shared, stats.Faults = stats.Hits+s.Hits, stats.Misses+s.Misses, stats.Shared+s.Shared, stats.Faults+s.Faults
		stats.MemoryHits, stats.Evicted = stats.MemoryHits+s.MemoryHits, stats.Evicted+s.Evicted
		if n := len(c.hot.keys); n > growHot {
			t.Errorf("%d keys are counted", n)
		}
		if n := len(c.unwritten.counts); n > maxFunctions+1 {
			t.Errorf("%d functions are counted", n)
		}
		if c.memory != nil && c.memory.entries.len() > growKeys {
			t.Errorf("%d entries are in memory", c.memory.entries.len())
		}
		if len(c.flights) > 0 {
			t.Errorf("%d computations go on", len(c.flights))
		}
	}
	for _, c := range g.caches {
		if c.dir == "" {
			continue
		}
		var keys []array.Digest
		for n := range growKeys {
			keys = append(keys, NewKey("grow", "1").Add(n).Digest())
		}
		checkNoLocks(t, c.dir, keys...)
		for _, name := range filesBelow(t, c.dir, stagingFolder) {
			t.Errorf("%s is left", name)
		}
	}
	t.Logf("%d calls and %d again in %v: %d results, %d errors, %d panics, %d given up, %d other verbs; %d hits (%d in memory), %d misses, %d shared, %d evicted, %d faults; held %+v, then %+v",
		*growCalls, *growCalls, took.Round(time.Millisecond), g.results.Load(), g.failures.Load(), g.panics.Load(), g.cancels.Load(), g.others.Load(),
		stats.Hits, stats.MemoryHits, stats.Misses, stats.Shared, stats.Evicted, stats.Faults, before, after)
	if after.goroutines > before.goroutines || after.files > before.files+2 || after.locks > 0 || after.objects > 0 ||
		after.regions > before.regions+growRegions || after.heap > before.heap+growHeap {
		t.Errorf("GROWS: %+v, then %+v", before, after)
	}
	if before.goroutines > goroutines || stats.Faults > 0 {
		t.Errorf("%d goroutines, before %d; %d faults", before.goroutines, goroutines, stats.Faults)
	}
	for what, n := range map[string]int64{"results": g.results.Load(), "errors": g.failures.Load(), "panics": g.panics.Load(), "cancels": g.cancels.Load(),
		"hits": stats.Hits, "hits in memory": stats.MemoryHits, "misses": stats.Misses, "evictions": stats.Evicted} {
		if n == 0 {
			t.Errorf("there were no %s", what)
		}
	}
	for _, c := range g.caches {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
