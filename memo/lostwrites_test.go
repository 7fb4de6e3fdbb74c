package memo

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

var (
	lostSeeds = flag.Int("lost.seeds", 60, "seeds of TestLostWrites")
	lostFirst = flag.Uint64("lost.first", 0, "the first seed of TestLostWrites")
)

// lostKeys is the number of calls of each function of TestLostWrites.
const lostKeys = 8

var lostNames = []string{"lost a", "lost b"}

// lostCall is a call of one of the functions.
type lostCall struct {
	name string
	n    int
}

// lostVariants is how many results a call may have: to be refreshed may give another one.
const lostVariants = 3

// result is what the call returns. Others return the same array, which takes some
// sectors, and the text takes more than one.
func (l lostCall) result(variant int) ([]float64, string) {
	r := rand.New(rand.NewPCG(uint64(l.n%4), uint64(variant)))
	data := make([]float64, 50*(1+l.n%4))
	for i := range data {
		data[i] = r.NormFloat64()
	}
	return data, strings.Repeat(l.name, 10*l.n) + fmt.Sprint(l.n)
}

// returns reports whether the call may return this.
func (l lostCall) returns(data []float64, text string) bool {
	for variant := range lostVariants {
		if wantData, wantText := l.result(variant); slices.Equal(data, wantData) && text == wantText {
			return true
		}
	}
	return false
}

// lostCounts is what all seeds tried and saw.
type lostCounts struct {
	cuts                               [8]atomic.Int64 // by what is lost
	calls, checked, others, told, gone atomic.Int64
}

// lostProcess is one of those that use the disk.
type lostProcess struct {
	c        *Cache
	sync     Sync
	calls    map[string]*Function[func(int) ([]float64, string)]
	computed bool // since it was last set
	told     int  // faults
}

// lostRun is what one seed does: some processes use a disk until the power fails, the
// disk is found with some of what was not synced, and so on.
type lostRun struct {
	t      *testing.T
	r      *rand.Rand
	now    *handClock
	disk   *storetest.Disk
	must   map[lostCall]bool // entries that must be there
	next   int               // variant that is computed
	counts *lostCounts
}

// start opens the cache.
func (l *lostRun) start(sync Sync) *lostProcess {
	p := &lostProcess{sync: sync, calls: map[string]*Function[func(int) ([]float64, string)]{}}
	o := quiet()
	o.Sync, o.Now, o.Compress = sync, l.now.Now, l.r.IntN(2)
	o.Patience = time.Duration(l.r.IntN(2)) - 1 // half of them take no locks, and look once
	o.OnEvent = func(e Event) {
		if e.Kind == Fault {
			l.t.Logf("fault: %v", e.Err)
			p.told++
		}
	}
	c, err := openCache("lost", o, func(string, Options) (store.Files, error) { return l.disk.Files(), nil })
	if err != nil {
		l.t.Fatalf("Open: %v", err)
	}
	p.c = c
	for _, name := range lostNames {
		f, err := Func(c, Spec{Name: name, Version: "1"}, func(n int) ([]float64, string) {
			p.computed = true
			return lostCall{name, n}.result(l.next)
		})
		if err != nil {
			l.t.Fatal(err)
		}
		p.calls[name] = f
	}
	return p
}

// call calls a function, and checks the result. What must be there must be found.
func (l *lostRun) call(p *lostProcess, k lostCall, refresh bool) {
	l.counts.calls.Add(1)
	f, told := p.calls[k.name].Call, p.told
	if refresh {
		l.next = l.r.IntN(lostVariants)
		f = p.calls[k.name].Refresh
		if p.sync != SyncFull {
			delete(l.must, k) // the new record may be lost, and the old one is
		}
	}
	p.computed = false
	data, text := f(k.n)
	if !k.returns(data, text) {
		l.t.Errorf("WRONG result of %v: %d numbers, %.40q", k, len(data), text)
	}
	switch {
	case l.disk.Failed():
	case p.computed && !refresh && l.must[k]:
		l.t.Errorf("%v was synced, and is lost", k)
	case p.computed && p.told == told && p.sync == SyncFull:
		l.must[k] = true
	}
}

// mustBeThere returns the entries that must be there, in order, so that a seed tells all.
func (l *lostRun) mustBeThere() []lostCall {
	maps.DeleteFunc(l.must, func(_ lostCall, must bool) bool { return !must })
	return slices.SortedFunc(maps.Keys(l.must), func(a, b lostCall) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.n, b.n))
	})
}

// step does one thing with the cache.
func (l *lostRun) step(p *lostProcess) {
	ctx, r := l.t.Context(), l.r
	l.now.pass(time.Millisecond)
	k := lostCall{lostNames[r.IntN(len(lostNames))], r.IntN(lostKeys)}
	var err error
	switch chance := r.IntN(100); {
	case chance < 55:
		l.call(p, k, false)
	case chance < 67:
		l.call(p, k, true)
	case chance < 79:
		delete(l.must, k)
		err = p.calls[k.name].Forget(k.n)
	case chance < 82:
		maps.DeleteFunc(l.must, func(m lostCall, _ bool) bool { return m.name == k.name })
		_, err = p.calls[k.name].Clear(ctx)
	case chance < 84:
		clear(l.must)
		err = p.c.Clear(ctx, nil)
	case chance < 90: // what no entry refers to
		_, err = p.c.Trim(ctx, Limits{}, nil)
	case chance < 93:
		had := l.mustBeThere()
		clear(l.must)
		_, err = p.c.Trim(ctx, Limits{MaxEntries: 1 + r.IntN(lostKeys), Policy: Policy(r.IntN(int(LeastCost) + 1))}, nil)
		for _, k := range had { // which of them it has left, with their objects, only reading tells
			if key, err := p.calls[k.name].Key(k.n); err != nil {
				l.t.Error(err)
			} else if p.c.Ref(key).Get(ctx, new([]float64), new(string)) == nil {
				l.must[k] = true
			}
		}
	case chance < 96:
		_, err = p.c.Verify(ctx, nil)
	default:
		l.now.pass(time.Duration(r.IntN(300)) * time.Minute)
	}
	if err != nil && !l.disk.Failed() {
		l.t.Errorf("%v", err)
	}
}

