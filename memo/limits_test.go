package memo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// handClock is a time that tests set.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func newHandClock() *handClock { return &handClock{now: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)} }

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *handClock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}

// openLimited opens a cache with limits and a clock of the test's.
func openLimited(t testing.TB, dir string, limits Limits, now *handClock) *Cache {
	t.Helper()
	o := quiet()
	o.Limits, o.Now = limits, now.Now
	o.OnEvent = func(e Event) {
		if e.Kind == Fault {
			t.Errorf("fault: %v", e.Err)
		}
	}
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// vector is a function whose result has n elements, all of value x.
func vector(t testing.TB, c *Cache) *Function[func(x float64, n int) ([]float64, error)] {
	t.Helper()
	f, err := Func(c, Spec{Name: "vector", Version: "1"}, func(x float64, n int) ([]float64, error) {
		v := make([]float64, n)
		for i := range v {
			v[i] = x
		}
		return v, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// inFolder returns what a cache's folder holds: entries, and bytes of records and
// objects.
func inFolder(t testing.TB, dir string) (u usage, objects int) {
	t.Helper()
	for _, folder := range []string{callsFolder, objectsFolder} {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil
			}
			info, err := e.Info()
			if err != nil {
				return nil
			}
			u.bytes += info.Size()
			if strings.HasSuffix(path, ".json") {
				u.entries++
			} else {
				objects++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return u, objects
}

// callsIn returns which calls of vector are in the cache.
func callsIn(t testing.TB, f *Function[func(float64, int) ([]float64, error)], calls int) (xs []int) {
	t.Helper()
	for x := range calls {
		ok, err := f.Has(x, 10)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			xs = append(xs, x)
		}
	}
	return xs
}

// TestEvictionOrder checks which entries go first, by policy: calls 0 to 3 are stored
// an hour apart, 0 and 1 used again later, and then a fourth and fifth one stored.
func TestEvictionOrder(t *testing.T) {
	for _, test := range []struct {
		policy Policy
		want   []int
	}{
		{DefaultPolicy, []int{0, 1, 4, 5}},
		{LRU, []int{0, 1, 4, 5}},
		{LRI, []int{2, 3, 4, 5}},
	} {
		t.Run(test.policy.String(), func(t *testing.T) {
			now, dir := newHandClock(), t.TempDir()
			c := openLimited(t, dir, Limits{MaxEntries: 4, Policy: test.policy}, now)
			f := vector(t, c)
			for _, x := range []float64{0, 1, 2, 3, 0, 1, 4, 5} {
				if v, err := f.Call(x, 10); err != nil || len(v) != 10 || v[9] != x {
					t.Fatal(v, err)
				}
				if u, _ := inFolder(t, dir); u.entries > 4 {
					t.Errorf("%d entries after call %v, the limit is 4", u.entries, x)
				}
				now.pass(2 * time.Hour)
			}
			if got := callsIn(t, f, 6); !slices.Equal(got, test.want) {
				t.Errorf("kept %v, want %v", got, test.want)
			}
			if s := c.Stats(); s.Evicted != 2 || s.Misses != 6 || s.Hits != 2 {
				t.Errorf("%+v", s)
			}
			if _, objects := inFolder(t, dir); objects != 4 {
				t.Errorf("%d objects, want 4", objects)
			}
		})
	}
}

// TestLeastCost checks that what is cheap to compute for its size goes first.
func TestLeastCost(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{MaxEntries: 2, Policy: LeastCost}, now)
	ctx := t.Context()
	store := func(name string, took time.Duration, n int) {
		t.Helper()
		results, err := storeResults(ctx, reflectValues(make([]float64, n), name), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.save(ctx, NewKey(name, "1").withSum(), results, now.Now(), took); err != nil {
			t.Fatal(err)
		}
		now.pass(time.Second)
	}
	store("slow and small", time.Hour, 10)
	store("slow and large", time.Hour, 1_000_000)
	store("fast and small", time.Minute, 10)
	var names []string
	for r, err := range c.Records(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, r.Function)
	}
	if want := []string{"fast and small", "slow and small"}; !slices.Equal(names, want) {
		t.Errorf("kept %q, want %q", names, want)
	}
}

// onceUnreadable is a store whose first read of one blob fails.
type onceUnreadable struct {
	store.Store
	name string
	once sync.Once
}

func (s *onceUnreadable) Get(ctx context.Context, name string, limit int64) (b []byte, modified time.Time, err error) {
	if name == s.name {
		s.once.Do(func() { err = syscall.EIO })
	}
	if err != nil {
		return nil, modified, err
	}
	return s.Store.Get(ctx, name, limit)
}

// TestLeastCostSparesTheUnreadable checks that an entry whose cost cannot be read now
// does not count as worthless: it goes last.
func TestLeastCostSparesTheUnreadable(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{}, now)
	f := fill(t, c, now, 4)
	key, err := f.Key(2, 10)
	if err != nil {
		t.Fatal(err)
	}
	c.store = &onceUnreadable{Store: c.store, name: recordName("vector", "1", key.Digest())}
	if _, err := c.Trim(t.Context(), Limits{MaxEntries: 1, Policy: LeastCost}, nil); err != nil {
		t.Error(err)
	}
	if got := callsIn(t, f, 4); !slices.Equal(got, []int{2}) {
		t.Errorf("kept %v, want [2]", got)
	}
}

// TestMaxBytesHolds stores results of random sizes, some with objects that others
// share, from two caches on one folder, and looks at the folder after each.
func TestMaxBytesHolds(t *testing.T) {
	const limit = 100_000
	for seed := range uint64(5) {
		now, dir := newHandClock(), t.TempDir()
		fs := []*Function[func(float64, int) ([]float64, error)]{}
		for range 2 {
			fs = append(fs, vector(t, openLimited(t, dir, Limits{MaxBytes: limit}, now)))
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for i := range 150 {
			n := r.IntN(4000)
			if v, err := fs[r.IntN(2)].Call(float64(r.IntN(3)), n); err != nil || len(v) != n {
				t.Fatal(len(v), err)
			}
			now.pass(time.Duration(r.IntN(10)) * time.Minute)
			// Of what the other cache wrote, a hundredth may not be known.
			if u, _ := inFolder(t, dir); u.bytes > limit+limit/100 {
				t.Fatalf("seed %d: %d bytes after call %d, the limit is %d", seed, u.bytes, i, limit)
			}
		}
		if u, _ := inFolder(t, dir); u.bytes < limit/2 {
			t.Errorf("seed %d: only %d bytes are used of %d", seed, u.bytes, limit)
		}
	}
}

// TestEvictionIsLeastRecentlyUsed compares with a list, over random calls.
func TestEvictionIsLeastRecentlyUsed(t *testing.T) {
	const limit, calls = 5, 9
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{MaxEntries: limit}, now)
	f := vector(t, c)
	r := rand.New(rand.NewPCG(7, 7))
	var recent []int // the last one last
	for range 300 {
		x := r.IntN(calls)
		if _, err := f.Call(float64(x), 10); err != nil {
			t.Fatal(err)
		}
		recent = append(slices.DeleteFunc(recent, func(y int) bool { return y == x }), x)
		recent = recent[max(0, len(recent)-limit):]
		now.pass(61 * time.Minute)
		if got, want := callsIn(t, f, calls), slices.Sorted(slices.Values(recent)); !slices.Equal(got, want) {
			t.Fatalf("kept %v, want %v", got, want)
		}
	}
}

// TestSharedObjectsStay evicts the first of two entries with the same result.
func TestSharedObjectsStay(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{MaxEntries: 2}, now)
	f, err := Func(c, Spec{Name: "same", Version: "1"}, func(int) []float64 { return []float64{1, 2, 3} })
	if err != nil {
		t.Fatal(err)
	}
	for x := range 4 {
		f.Call(x)
		now.pass(time.Minute)
	}
	if u, objects := inFolder(t, dir); u.entries != 2 || objects != 1 {
		t.Errorf("%d entries and %d objects, want 2 and 1", u.entries, objects)
	}
	f.Call(2)
	f.Call(3)
	if s := c.Stats(); s.Misses != 4 || s.Hits != 2 {
		t.Errorf("%+v", s)
	}
}

func TestMaxAge(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{MaxAge: 10 * time.Hour}, now)
	f := vector(t, c)
	call := func(x float64, misses int64) {
		t.Helper()
		before := c.Stats().Misses
		if _, err := f.Call(x, 10); err != nil {
			t.Fatal(err)
		}
		if got := c.Stats().Misses - before; got != misses {
			t.Errorf("call %v missed %d times, want %d", x, got, misses)
		}
	}
	call(0, 1)
	call(1, 1)
	now.pass(9 * time.Hour)
	call(0, 0) // used, so that it stays
	now.pass(2 * time.Hour)
	if got := callsIn(t, f, 2); !slices.Equal(got, []int{0}) {
		t.Errorf("%v are served, want 0 only", got)
	}
	call(0, 0)
	call(2, 1) // stored, so that limits are enforced
	if u, objects := inFolder(t, dir); u.entries != 2 || objects != 2 {
		t.Errorf("%d entries and %d objects, want 0 and 2 only", u.entries, objects)
	}
	now.pass(-24 * time.Hour) // a clock that was wrong evicts nothing
	call(0, 0)
	call(2, 0)
}

