package memo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// fill stores calls 0 to n−1 of vector, a minute apart.
func fill(t testing.TB, c *Cache, now *handClock, n int) *Function[func(float64, int) ([]float64, error)] {
	t.Helper()
	f := vector(t, c)
	for x := range n {
		if _, err := f.Call(float64(x), 10); err != nil {
			t.Fatal(err)
		}
		now.pass(time.Minute)
	}
	return f
}

// TestTrim trims to each kind of limit, in a dry run and then really, with all
// candidates in memory and with three at a time.
func TestTrim(t *testing.T) {
	defer func(n int) { maxCandidates = n }(maxCandidates)
	for _, candidates := range []int{maxCandidates, 3} {
		maxCandidates = candidates
		for _, test := range []struct {
			name   string
			limits func(each int64) Limits
			want   []int
		}{
			{"nothing", func(int64) Limits { return Limits{} }, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{"entries", func(int64) Limits { return Limits{MaxEntries: 3} }, []int{7, 8, 9}},
			{"bytes", func(each int64) Limits { return Limits{MaxBytes: 2*each + each/2} }, []int{8, 9}},
			{"all bytes", func(int64) Limits { return Limits{MaxBytes: 1} }, nil},
			{"age", func(int64) Limits { return Limits{MaxAge: 4*time.Minute + time.Second} }, []int{6, 7, 8, 9}},
			{"age and entries", func(int64) Limits { return Limits{MaxAge: 4*time.Minute + time.Second, MaxEntries: 9} }, []int{6, 7, 8, 9}},
			{"age by cost", func(int64) Limits { return Limits{MaxAge: 4*time.Minute + time.Second, Policy: LeastCost} }, []int{6, 7, 8, 9}},
			{"inserted", func(int64) Limits { return Limits{MaxEntries: 1, Policy: LRI} }, []int{9}},
		} {
			t.Run(fmt.Sprint(test.name, "/", candidates), func(t *testing.T) {
				now, dir := newHandClock(), t.TempDir()
				c := openLimited(t, dir, Limits{}, now)
				f := fill(t, c, now, 10)
				before, objects := inFolder(t, dir)
				limits := test.limits(before.bytes / 10)
				dry, err := c.Trim(t.Context(), limits, &TrimOptions{DryRun: true})
				if u, o := inFolder(t, dir); err != nil || u != before || o != objects {
					t.Fatalf("a dry run left %+v of %+v, %v", u, before, err)
				}
				looked := 0
				trimmed, err := c.Trim(t.Context(), limits, &TrimOptions{Progress: func(p Progress) { looked = p.Done }})
				if err != nil || trimmed != dry {
					t.Errorf("%+v, %v; the dry run said %+v", trimmed, err, dry)
				}
				after, objects := inFolder(t, dir)
				want := Trimmed{10 - len(test.want), 10 - len(test.want), before.bytes - after.bytes, len(test.want), after.bytes}
				if trimmed != want || objects != len(test.want) || looked < 10 {
					t.Errorf("%+v, want %+v; %d objects; %d files looked at", trimmed, want, objects, looked)
				}
				if got := callsIn(t, f, 10); !slices.Equal(got, test.want) {
					t.Errorf("kept %v, want %v", got, test.want)
				}
				if got := c.Stats().Evicted; got != int64(want.Entries) {
					t.Errorf("%d evicted, want %d", got, want.Entries)
				}
			})
		}
	}
}

// TestSweep checks that objects without a record go, once they are old enough, and no
// others.
func TestSweep(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{}, now)
	f := fill(t, c, now, 4)
	same, err := Func(c, Spec{Name: "same", Version: "1"}, func() []float64 { return slices.Repeat([]float64{2}, 10) })
	if err != nil {
		t.Fatal(err)
	}
	same.Call() // shares the object of call 2
	if err := f.Forget(1, 10); err != nil {
		t.Fatal(err)
	}
	if err := f.Forget(2, 10); err != nil {
		t.Fatal(err)
	}
	objectsAfter := func(want int) {
		t.Helper()
		if _, err := c.Trim(t.Context(), Limits{}, nil); err != nil {
			t.Fatal(err)
		}
		if _, objects := inFolder(t, dir); objects != want {
			t.Errorf("%d objects, want %d", objects, want)
		}
	}
	objectsAfter(4) // they may be of an entry that is just being written
	now.pass(sweepGrace)
	objectsAfter(3)
	if s := c.Stats(); s.Evicted != 0 {
		t.Errorf("%+v", s)
	}
	same.Call()
	if got := callsIn(t, f, 4); !slices.Equal(got, []int{0, 3}) {
		t.Errorf("kept %v", got)
	}
	if s := c.Stats(); s.Hits != 1 {
		t.Errorf("the shared object is gone: %+v", s)
	}
}

