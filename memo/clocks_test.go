package memo

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

var clockJumps = flag.Int("clocks.jumps", 12, "jumps of the clock in TestClocks")

// jumpsPerFolder is how often the clock jumps before the next folder has its turn.
const jumpsPerFolder = 6

// A folder of TestClocks holds so many entries at most. hotCalls are used all the time;
// of others there are coldCalls after each jump, so many minutes apart that the hot ones
// are touched, hourly, before as many come as there is room for.
const (
	clockEntries = 16
	clockBytes   = 30 << 10
	hotCalls     = 3
	coldCalls    = 20
	coldPause    = 15 * time.Minute
)

// clockJump sets a clock.
type clockJump struct {
	name string
	to   func(now time.Time) time.Time
}

// jumpTo sets a clock to the start of a year.
func jumpTo(year int) clockJump {
	return clockJump{fmt.Sprint("the year ", year), func(time.Time) time.Time { return time.Date(year, 1, 1, 2, 3, 4, 5, time.UTC) }}
}

// trueTime is where the clock comes back to.
var trueTime = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

var jumps = []clockJump{
	{"a year back", func(now time.Time) time.Time { return now.AddDate(-1, 0, 0) }},
	{"a year on", func(now time.Time) time.Time { return now.AddDate(1, 0, 0) }},
	{"right", func(time.Time) time.Time { return trueTime }},
	jumpTo(1970),
	jumpTo(2039), // in 2038 end 32 bits with a sign
	jumpTo(2107), // and in 2106 those without
	// Files cannot have these.
	jumpTo(1),
	jumpTo(2400),
	jumpTo(12000),
}

// interrupted is a store in which something happens once while a record is written: its
// file has no name yet, and nothing refers to its objects.
type interrupted struct {
	store.Store
	hook func()
}

func (s *interrupted) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	return s.Store.Put(ctx, name, o, func(w io.Writer) error {
		if hook := s.hook; hook != nil && isRecord(name) {
			s.hook = nil
			hook()
		}
		return write(w)
	})
}

// jumpyResult is what the function of TestClocks returns. Many calls share the second part.
func jumpyResult(x int) ([]float64, []float64) {
	return slices.Repeat([]float64{float64(x)}, 50), slices.Repeat([]float64{float64(x % sharedParts)}, 30)
}

// sharedParts is more than hotCalls, so that some parts are shared by cold calls only.
const sharedParts = 7

// jumpy is a folder whose clock jumps.
type jumpy struct {
	t      *testing.T
	dir    string
	limits Limits
	byHand bool // some files get other times by hand
	clock  *handClock
	c      *Cache
	f      *Function[func(int) ([]float64, []float64)]
	did    *jumpyCounts
	calls  int64 // of this folder
	next   int   // cold call
}

// jumpyCounts is what the campaign did.
type jumpyCounts struct{ jumps, calls, hot, evicted, interrupted int64 }

// open opens the folder as a fresh process does.
func (j *jumpy) open() {
	j.t.Helper()
	if j.c != nil {
		if err := j.c.Close(); err != nil {
			j.t.Error(err)
		}
	}
	j.c = openLimited(j.t, j.dir, j.limits, j.clock)
	j.f = memoizeJumpy(j.t, j.c)
}