func TestTooLargeForTheCache(t *testing.T) {
	o := quiet()
	o.Limits.MaxBytes = 10_000
	var faults []error
	o.OnEvent = func(e Event) {
		if e.Kind == Fault {
			faults = append(faults, e.Err)
		}
	}
	dir := t.TempDir()
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := vector(t, c)
	for _, n := range []int{100, 2000} {
		if v, err := f.Call(1, n); err != nil || len(v) != n {
			t.Fatal(len(v), err)
		}
	}
	if len(faults) != 1 || !errors.Is(faults[0], ErrTooLarge) {
		t.Errorf("faults: %v, want ErrTooLarge", faults)
	}
	if ok, err := f.Has(1, 100); !ok || err != nil {
		t.Errorf("the small entry made room for what was not stored: %v, %v", ok, err)
	}
	if u, _ := inFolder(t, dir); u.entries != 1 {
		t.Errorf("%d entries, want 1", u.entries)
	}
}

// TestEvictedWhileOpen reads rows of a result after its entry was evicted.
func TestEvictedWhileOpen(t *testing.T) {
	now := newHandClock()
	c := openLimited(t, t.TempDir(), Limits{MaxEntries: 1}, now)
	f := vector(t, c)
	ref, err := f.Shelve(7, 1000)
	if err != nil {
		t.Fatal(err)
	}
	file, err := ref.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	now.pass(time.Hour)
	if _, err := f.Call(8, 10); err != nil {
		t.Fatal(err)
	}
	if ok, err := f.Has(7, 1000); ok || err != nil {
		t.Fatalf("it was not evicted: %v, %v", ok, err)
	}
	a, err := file.ReadRows(990, 1000)
	if err != nil || fmt.Sprint(a) != "[7. 7. 7. 7. 7. 7. 7. 7. 7. 7.]" {
		t.Errorf("%v, %v", a, err)
	}
}