// TestSweepSparesLaterFormats checks that nothing is swept where a record may refer to
// objects in a way that is not known yet.
func TestSweepSparesLaterFormats(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{}, now)
	f := fill(t, c, now, 2)
	if err := f.Forget(0, 10); err != nil {
		t.Fatal(err)
	}
	later := filepath.Join(dir, "calls", "later", "1", "00", strings.Repeat("0", 32)+".json")
	if err := os.MkdirAll(filepath.Dir(later), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(later, seal([]byte(`{"format":2,"objects":["?"],`)), 0o600); err != nil {
		t.Fatal(err)
	}
	now.pass(time.Hour)
	if _, err := c.Trim(t.Context(), Limits{}, nil); !errors.Is(err, ErrFormat) {
		t.Errorf("%v, want ErrFormat", err)
	}
	if _, objects := inFolder(t, dir); objects != 2 {
		t.Errorf("%d objects, want 2", objects)
	}
}

// TestEvictionWithoutSweep checks that entries are evicted where unreferenced objects
// cannot be told: a record cannot be read, or is of a later format.
func TestEvictionWithoutSweep(t *testing.T) {
	for what, content := range map[string][]byte{
		"later format": seal([]byte(`{"format":2,"objects":["?"],`)),
		"unreadable":   nil,
	} {
		now := newHandClock()
		memory := &storetest.Memory{}
		later := callsFolder + "/later/1/00/" + strings.Repeat("0", 32) + ".json"
		memory.Set(later, content)
		o := quiet()
		o.Now = now.Now
		c, err := Open("", o)
		if err != nil {
			t.Fatal(err)
		}
		c.store = unreadable{memory, later, content == nil}
		if err := fill(t, c, now, 4).Forget(0, 10); err != nil {
			t.Fatal(err)
		}
		now.pass(sweepGrace) // so that the forgotten one's object is old enough to be swept
		trimmed, err := c.Trim(t.Context(), Limits{MaxEntries: 2}, nil)
		if err == nil || trimmed.Entries < 2 || trimmed.LeftEntries > 2 {
			t.Errorf("%s: %+v, %v; want 2 entries left, and an error", what, trimmed, err)
		}
	}
}

// unreadable is a store one of whose blobs cannot be read.
type unreadable struct {
	store.Store
	name   string
	broken bool
}

func (s unreadable) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	if s.broken && name == s.name {
		return nil, time.Time{}, errors.New("broken")
	}
	return s.Store.Get(ctx, name, limit)
}