func memoizeJumpy(t *testing.T, c *Cache) *Function[func(int) ([]float64, []float64)] {
	t.Helper()
	f, err := Func(c, Spec{Name: "jumpy", Version: "1"}, jumpyResult)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// call makes a call, and reports whether it was a hit. The limits hold afterwards.
func (j *jumpy) call(x int) (hit bool) {
	j.t.Helper()
	before := j.c.Stats()
	j.check(x)(j.f.Call(x))
	after := j.c.Stats()
	j.did.evicted += after.Evicted - before.Evicted
	if after.Misses > before.Misses {
		j.limited()
	}
	return after.Hits > before.Hits
}

// check checks what a call returned.
func (j *jumpy) check(x int) func(own, shared []float64) {
	return func(own, shared []float64) {
		j.t.Helper()
		wantOwn, wantShared := jumpyResult(x)
		if !slices.Equal(own, wantOwn) || !slices.Equal(shared, wantShared) {
			j.t.Errorf("WRONG result of call %d", x)
		}
		j.calls++
		j.did.calls++
	}
}

func (j *jumpy) limited() {
	j.t.Helper()
	entries, bytes, err := j.c.Usage(j.t.Context())
	if err != nil || entries > clockEntries || bytes > clockBytes {
		j.t.Errorf("at %v: %d entries and %d bytes, over the limits: %v", j.clock.Now(), entries, bytes, err)
	}
	j.c.account.mu.Lock()
	known := j.c.account.ledger.plus(j.c.account.own)
	j.c.account.mu.Unlock()
	if known.entries < int64(entries) { // more are for an entry that was stored again
		j.t.Errorf("at %v: %d entries are counted, %d are there", j.clock.Now(), known.entries, entries)
	}
}

// useHot calls those that are used all the time, which must be hits if kept.
func (j *jumpy) useHot(kept bool) {
	j.t.Helper()
	for x := range hotCalls {
		if hit := j.call(x); kept && !hit {
			j.t.Errorf("at %v: call %d was evicted, though it is used all the time", j.clock.Now(), x)
		}
		j.did.hot++
	}
}

// setTimes gives some records of cold calls a time by hand.
func (j *jumpy) setTimes(r *rand.Rand) {
	for _, name := range filesBelow(j.t, j.dir, callsFolder) {
		hot := false
		for x := range hotCalls {
			key := NewKey("jumpy", "1").Add(x).Digest()
			hot = hot || strings.Contains(name, key.String())
		}
		if hot || r.IntN(4) > 0 {
			continue
		}
		at := time.Unix(r.Int64N(5_000_000_000), 0) // until 2128
		if err := os.Chtimes(filepath.Join(j.dir, name), at, at); err != nil {
			j.t.Error(err)
		}
	}
}

// interrupt has the clock jump, and another process sweep, while an entry is written.
// The writer's file stays, and after a jump back its objects do too: to one forward they
// are years old.
func (j *jumpy) interrupt(jump clockJump) {
	j.t.Helper()
	other, writer := openLimited(j.t, j.dir, Limits{}, j.clock), openLimited(j.t, j.dir, Limits{}, j.clock)
	defer other.Close()
	defer writer.Close()
	before := j.c.now()
	s := &interrupted{Store: writer.store, hook: func() {
		j.clock.set(jump.to(j.clock.Now()))
		if _, err := other.Trim(j.t.Context(), Limits{}, nil); err != nil {
			j.t.Errorf("Trim while an entry is written: %v", err)
		}
	}}
	writer.store = s
	f, x := memoizeJumpy(j.t, writer), 10_000+j.next
	j.check(x)(f.Call(x))
	if s.hook != nil {
		j.t.Fatal("nothing was written")
	}
	j.check(x)(f.Call(x))
	if after := j.c.now(); writer.Stats().Hits == 0 && after.Before(before) {
		j.t.Errorf("the clock jumped from %v to %v while an entry was written, and its objects are gone", before, after)
	}
	if err := f.Forget(x); err != nil { // it was not counted
		j.t.Error(err)
	}
	j.did.interrupted++
}

// jump sets the clock and uses the folder for some hours.
func (j *jumpy) jump(r *rand.Rand, jump clockJump) {
	j.t.Helper()
	j.did.jumps++
	if j.byHand {
		j.setTimes(r)
	}
	if r.IntN(3) == 0 {
		j.interrupt(jump)
	} else {
		j.clock.set(jump.to(j.clock.Now()))
	}
	if r.IntN(2) == 0 {
		j.open()
	}
	// Where time stands still for the files, all were used at the same time.
	lru := j.limits.Policy == LRU && j.c.now().Equal(j.clock.Now())
	j.useHot(lru && j.limits.MaxAge == 0 && j.hotKnown())
	j.checkNoted(lru)
	first := j.next + 1
	for range coldCalls {
		j.next++
		j.call(hotCalls + j.next)
		j.clock.pass(coldPause)
		j.useHot(lru)
		for x := max(first, j.next-4); lru && !j.byHand && x <= j.next; x++ {
			if ok, err := j.f.Has(hotCalls + x); !ok || err != nil {
				j.t.Errorf("at %v: call %d, of the last ones, has lost objects or is gone: %v", j.clock.Now(), hotCalls+x, err)
			}
		}
	}
	l, err := readLedger(j.t.Context(), j.c.store)
	if now := j.c.now(); err != nil || l.counted.After(now) || now.Sub(l.counted) > 2*time.Hour {
		j.t.Errorf("at %v the folder was last counted %v (%v)", now, l.counted, err)
	}
	h, err := j.c.History(j.t.Context())
	if total := h.Total(); err != nil || total.Hits+total.Misses != j.calls || total.Faults != 0 {
		j.t.Errorf("the history has %+v (%v), after %d calls", total, err, j.calls)
	}
	report, err := j.c.Verify(j.t.Context(), nil)
	if err != nil || len(report.Damaged) > 0 || report.Records == 0 {
		j.t.Errorf("at %v: %+v, %v", j.c.now(), report, err)
	}
	for _, folder := range []string{stagingFolder, quarantineFolder} {
		for _, name := range filesBelow(j.t, j.dir, folder) {
			j.t.Errorf("%s is left", name)
		}
	}
}

// checkNoted checks that entries which were used since the clock was set have its time.
func (j *jumpy) checkNoted(lru bool) {
	j.t.Helper()
	for x := range hotCalls {
		r, err := j.f.Record(x)
		if now := j.c.now(); lru && (err != nil || r.Used().After(now) || now.Sub(r.Used()) > time.Hour) {
			j.t.Errorf("call %d is used at %v, and %v is noted (%v)", x, now, r.Used(), err)
		}
	}
}

// hotKnown reports whether the calls that are used all the time are in the folder.
func (j *jumpy) hotKnown() bool {
	for x := range hotCalls {
		if ok, err := j.f.Has(x); !ok || err != nil {
			return false
		}
	}
	return true
}

var clocksCampaign = campaign{"TestClocks", []string{"-clocks.jumps=48"}, []mutation{
	{"entries from the future stay what they are", "memo/collection.go",
		"if ahead(info.Modified, col.now) {", "if false {"},
	{"what is fresh by another clock is swept", "memo/sweep.go",
		"return col.now.Sub(at) >= sweepGrace", "return !recent(at, col.now, sweepGrace)"},
	{"an object keeps the time of a clock that was set back", "memo/internal/store/put.go",
		"ahead > 0 && ahead <= MaxAhead {", "ahead > 0 {"},
	{"what was noted in the future is recent", "memo/now.go",
		"return age >= 0 && age < d", "return age < d"},
	{"times that files cannot have", "memo/now.go",
		"case now.After(lastTime):", "case false:"},
	{"a living writer's file is swept when it is old", "memo/internal/store/sweep.go",
		"case errors.Is(err, ErrLocked):", "case false:"},
}}

// TestClocks has the clock jump while a cache with limits is in use: between calls,
// between processes, and while an entry is written. Limits hold, what is in use stays,
// and counts go on.
func TestClocks(t *testing.T) {
	var did jumpyCounts
	began := time.Now()
	for seed := 0; did.jumps < int64(*clockJumps); seed++ {
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		limits := Limits{MaxEntries: clockEntries, MaxBytes: clockBytes, Policy: []Policy{LRU, LRU, LRI, LeastCost}[seed%4]}
		if seed%2 == 1 {
			limits.MaxAge = 200 * 24 * time.Hour
		}
		j := &jumpy{t: t, dir: t.TempDir(), limits: limits, byHand: seed/2%2 == 1, clock: newHandClock(), did: &did}
		j.open()
		j.useHot(false)
		for range jumpsPerFolder {
			jump := jumps[r.IntN(len(jumps))]
			j.jump(r, jump)
			if t.Failed() {
				t.Fatalf("seed %d, limits %+v, jump: %s", seed, limits, jump.name)
			}
		}
		j.c.Close()
	}
	t.Logf("%d jumps in %v, %d of them while an entry was written: %d calls, %d of them of what is in use, %d entries evicted",
		did.jumps, time.Since(began).Round(time.Millisecond), did.interrupted, did.calls, did.hot, did.evicted)
	if did.jumps == 0 || did.evicted == 0 || did.interrupted == 0 {
		t.Error("too little was tried")
	}
}