// TestLimitsAcrossCaches checks that a cache takes over what others left: one that
// was never counted, one that was closed, and one whose ledger is damaged.
func TestLimitsAcrossCaches(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	unlimited := openLimited(t, dir, Limits{}, now)
	f := vector(t, unlimited)
	for x := range 10 {
		if _, err := f.Call(float64(x), 10); err != nil {
			t.Fatal(err)
		}
		now.pass(time.Minute)
	}
	if _, err := os.Stat(filepath.Join(dir, usageFile)); err == nil {
		t.Error("a cache without limits keeps a ledger")
	}
	for i, before := range []func(){
		func() {},
		func() {},
		func() {
			if err := os.WriteFile(filepath.Join(dir, usageFile), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		func() { now.pass(2 * time.Hour) },
	} {
		before()
		c := openLimited(t, dir, Limits{MaxEntries: 6 - i}, now)
		if _, err := vector(t, c).Call(float64(100+i), 10); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if u, objects := inFolder(t, dir); u.entries != int64(6-i) || objects != 6-i {
			t.Errorf("step %d: %d entries and %d objects, want %d", i, u.entries, objects, 6-i)
		}
		now.pass(time.Minute)
	}
}

// TestEvictionIsConcurrent has many goroutines and two caches store and read at once.
func TestEvictionIsConcurrent(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	const limit = 20
	var wg sync.WaitGroup
	for i := range 2 {
		c := openLimited(t, dir, Limits{MaxEntries: limit}, now)
		f := vector(t, c)
		for g := range 4 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), uint64(g)))
				for range 60 {
					x := float64(r.IntN(50))
					if v, err := f.Call(x, 10); err != nil || len(v) != 10 || v[0] != x {
						t.Errorf("%v, %v; want %v", v, err, x)
					}
					now.pass(time.Second)
				}
			})
		}
	}
	wg.Wait()
	c := openLimited(t, dir, Limits{MaxEntries: limit}, now)
	now.pass(3 * time.Hour)
	if _, err := vector(t, c).Call(1000, 10); err != nil {
		t.Fatal(err)
	}
	if u, _ := inFolder(t, dir); u.entries > limit {
		t.Errorf("%d entries, the limit is %d", u.entries, limit)
	}
}

