package memo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

var (
	stormProcesses  = flag.Int("storm.processes", 8, "processes of TestProcessesStorm")
	stormGoroutines = flag.Int("storm.goroutines", 8, "goroutines in each process of TestProcessesStorm")
	stormCalls      = flag.Int("storm.calls", 60, "calls that each goroutine of TestProcessesStorm makes at least")
	stormFor        = flag.Duration("storm.for", 0, "how long TestProcessesStorm lasts at least")
)

// The environment of a process in the storm: the cache folder, and which process it
// is, followed by the flags.
const (
	stormFolder = "NUMCACHE_TEST_STORM_FOLDER"
	stormTask   = "NUMCACHE_TEST_STORM_TASK"
)

// stormKeys is the number of different calls of each function, stormBytes the limit
// of the cache: about a third of what all results take.
const (
	stormKeys  = 40
	stormBytes = 600 << 10
)

var stormNames = []string{"storm a", "storm b"}

// stormResult is what call n of the function of the given name returns. Calls share
// their last part.
func stormResult(name string, n int) ([]float64, string, []int) {
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(name)+int(name[len(name)-1]))))
	data := make([]float64, 100*(1+n))
	for i := range data {
		data[i] = float64(r.IntN(1000)) / 7
	}
	return data, name + strconv.Itoa(n), []int{1, 2, 3}
}

// storm is one process of the storm.
type storm struct {
	t         *testing.T
	c         *Cache
	readOnly  bool
	waited    atomic.Int64 // trims that had no turn
	functions []*Function[func(int) ([]float64, string, []int)]
}

// openStorm opens the cache as process number i of the storm does. Of each four
// processes one compresses, one has a memory tier and one both; the last of all only
// reads.
func openStorm(t *testing.T, dir string, i int, readOnly bool) *storm {
	t.Helper()
	options := &Options{
		Sync: SyncNone, Limits: Limits{MaxBytes: stormBytes, Policy: Policy(i % 4)}, ReadOnly: readOnly,
		Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(e Event) {
			if e.Kind == Fault {
				t.Errorf("FAULT: %v", e.Err)
			}
		},
	}
	if i&1 != 0 {
		options.Compress = 1
	}
	if i&2 != 0 {
		options.Memory = &Memory{MaxBytes: stormBytes / 4}
	}
	c, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	s := &storm{t: t, c: c, readOnly: readOnly}
	for _, name := range stormNames {
		f, err := Func(c, Spec{Name: name, Version: "1"}, func(n int) ([]float64, string, []int) { return stormResult(name, n) })
		if err != nil {
			t.Fatal(err)
		}
		s.functions = append(s.functions, f)
	}
	return s
}

// check compares results with those of the function, and then changes them: they
// belong to the caller.
func (s *storm) check(what, name string, n int, data []float64, text string, last []int) {
	wantData, wantText, wantLast := stormResult(name, n)
	if !slices.Equal(data, wantData) || text != wantText || !slices.Equal(last, wantLast) {
		s.t.Errorf("WRONG result of %s, %s(%d): %d numbers, %q, %v", what, name, n, len(data), text, last)
	}
	for i := range data {
		data[i] = -1
	}
	for i := range last {
		last[i] = -1
	}
}

// removed checks the error of a verb that removes something.
func (s *storm) removed(verb string, err error) {
	if s.readOnly && !errors.Is(err, ErrReadOnly) || !s.readOnly && err != nil {
		s.t.Errorf("%s: %v", verb, err)
	}
}

// step does one thing with the cache.
func (s *storm) step(r *rand.Rand) {
	ctx := context.Background()
	f, n := s.functions[r.IntN(len(s.functions))], r.IntN(stormKeys)
	name := f.spec.Name
	switch chance := r.IntN(200); {
	case chance < 20:
		data, text, last := f.Refresh(n)
		s.check("refresh", name, n, data, text, last)
	case chance < 40:
		s.removed("forget", f.Forget(n))
	case chance < 50:
		if _, err := f.Has(n); err != nil {
			s.t.Errorf("has: %v", err)
		}
	case chance < 65:
		ref, err := f.Shelve(n)
		if err != nil {
			s.t.Errorf("shelve: %v", err)
			return
		}
		var data []float64
		var text string
		var last []int
		switch err := ref.Get(ctx, &data, &text, &last); {
		case err == nil:
			s.check("shelve", name, n, data, text, last)
		case !errors.Is(err, ErrNotFound): // it may be evicted by now
			s.t.Errorf("shelved: %v", err)
		}
	case chance == 65:
		report, err := s.c.Verify(ctx, nil)
		if err != nil || len(report.Damaged) > 0 {
			s.t.Errorf("DAMAGE: %+v, %v", report, err)
		}
	case chance == 66:
		s.removed("clear", s.c.Clear(ctx, nil))
	case chance == 67:
		_, err := f.Clear(ctx)
		s.removed("clear of a function", err)
	case chance < 70:
		_, err := s.c.Trim(ctx, Limits{MaxBytes: stormBytes / 2, Policy: Policy(r.IntN(int(LeastCost) + 1))}, nil)
		if errors.Is(err, store.ErrLocked) {
			s.waited.Add(1) // half a minute in vain: so many want to trim
			err = nil
		}
		s.removed("trim", err)
	default:
		data, text, last := f.Call(n)
		s.check("call", name, n, data, text, last)
	}
}