// boot has processes use the disk until the power fails.
func (l *lostRun) boot() {
	processes := []*lostProcess{l.start(Sync(l.r.IntN(3))), l.start(SyncFull)}
	if l.r.IntN(4) > 0 {
		l.disk.FailAfter(1 + l.r.IntN(1500))
	}
	for range 2 + l.r.IntN(25) {
		if l.disk.Failed() || l.t.Failed() {
			break
		}
		l.step(processes[l.r.IntN(len(processes))])
	}
	if l.r.IntN(2) == 0 {
		for _, p := range processes {
			if err := p.c.Close(); err != nil && !l.disk.Failed() {
				l.t.Errorf("Close: %v", err)
			}
		}
	}
	loss := storetest.AnyLoss(l.r)
	l.counts.cuts[loss].Add(1)
	l.disk = l.disk.Cut(loss, l.r)
}

// check uses the disk that was found after a power cut.
func (l *lostRun) check(whole bool) {
	p := l.start(Sync(l.r.IntN(3)))
	for _, k := range l.mustBeThere() {
		l.counts.checked.Add(1)
		l.call(p, k, false)
	}
	if whole {
		calls := func() (computed int) {
			for _, name := range lostNames {
				for n := range lostKeys {
					l.call(p, lostCall{name, n}, false)
					if p.computed {
						computed++
					}
				}
			}
			return computed
		}
		others := 2*lostKeys - len(l.must)
		l.counts.others.Add(int64(others - calls()))
		// A damaged object that has its length is first found when it is read.
		for again := 0; calls() > 0; again++ {
			if again == 3 {
				l.t.Errorf("calls are computed again and again")
				break
			}
		}
		_, firstErr := p.c.Verify(l.t.Context(), nil) // what nothing refers to may be damaged
		report, err := p.c.Verify(l.t.Context(), nil)
		if err := errors.Join(firstErr, err); err != nil || len(report.Damaged) > 0 {
			l.t.Errorf("Verify: %+v, %v", report, err)
		}
	}
	if err := errors.Join(p.c.Close(), l.disk.Leaks()); err != nil {
		l.t.Error(err)
	}
	l.counts.told.Add(int64(p.told))
	for name := range l.disk.Contents() {
		if strings.HasPrefix(name, quarantineFolder+"/") {
			l.counts.gone.Add(1)
		}
	}
}

// TestLostWrites has processes use a cache, with every kind of Sync at once, on a disk
// whose power fails at a random operation, and looks at what is found afterwards: what
// SyncFull has stored, and nobody removed, are hits, with this result or with a later one
// that was to take its place; other calls are hits or computed, and every result is right; the cache opens, and holds nothing damaged once it was
// used and verified.
//
// The disk is a model in the manner of ALICE (Pillai and others: All File Systems Are
// Not Created Equal, 2014) and CrashMonkey (Mohan and others, 2018), which know from the
// operations on files what a power cut may leave. Here a file has what its last sync
// wrote, and of later writes any, whole sectors or not, with zeros or old sectors in
// place of the others; a folder has what its last sync left, and of later changes any,
// so that a rename may be half done; or both have them up to one moment, as with a
// journal, or all names and no data, as ext4 can do. [storetest.Loss] lists them.
func TestLostWrites(t *testing.T) {
	var counts lostCounts
	var next atomic.Uint64
	next.Store(*lostFirst)
	began := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for !t.Failed() {
				seed := next.Add(1) - 1
				if seed >= *lostFirst+uint64(*lostSeeds) {
					return
				}
				t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
					now := newHandClock()
					l := &lostRun{t: t, r: rand.New(rand.NewPCG(seed, 0)), now: now, disk: storetest.NewDisk(now.Now), must: map[lostCall]bool{}, counts: &counts}
					cuts := 1 + l.r.IntN(4)
					for i := range cuts {
						l.boot()
						l.check(i == cuts-1 || l.r.IntN(2) == 0)
					}
				})
			}
		})
	}
	wg.Wait()
	var cuts []string
	for i := range counts.cuts {
		if n := counts.cuts[i].Load(); n > 0 {
			cuts = append(cuts, fmt.Sprintf("%d with %v", n, storetest.Loss(i)))
		}
	}
	t.Logf("%d seeds from %d in %v: cuts %s; %d calls; afterwards %d entries were there that had to be, and %d others; %d faults told, %d files put aside",
		*lostSeeds, *lostFirst, time.Since(began).Round(time.Second), strings.Join(cuts, ", "), counts.calls.Load(), counts.checked.Load(), counts.others.Load(), counts.told.Load(), counts.gone.Load())
	if counts.checked.Load() == 0 || counts.gone.Load() == 0 {
		t.Error("nothing was tried")
	}
}
