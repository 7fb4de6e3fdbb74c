package memo

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

var faultsCauses = flag.Int("faults.causes", 1, "causes with which each operation of TestEveryFileOperationFails fails; 0 is all")

// fileFault is one way in which an operation on a file fails.
type fileFault struct {
	cause      error
	persistent bool // with all the operations that follow
}

// fileFaults are those that file systems have. What a signal interrupts for ever would
// be asked for again for ever.
var fileFaults = func() (faults []fileFault) {
	for _, persistent := range []bool{false, true} {
		for _, cause := range []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EACCES, syscall.ESTALE, storetest.ErrShort, late} {
			faults = append(faults, fileFault{cause, persistent})
		}
	}
	return append(faults, fileFault{syscall.EINTR, false})
}()

// late is an operation that is reported as failed though it is done.
var late = storetest.NewLate(syscall.EIO)

func (f fileFault) String() string {
	what := f.cause.Error()
	if f.cause == late {
		what = "done, but " + what
	}
	if f.persistent {
		what += " from there on"
	}
	return what
}

// applies reports whether an operation fails in this way.
func (f fileFault) applies(op string) bool {
	switch {
	case f.cause == storetest.ErrShort:
		return op == "write"
	case f.cause == late && !f.persistent:
		return slices.Contains([]string{"create", "mkdir", "chmod folder", "chtimes", "rename", "remove", "sync folder", "lock"}, op)
	case f.cause == syscall.EACCES && !f.persistent:
		return !slices.Contains([]string{"read", "write", "sync", "close"}, op)
	case f.cause == syscall.EINTR:
		return op != "read" // which goes on by itself
	}
	return true
}

// explains reports whether a verb may return the error.
func (f fileFault) explains(err error) bool {
	return errors.Is(err, f.cause) || f.cause == late && errors.Is(err, syscall.EIO) || f.cause == storetest.ErrShort && errors.Is(err, io.ErrShortWrite)
}

// fileVerb is a use of a cache on a disk.
type fileVerb struct {
	name    string
	call    bool // it must not return an error
	options func(*Options)
	disk    func(t *testing.T) *storetest.Disk // nil is the one that filledDisk returns
	do      func(t *testing.T, c *Cache, f *vectorFunction) error
}

// fileVerbs are the verbs of TestEveryOperationOfAVerbFails, and what matters below the
// store: other options, and Open, which does nothing but to open.
func fileVerbs() (all []fileVerb) {
	for _, v := range verbs {
		all = append(all, fileVerb{name: v.name, call: v.name == "get" || v.name == "put" || v.name == "refresh", do: v.do})
	}
	put := func(t *testing.T, _ *Cache, f *vectorFunction) error { return callVector(f, 7) }
	return append(all,
		fileVerb{name: "put, evicting", call: true, options: func(o *Options) { o.Limits = Limits{MaxEntries: 8} }, do: put},
		fileVerb{name: "put by a group", call: true, options: func(o *Options) { o.Group = true }, do: put},
		fileVerb{name: "put compressed", call: true, options: func(o *Options) { o.Compress = 1 }, do: put},
		fileVerb{name: "put unsynced", call: true, options: func(o *Options) { o.Sync = SyncNone }, do: put},
		fileVerb{name: "put what is there unsynced", call: true, do: func(t *testing.T, c *Cache, _ *vectorFunction) error {
			return callUnsynced(t, c, "twin")
		}},
		fileVerb{name: "get compressed", call: true, options: func(o *Options) { o.Compress = 1 }, do: func(t *testing.T, _ *Cache, f *vectorFunction) error { return callVector(f, 3) }},
		fileVerb{name: "open", call: true},
		fileVerb{name: "open new", call: true, disk: func(*testing.T) *storetest.Disk { return storetest.NewDisk(newHandClock().Now) }},
		fileVerb{name: "open new for a group", call: true, options: func(o *Options) { o.Group = true },
			disk: func(*testing.T) *storetest.Disk { return storetest.NewDisk(newHandClock().Now) }},
		fileVerb{name: "open damaged", call: true, disk: damagedDisk},
	)
}

// callUnsynced calls a function whose result filledDisk has stored unsynced.
func callUnsynced(t *testing.T, c *Cache, name string) error {
	f, err := Func(c, Spec{Name: name, Version: "1"}, func() ([]float64, error) { return []float64{1, 2, 3, 5, 7, 11}, nil })
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Call()
	if err == nil && (len(v) != 6 || v[5] != 11) {
		err = fmt.Errorf("%w: %v", errWrong, v)
	}
	return err
}

// openOnDisk opens a cache on files.
func openOnDisk(files store.Files, now *handClock, options func(*Options), onEvent func(Event)) (*Cache, error) {
	o := quiet()
	o.Sync, o.Now, o.Limits, o.OnEvent = SyncFull, now.Now, Limits{MaxEntries: 800}, onEvent
	if options != nil {
		options(o)
	}
	return openCache("on disk", o, func(string, Options) (store.Files, error) { return files, nil })
}

