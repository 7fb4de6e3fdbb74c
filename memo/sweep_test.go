package memo

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// openCounting opens a cache on a store in memory that counts what is asked of it, with a
// clock that stands.
func openCounting(t *testing.T, now *time.Time) (*Cache, *countingStore) {
	s := &countingStore{Store: &storetest.Memory{}, counts: map[string]int{}}
	c := openOn(t, s)
	c.options.Now = func() time.Time { return *now }
	return c, s
}

// TestTrimReadsNoRecords checks that no record is read where the times tell that there is
// nothing to sweep, that all are where they do not, and that what was forgotten goes then.
func TestTrimReadsNoRecords(t *testing.T) {
	const entries = 300
	start := time.Date(2026, 1, 1, 0, 0, 0, 12_345, time.UTC)
	for _, test := range []struct {
		name        string
		at          func(i int) time.Time
		forget      int // so many
		reads, list int // of Trim
	}{
		{"each has its time", func(i int) time.Time { return start.Add(time.Duration(i)) }, 0, 0, 2},
		{"two have one time", func(i int) time.Time { return start.Add(time.Duration(max(i, 1))) }, 0, 0, 2},
		{"some were forgotten", func(i int) time.Time { return start.Add(time.Duration(i)) }, 100, entries - 100, 4},
		{"the clock is coarse", func(i int) time.Time { return start.Add(time.Duration(i) / 4 * time.Millisecond) }, 1, entries - 1, 4},
		{"whole seconds", func(i int) time.Time { return start.Truncate(time.Second).Add(time.Duration(i/4) * time.Second) }, 1, entries - 1, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := start
			c, s := openCounting(t, &now)
			f := vector(t, c)
			for i := range entries {
				now = test.at(i)
				if _, err := f.Call(float64(i), 10); err != nil {
					t.Fatal(err)
				}
			}
			for i := range test.forget {
				if err := f.Forget(float64(i), 10); err != nil {
					t.Fatal(err)
				}
			}
			now = now.Add(time.Hour)
			counts := s.of(func() {
				trimmed, err := c.Trim(t.Context(), Limits{}, nil)
				if err != nil || trimmed.Objects != test.forget || trimmed.LeftEntries != entries-test.forget {
					t.Errorf("%+v, %v", trimmed, err)
				}
			})
			reads := counts["get"] - 1 // of the ledger
			if reads != test.reads || counts["list"] != test.list {
				t.Errorf("%d records were read in %d lists, want %d in %d", reads, counts["list"], test.reads, test.list)
			}
			for i := test.forget; i < entries; i++ {
				if _, err := f.Call(float64(i), 10); err != nil {
					t.Error(err)
				}
			}
			if got, want := c.Stats().Misses, int64(entries); got != want {
				t.Errorf("%d misses, want %d: a trim removed what was needed", got, want)
			}
		})
	}
}

// TestTimesOfUse checks what is concluded from times.
func TestTimesOfUse(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 1, time.UTC)
	of := func(n, shared int) *timesOfUse {
		var u timesOfUse
		for i := range n {
			u.note(start.Add(time.Duration(max(i, shared)) * time.Microsecond))
		}
		return &u
	}
	second := of(1, 0)
	second.note(start.Truncate(time.Second))
	for what, is := range map[string]bool{
		"a record's":                !of(1000, 0).has(start.Add(999 * time.Microsecond)),
		"a record's, by chance two": !of(1000, 10).has(start.Add(10 * time.Microsecond)),
		"no record's":               of(1000, 0).has(start.Add(1000 * time.Microsecond)),
		"of a coarse clock":         of(1000, 11).has(start.Add(500 * time.Microsecond)),
		"of whole seconds":          second.has(start.Truncate(time.Second)),
		"of none":                   new(timesOfUse).has(start),
	} {
		if is {
			t.Errorf("wrong for a time that is %s", what)
		}
	}
}

// lateWriter has somebody use an object again when the objects have just been listed.
type lateWriter struct {
	store.Store
	name string
	now  time.Time
}

func (s lateWriter) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range s.Store.List(ctx, prefix) {
			if !yield(info, err) {
				return
			}
		}
		if prefix == objectsFolder {
			if err := s.Freshen(ctx, s.name, s.now); err != nil {
				yield(store.Info{}, err)
			}
		}
	}
}

// TestSweepLooksTwice checks that an object that no record refers to stays, where a writer
// put it for a new record since it was listed.
func TestSweepLooksTwice(t *testing.T) {
	for _, start := range []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 99, time.UTC)} {
		now := start
		s := &storetest.Memory{}
		c := openOn(t, s)
		c.options.Now = func() time.Time { return now }
		f := vector(t, c)
		for i := range 2 {
			if _, err := f.Call(float64(i), 10); err != nil {
				t.Fatal(err)
			}
			if err := f.Forget(float64(i), 10); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Second)
		}
		var names []string
		for info, err := range s.List(t.Context(), objectsFolder) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, info.Name)
		}
		now = now.Add(time.Hour)
		c.store = lateWriter{s, names[0], now}
		trimmed, err := c.Trim(t.Context(), Limits{}, nil)
		if err != nil || trimmed.Objects != 1 {
			t.Errorf("%+v, %v; want one object removed", trimmed, err)
		}
		if _, err := s.Stat(t.Context(), names[0]); err != nil {
			t.Errorf("the object that is in use again: %v", err)
		}
	}
}

// TestSweepRemovesMany removes more objects than are removed at the same time.
func TestSweepRemovesMany(t *testing.T) {
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{}, now)
	const entries = 2*inFlight + 10
	f := fill(t, c, now, entries)
	for x := range entries - 1 {
		if err := f.Forget(float64(x), 10); err != nil {
			t.Fatal(err)
		}
	}
	now.pass(sweepGrace)
	trimmed, err := c.Trim(t.Context(), Limits{}, nil)
	if err != nil || trimmed.Objects != entries-1 {
		t.Errorf("%+v, %v", trimmed, err)
	}
	if u, objects := inFolder(t, dir); objects != 1 || u.bytes != trimmed.LeftBytes {
		t.Errorf("%d objects are left and %+v, and it says %+v", objects, u, trimmed)
	}
}