// TestStormProcess is no test by itself, but what the processes of TestProcessesStorm run.
func TestStormProcess(t *testing.T) {
	dir := os.Getenv(stormFolder)
	if dir == "" {
		t.Skip("for TestProcessesStorm only")
	}
	var number, processes, goroutines, calls int
	var least time.Duration
	if _, err := fmt.Sscan(os.Getenv(stormTask), &number, &processes, &goroutines, &calls, (*int64)(&least)); err != nil {
		t.Fatal(err)
	}
	s := openStorm(t, dir, number, number > 0 && number == processes-1)
	fmt.Println("ready")
	var line string
	if _, err := fmt.Scanln(&line); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var made atomic.Int64
	began := time.Now()
	for g := range goroutines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(number), uint64(g)))
			n := 0
			for ; n < calls || time.Since(began) < least; n++ {
				s.step(r)
			}
			made.Add(int64(n))
		})
	}
	wg.Wait()
	// Others look for locks now, while this process could still hold one.
	stats := s.c.Stats()
	fmt.Println(made.Load(), stats.Hits, stats.Misses, stats.Shared, stats.Evicted, s.waited.Load())
	if _, err := fmt.Scanln(&line); err != nil {
		t.Fatal(err)
	}
	if err := s.c.Close(); err != nil {
		t.Error(err)
	}
}

// TestProcessesStorm has many goroutines in many processes do everything at once with one
// cache that is always full.
func TestProcessesStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	dir := t.TempDir()
	var processes []*process
	for i := range *stormProcesses {
		if i == *stormProcesses-1 {
			openStorm(t, dir, 0, false).c.Close() // the folder is there for the one that only reads
		}
		p := startProcess(t, "TestStormProcess", stormFolder+"="+dir,
			stormTask+"="+fmt.Sprintln(i, *stormProcesses, *stormGoroutines, *stormCalls, int64(*stormFor)))
		processes = append(processes, p)
	}
	goOn := func() {
		for _, p := range processes {
			if _, err := fmt.Fprintln(p.in, "go"); err != nil {
				t.Fatal(err)
			}
		}
	}
	began := time.Now()
	goOn()
	var total [6]int64 // calls, hits, misses, shared, evicted, trims without a turn
	for _, p := range processes {
		var n [6]int64
		if line := p.read(); line != "" {
			if _, err := fmt.Sscan(line, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]); err != nil {
				t.Fatalf("a process says %q", line)
			}
		}
		for i := range n {
			total[i] += n[i]
		}
	}
	took := time.Since(began)
	var keys []array.Digest
	for _, name := range stormNames {
		for n := range stormKeys {
			keys = append(keys, NewKey(name, "1").Add(n).Digest())
		}
	}
	checkNoLocks(t, dir, keys...)
	goOn()
	for i, p := range processes {
		said, readErr := io.ReadAll(p.out)
		if err := errors.Join(readErr, p.cmd.Wait()); err != nil {
			t.Errorf("process %d: %v\n%.2000s", i, err, said)
		}
	}
	t.Logf("%d processes, %d goroutines each, %d calls in %v: %d hits, %d misses, %d shared, %d evicted, %d trims without a turn in half a minute",
		*stormProcesses, *stormGoroutines, total[0], took.Round(time.Millisecond), total[1], total[2], total[3], total[4], total[5])
	if total[1] == 0 || total[2] == 0 || total[4] == 0 {
		t.Error("the storm tried too little")
	}
	checkAfterStorm(t, dir)
}

// checkAfterStorm reads everything as a fresh process does: with a cache of its own.
func checkAfterStorm(t *testing.T, dir string) {
	t.Helper()
	s := openStorm(t, dir, 0, false)
	defer s.c.Close()
	report, err := s.c.Verify(t.Context(), nil)
	if err != nil || len(report.Damaged) > 0 {
		t.Errorf("Verify: %+v, %v", report, err)
	}
	for _, name := range filesBelow(t, dir, quarantineFolder) {
		t.Errorf("%s was put aside", name)
	}
	for _, name := range filesBelow(t, dir, stagingFolder) {
		t.Errorf("%s is left, though nobody was killed", name)
	}
	_, before, err := s.c.Usage(t.Context())
	if err != nil {
		t.Error(err)
	}
	limited := func(what string) {
		if _, bytes, err := s.c.Usage(t.Context()); err != nil || bytes > stormBytes {
			t.Errorf("%d bytes after %s (%d after the storm), the limit is %d: %v", bytes, what, before, stormBytes, err)
		}
	}
	data, text, last := s.functions[0].Refresh(stormKeys - 1)
	s.check("refresh", stormNames[0], stormKeys-1, data, text, last)
	limited("one more write")
	for _, f := range s.functions {
		for n := range stormKeys {
			data, text, last := f.Call(n)
			s.check("call", f.spec.Name, n, data, text, last)
		}
		limited("all calls of " + f.spec.Name)
	}
	t.Logf("%d records, %d objects and %d incomplete, %d bytes", report.Records, report.Objects, report.Incomplete, before)
}