// filledDisk returns a disk with a cache that holds calls 0 to 5 of vector and one of
// the sample function, all synced, and one that is not.
func filledDisk(t *testing.T) *storetest.Disk {
	t.Helper()
	now := newHandClock()
	disk := storetest.NewDisk(now.Now)
	for _, sync := range []Sync{SyncFull, SyncNone} {
		c, err := openOnDisk(disk.Files(), now, func(o *Options) { o.Sync = sync }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if sync == SyncFull {
			fill(t, c, now, 6)
			callSample(t, c)
		} else if err := callUnsynced(t, c, "unsynced"); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return disk
}

// damagedDisk is filledDisk where the format file is none.
func damagedDisk(t *testing.T) *storetest.Disk {
	t.Helper()
	disk := filledDisk(t)
	d := store.NewDir(disk.Files(), false)
	err := d.Put(t.Context(), formatFile, store.PutOptions{}, func(w io.Writer) error {
		_, err := w.Write(make([]byte, 40))
		return err
	})
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	return disk
}

// fileRun is one use of a verb.
type fileRun struct {
	disk          *storetest.Disk
	now           *handClock
	faulty        *storetest.FaultyFiles
	ops           []string // in order
	failed        []string
	told          int // faults
	before, after map[string][]byte
	err           error
	leak          error // seen when the cache was closed
}

// run uses a verb on a copy of a disk while operation i fails, none where i is negative.
func (v fileVerb) run(t *testing.T, disk *storetest.Disk, i int, fault fileFault) *fileRun {
	t.Helper()
	now := newHandClock()
	now.pass(3 * time.Hour) // so that a use is noted
	r := &fileRun{disk: disk.Clone(now.Now), now: now}
	r.faulty = &storetest.FaultyFiles{Files: r.disk.Files()}
	r.before = r.disk.Contents()
	fail := func() {
		r.faulty.Fail(func(n int, op string) error {
			r.ops = append(r.ops, op)
			if n == i || fault.persistent && i >= 0 && n > i && fault.applies(op) {
				return fault.cause
			}
			return nil
		})
	}
	onEvent := func(e Event) {
		if e.Kind == Fault {
			r.told++
		}
	}
	if v.do == nil {
		fail()
	}
	c, err := openOnDisk(r.faulty, now, v.options, onEvent)
	if err != nil {
		r.err = err
		return r
	}
	if v.do != nil {
		callSample(t, c) // a hit, which the history does not have yet
		fail()
		r.err = v.do(t, c, vector(t, c))
	}
	r.failed = r.faulty.Failed()
	r.faulty.Fail(nil)
	r.after = r.disk.Contents()
	if v.name != "close" {
		r.err = errors.Join(r.err, c.Close())
	}
	r.leak = r.disk.Leaks()
	return r
}

// check compares a run with the one in which nothing failed.
func (v fileVerb) check(t *testing.T, r, whole *fileRun, fault fileFault) {
	t.Helper()
	if r.err != nil && (v.call || !fault.explains(r.err)) || errors.Is(r.err, errWrong) {
		t.Errorf("error %v", r.err)
	}
	if r.leak != nil {
		t.Error(r.leak)
	}
	if fault.cause == syscall.EINTR && len(r.failed) > 0 && !strings.HasPrefix(r.failed[0], "close") && (r.err != nil || r.told > whole.told) {
		t.Errorf("what was interrupted was not asked for again: error %v, %d faults told", r.err, r.told)
	}
	mayGo := entriesIn(whole.before)
	maps.DeleteFunc(mayGo, func(name string, _ []byte) bool { _, kept := whole.after[name]; return kept })
	if v.name == "trim least cost" {
		mayGo = goneByCost(t, r.before, r.after, countRecords(mayGo))
	}
	for name, content := range entriesIn(r.before) {
		_, may := mayGo[name]
		now, kept := r.after[name]
		if !kept && !may {
			t.Errorf("%s is lost", name)
		} else if kept && v.name != "refresh" && string(now) != string(content) {
			t.Errorf("%s has changed", name)
		}
	}
	for name := range r.after {
		if strings.HasPrefix(name, quarantineFolder+"/") && !strings.Contains(name, formatFile) {
			t.Errorf("%s: something intact was put aside", name)
		}
		if strings.HasPrefix(name, stagingFolder+"/") && !fault.persistent && !slices.Contains(r.failed, "remove") && !slices.Contains(r.failed, "create") {
			t.Errorf("%s is left", name)
		}
	}
	if v.name == "open new for a group" && !fault.persistent && len(r.failed) > 0 {
		for name, mode := range r.disk.Modes() {
			if mode.Perm()&0o060 != 0o060 && !slices.Contains([]string{"create", "mkdir"}, r.failed[0]) {
				t.Errorf("%s has the mode %v, and is no group's", name, mode)
			}
		}
	}
	if r.err == nil && !v.call && countRecords(entriesIn(r.after)) != countRecords(entriesIn(whole.after)) {
		t.Errorf("%d records, want %d", countRecords(r.after), countRecords(whole.after))
	}
	if v.call && v.do != nil && v.name != "put unsynced" {
		v.checkDurable(t, r)
	}
	checkDiskWorks(t, r)
}

// checkDurable has the power fail: what a call stored without a fault is there. That of
// a call which had one is, when another process has made it without.
func (v fileVerb) checkDurable(t *testing.T, r *fileRun) {
	t.Helper()
	use := func(disk *storetest.Disk) (s Stats) {
		t.Helper()
		c, err := openOnDisk(disk.Files(), r.now, v.options, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.do(t, c, vector(t, c)); err != nil {
			t.Error(err)
		}
		s = c.Stats()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		return s
	}
	if r.told > 0 {
		if s := use(r.disk); s.Misses == 0 || s.Faults > 0 {
			return // what it found there is not its own
		}
	}
	if s := use(r.disk.Cut(storetest.LoseAll, rand.New(rand.NewPCG(0, 0)))); v.name != "refresh" && s.Hits != 1 {
		t.Errorf("lost in a power cut: %+v", s)
	}
}

// checkDiskWorks uses the disk when nothing fails any more.
func checkDiskWorks(t *testing.T, r *fileRun) {
	t.Helper()
	c, err := openOnDisk(r.disk.Files(), r.now, nil, nil)
	if err != nil {
		t.Errorf("afterwards: %v", err)
		return
	}
	c.ResetStats() // a format file that Open repairs is a fault
	f := vector(t, c)
	for _, x := range []float64{3, 7, 3, 7} {
		if err := callVector(f, x); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
	if s := c.Stats(); s.Hits < 2 || s.Faults > 0 {
		t.Errorf("afterwards: %+v", s)
	}
	if report, err := c.Verify(t.Context(), nil); err != nil || len(report.Damaged) > 0 {
		t.Errorf("afterwards: %+v, %v", report, err)
	}
	r.now.pass(25 * time.Hour)
	if _, err := c.Trim(t.Context(), Limits{MaxEntries: 3}, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := errors.Join(c.Close(), r.disk.Leaks()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	left := r.disk.Contents()
	if n := countRecords(entriesIn(left)); n > 3 {
		t.Errorf("afterwards: %d entries, trimmed to 3", n)
	}
	for name := range left {
		if strings.HasPrefix(name, stagingFolder+"/") {
			t.Errorf("%s was not swept", name)
		}
	}
}

// TestEveryFileOperationFails fails every operation on a file that a verb does, alone or
// with all that follow, for every cause that -faults.causes picks: a call returns its
// result, and other verbs do what they should or return the cause. Nothing intact is
// lost or put aside, every file is closed, what stays in the staging folder is swept,
// what was stored without a fault survives a power cut, and the cache works afterwards.
func TestEveryFileOperationFails(t *testing.T) {
	var operations, tried, runs, told int
	for _, v := range fileVerbs() {
		t.Run(v.name, func(t *testing.T) {
			make := v.disk
			if make == nil {
				make = filledDisk
			}
			disk := make(t)
			whole := v.run(t, disk, -1, fileFault{})
			v.check(t, whole, whole, fileFault{})
			if t.Failed() || len(whole.ops) == 0 {
				t.Fatalf("nothing fails, and of %d operations: %v", len(whole.ops), whole.err)
			}
			operations += len(whole.ops)
			for i, op := range whole.ops {
				if raceEnabled && *faultsCauses == 1 && i%4 != 0 {
					continue
				}
				tried++
				applicable := slices.DeleteFunc(slices.Clone(fileFaults), func(f fileFault) bool { return !f.applies(op) })
				most := cmp.Or(*faultsCauses, len(applicable))
				for n := range min(most, len(applicable)) {
					fault := applicable[(i*7+n*(len(applicable)/most))%len(applicable)]
					r := v.run(t, disk, i, fault)
					runs++
					told += r.told
					if len(r.failed) == 0 && r.err == nil {
						t.Errorf("nothing failed")
					}
					v.check(t, r, whole, fault)
					if t.Failed() {
						t.Fatalf("with %v at operation %d, %s, of %q", fault, i, op, whole.ops)
					}
				}
			}
		})
	}
	t.Logf("%d of %d operations failed, in %d runs; %d faults told", tried, operations, runs, told)
	if runs == 0 {
		t.Error("nothing was tried")
	}
}