// TestEvictionTakesMore checks that what goes over a larger limit takes a twentieth
// more along, so that not every entry lists the folder.
func TestEvictionTakesMore(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{MaxEntries: 40}, now)
	f := fill(t, c, now, 40)
	for x, want := range []int64{38, 39, 40, 38} {
		if _, err := f.Call(float64(100+x), 10); err != nil {
			t.Fatal(err)
		}
		if u, _ := inFolder(t, dir); u.entries != want {
			t.Errorf("%d entries, want %d", u.entries, want)
		}
	}
}

// TestStoredWhileEvicting has another cache store an entry in the middle of an
// eviction, which must not be missing in the ledger then.
func TestStoredWhileEvicting(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	other := vector(t, openLimited(t, dir, Limits{MaxEntries: 50}, now))
	c := openLimited(t, dir, Limits{MaxEntries: 3}, now)
	stored := 0.0
	c.options.OnEvent = func(e Event) {
		if e.Kind == Evicted && stored == 0 {
			stored = 1000
			if _, err := other.Call(stored, 10); err != nil {
				t.Error(err)
			}
		}
	}
	fill(t, c, now, 4)
	if stored == 0 {
		t.Fatal("nothing was evicted")
	}
	u, _ := inFolder(t, dir)
	if l, err := readLedger(t.Context(), c.store); err != nil || l.entries < u.entries || l.bytes < u.bytes {
		t.Errorf("the ledger has %+v, the folder %+v; %v", l.usage, u, err)
	}
}

func TestLimitsRefuse(t *testing.T) {
	for _, limits := range []Limits{{MaxBytes: -1}, {MaxEntries: -1}, {MaxAge: -1}, {Policy: -1}, {Policy: LeastCost + 1}} {
		if _, err := Open(t.TempDir(), &Options{Limits: limits}); !errors.Is(err, ErrArguments) {
			t.Errorf("Open with %+v: %v, want ErrArguments", limits, err)
		}
		if _, err := openQuiet(t, t.TempDir()).Trim(context.Background(), limits, nil); !errors.Is(err, ErrArguments) {
			t.Errorf("Trim with %+v: %v, want ErrArguments", limits, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "500": 500, "500B": 500, " 64K ": 64 << 10, "64 kB": 64 << 10, "2G": 2 << 30, "2GiB": 2 << 30,
		"1.5M": 3 << 19, "1T": 1 << 40, "7P": 7 << 50, "9223372036854775807": 1<<63 - 1, "0.5k": 512,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "K", "-1", "-1K", "1X", "1KX", "1e3", "0x10", "1_000", "Inf", "NaN", "1..5K", "8192P", "9223372036854775808", "1K2", "1 2K", "2GG", "..", "1I"} {
		if got, err := ParseSize(text); !errors.Is(err, ErrArguments) {
			t.Errorf("%q: %d, %v; want ErrArguments", text, got, err)
		}
	}
}