// TestTrimSweepsStaging checks that what a writer left long ago goes, and what may
// still be written stays.
func TestTrimSweepsStaging(t *testing.T) {
	dir := t.TempDir()
	c := openQuiet(t, dir)
	fill(t, c, newHandClock(), 1)
	for name, age := range map[string]time.Duration{"old": 48 * time.Hour, "new": time.Minute} {
		path := filepath.Join(dir, stagingFolder, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Trim(t.Context(), Limits{}, &TrimOptions{DryRun: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		_, err := os.Stat(filepath.Join(dir, stagingFolder, "old"))
		if (err == nil) != want {
			t.Errorf("the old file: %v, want it there: %v", err, want)
		}
		if _, err := c.Trim(t.Context(), Limits{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, stagingFolder, "new")); err != nil {
		t.Errorf("the new file: %v", err)
	}
}

// TestRefreshedResultsMakeRoom checks that results which were replaced go before
// entries do.
func TestRefreshedResultsMakeRoom(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	n := 0.0
	c := openLimited(t, dir, Limits{MaxBytes: 50_000}, now)
	f := vector(t, c)
	changing, err := Func(c, Spec{Name: "changing", Version: "1"}, func() []float64 {
		n++
		return slices.Repeat([]float64{n}, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Call(0, 10); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		now.pass(sweepGrace)
		changing.Refresh()
	}
	if got := callsIn(t, f, 1); len(got) != 1 {
		t.Error("an entry went, where replaced results could")
	}
	if u, _ := inFolder(t, dir); u.bytes > 50_000 {
		t.Errorf("%d bytes", u.bytes)
	}
}

func TestTrimStops(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{}, now)
	fill(t, c, now, 10)
	ctx, cancel := context.WithCancel(t.Context())
	evicted := 0
	c.options.OnEvent = func(e Event) {
		if e.Kind != Evicted || e.Function != "vector" || e.Version != "1" || e.Key.String() == strings.Repeat("0", 32) {
			t.Errorf("%+v", e)
		}
		if evicted++; evicted == 3 {
			cancel()
		}
	}
	trimmed, err := c.Trim(ctx, Limits{MaxEntries: 1}, nil)
	if !errors.Is(err, context.Canceled) || trimmed.Entries != 3 {
		t.Errorf("%+v, %v; want 3 entries and context.Canceled", trimmed, err)
	}
	if u, _ := inFolder(t, dir); u.entries != 7 {
		t.Errorf("%d entries left, want 7", u.entries)
	}
}

func TestTrimReadOnlyAndClosed(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	fill(t, openLimited(t, dir, Limits{}, now), now, 3)
	o := quiet()
	o.ReadOnly, o.Now = true, now.Now
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Trim(t.Context(), Limits{MaxEntries: 1}, nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v, want ErrReadOnly", err)
	}
	if dry, err := c.Trim(t.Context(), Limits{MaxEntries: 1}, &TrimOptions{DryRun: true}); err != nil || dry.Entries != 2 {
		t.Errorf("%+v, %v", dry, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Trim(t.Context(), Limits{}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	var none *Cache
	if _, err := none.Trim(t.Context(), Limits{}, nil); !errors.Is(err, ErrNil) {
		t.Errorf("%v, want ErrNil", err)
	}
	if trimmed, err := openQuiet(t, "").Trim(t.Context(), Limits{}, nil); err != nil || trimmed != (Trimmed{}) {
		t.Errorf("without a folder: %+v, %v", trimmed, err)
	}
}

// TestEvictionFails lets each store operation fail in turn while entries are stored
// and evicted: the caller gets its result.
func TestEvictionFails(t *testing.T) {
	broken := errors.New("broken")
	for i := 0; ; i++ {
		now := newHandClock()
		faulty := &storetest.Faulty{Store: &storetest.Memory{}}
		o := quiet()
		o.Limits, o.Now = Limits{MaxEntries: 2}, now.Now
		c, err := Open("", o)
		if err != nil {
			t.Fatal(err)
		}
		c.store = faulty
		f := fill(t, c, now, 2)
		count := 0
		faulty.Fail(func(n int, _ string) error {
			count++
			if n == i {
				return broken
			}
			return nil
		})
		for x := range 5 {
			if v, err := f.Call(float64(x), 10); err != nil || v[0] != float64(x) {
				t.Fatalf("operation %d fails: %v, %v", i, v, err)
			}
			now.pass(time.Hour)
		}
		failed := faulty.Failed()
		faulty.Fail(nil)
		if len(failed) == 0 {
			if i < 50 {
				t.Errorf("only %d operations", i)
			}
			break
		}
		// Whole again, the limit holds with the next entry.
		now.pass(2 * time.Hour)
		if _, err := f.Call(9, 10); err != nil {
			t.Fatal(err)
		}
		entries := 0
		for name := range faulty.Store.(*storetest.Memory).Blobs() {
			if strings.HasPrefix(name, callsFolder) {
				entries++
			}
		}
		if entries > 2 {
			t.Errorf("%q failed (operation %d): %d entries, the limit is 2", failed, i, entries)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestResultDigests compares the quick look into a record with a thorough one, on
// records whose strings look like what is looked for.
func TestResultDigests(t *testing.T) {
	s := &storetest.Memory{}
	c := openOn(t, s)
	tricky := `"],"results":[{"array":"00000000000000000000000000000000","dtype"`
	type result struct {
		Array string `memo:"array"`
		Text  string
		X     []float64
		Parts [][]int
	}
	k := NewKey("tricky", "1").Add(tricky).Add([]float64{9, 9}).Add(map[string]any{tricky: []float64{8}})
	_, err := Do(t.Context(), c, k, func(context.Context) (result, error) {
		return result{tricky, tricky, []float64{1, 2}, [][]int{{3}, {4}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Record(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, v := range r.Results {
		for _, a := range v.Arrays() {
			want = append(want, a.Digest.String())
		}
	}
	raw, _, err := s.Get(t.Context(), recordName("tricky", "1", r.Key), maxRecord)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range objectDigests(raw) {
		got = append(got, d.String())
	}
	if len(want) != 3 || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	raw[len(raw)-40]++
	if got := objectDigests(raw); got != nil {
		t.Errorf("of a damaged record: %v", got)
	}
}

// TestTrimWithoutTurn: where another one trims for long, Trim says so.
func TestTrimWithoutTurn(t *testing.T) {
	c := openOn(t, lockedStore{&storetest.Memory{}})
	_, err := c.Trim(t.Context(), Limits{MaxEntries: 1}, nil)
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), "try again") {
		t.Errorf("Trim: %v", err)
	}
	if _, err := c.Trim(t.Context(), Limits{MaxEntries: 1}, &TrimOptions{DryRun: true}); err != nil {
		t.Errorf("to tell what would be removed needs no turn: %v", err)
	}
}

// lockedStore has locks that others hold for longer than anybody waits.
type lockedStore struct{ store.Store }

func (lockedStore) Lock(context.Context, uint64, time.Duration) (func(), error) {
	return nil, store.ErrLocked
}
