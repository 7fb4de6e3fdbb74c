package memo

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/numcache/numcache/array"
)

var powerCuts = flag.Int("power.cuts", 1, "power cuts of TestPowerCut, for each file system and way to sync")

func init() {
	campaigns = append(campaigns, campaign{"TestPowerCut", []string{"-power.cuts=4"}, []mutation{
		{"files are not synced", "memo/internal/store/dir.go",
			"if err == nil && durable {", "if false {"},
		{"folders are not synced", "memo/internal/store/dir.go",
			"\tif o.Durable {", "\tif false {"},
		{"an object that is there already is not synced", "memo/internal/store/dir.go",
			"err != nil || !o.Durable {", "err != nil || true {"},
		{"SyncFull does not sync", "memo/options.go",
			"s == SyncFull || ", ""},
		{"SyncAuto does not sync what was slow", "memo/options.go",
			"took >= SyncThreshold", "false"},
		{"the tag and the format of a new folder are not synced", "memo/layout.go",
			"store.PutOptions{Durable: file.durable}", "store.PutOptions{}"},
		{"elements of objects are not checked", "memo/content.go",
			"case h.table.Digest() != want:", "case false:"},
	}})
}

// The environment of a process in the campaign: the cache folder, and numbers: how it
// syncs, and the first of the calls that are its own; for the one that checks, the first
// call and the one behind the last.
const (
	powerFolder = "NUMCACHE_TEST_POWER_FOLDER"
	powerTask   = "NUMCACHE_TEST_POWER_TASK"
)

const (
	powerGoroutines = 3   // of the process that computes
	powerCalls      = 400 // that it makes at most
	powerBytes      = 6 << 20
)

// powerShapes are the numbers of elements of the results, few so that blocks of the
// disk come to hold another result of the same shape.
var powerShapes = []int{10, 300, 300, 4000, 20_000}

// powerResult is what call n returns. Each three calls share their last part.
func powerResult(n int) ([]float64, string, []float64) {
	r := rand.New(rand.NewPCG(uint64(n), 5))
	data := make([]float64, powerShapes[n%len(powerShapes)])
	for i := range data {
		data[i] = r.Float64()
	}
	return data, strings.Repeat(strconv.Itoa(n), 1+n%4*500), powerShared(n)
}

func powerShared(n int) []float64 {
	return slices.Repeat([]float64{float64(n / 3)}, 200)
}

// powered is a process of the campaign.
type powered struct {
	t     *testing.T
	c     *Cache
	sync  Sync
	quick *Function[func(int) ([]float64, string, []float64)]
	slow  *Function[func(int) ([]float64, string, []float64)] // as slow as SyncAuto wants it to sync

	// plain does not sync, and stores what quick and slow share.
	plain  *Cache
	shared *Function[func(int) []float64]

	mu     sync.Mutex
	failed map[array.Digest]bool // keys with which something went wrong
}

func openPowered(t *testing.T, dir string, sync Sync) *powered {
	t.Helper()
	p := &powered{t: t, sync: sync, failed: map[array.Digest]bool{}}
	quiet := slog.New(slog.DiscardHandler)
	var err, plainErr, quickErr, slowErr, sharedErr error
	p.c, err = Open(dir, &Options{Sync: sync, Logger: quiet, OnEvent: func(e Event) {
		if e.Kind == Fault {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.failed[e.Key] = true
		}
	}})
	p.plain, plainErr = Open(dir, &Options{Sync: SyncNone, Logger: quiet})
	if err := errors.Join(err, plainErr); err != nil {
		t.Fatal(err)
	}
	p.quick, quickErr = Func(p.c, Spec{Name: "quick", Version: "1"}, powerResult)
	p.slow, slowErr = Func(p.c, Spec{Name: "slow", Version: "1"}, func(n int) ([]float64, string, []float64) {
		<-time.After(SyncThreshold)
		return powerResult(n)
	})
	p.shared, sharedErr = Func(p.plain, Spec{Name: "shared", Version: "1"}, powerShared)
	if err := errors.Join(quickErr, slowErr, sharedErr); err != nil {
		t.Fatal(err)
	}
	return p
}

// isSlow reports whether call n is of the slow function.
func (p *powered) isSlow(n int) bool { return p.sync == SyncAuto && n%4 == 0 }

// call makes call n, and reports whether nothing went wrong with storing it.
func (p *powered) call(n int) (stored bool) {
	f := p.quick
	if p.isSlow(n) {
		f = p.slow
	}
	data, text, shared := f.Call(n)
	wantData, wantText, wantShared := powerResult(n)
	if !slices.Equal(data, wantData) || text != wantText || !slices.Equal(shared, wantShared) {
		p.t.Errorf("WRONG result of call %d", n)
		fmt.Println("WRONG", n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.failed[NewKey(f.spec.Name, "1").Add(n).Digest()]
}

// TestPowerProcess is no test by itself: it computes, and tells of each call that has
// returned, until it is killed.
func TestPowerProcess(t *testing.T) {
	dir := os.Getenv(powerFolder)
	if dir == "" {
		t.Skip("for TestPowerCut only")
	}
	var way Sync
	var first int
	if _, err := fmt.Sscan(os.Getenv(powerTask), &way, &first); err != nil {
		t.Fatal(err)
	}
	p := openPowered(t, dir, way)
	fmt.Println("ready")
	var next atomic.Int64
	for g := range powerGoroutines {
		go func() {
			r := rand.New(rand.NewPCG(uint64(first), uint64(g)))
			for {
				i := int(next.Add(1)) - 1
				if i >= powerCalls {
					return
				}
				n := first + i
				if r.IntN(2) == 0 { // what call n shares is there, and nobody has synced it
					p.shared.Call(n)
				}
				stored := p.call(n)
				switch {
				case !stored:
					fmt.Println("failed", n)
				case p.sync == SyncFull || p.isSlow(n):
					fmt.Println("durable", n)
				default:
					fmt.Println("stored", n)
				}
				if p.sync != SyncFull && i > 20 && r.IntN(3) == 0 { // blocks of the disk become free
					_ = p.quick.Forget(n - 1 - r.IntN(20))
				}
			}
		}()
	}
	if way != SyncFull {
		go disturb(dir, rand.New(rand.NewPCG(uint64(first), 6)))
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until it is killed
}

// disturb is another program on the same disk that syncs: a file of its own, or a
// record as a backup might, or everything. Each takes some of what the cache wrote to the disk, and
// leaves the rest.
func disturb(dir string, r *rand.Rand) {
	for {
		<-time.After(time.Duration(r.IntN(5000)) * time.Microsecond)
		switch r.IntN(8) {
		case 0:
			if f, err := os.Open(dir); err == nil {
				_ = unix.Syncfs(int(f.Fd()))
				f.Close()
			}
		case 1, 2:
			if f, err := os.Create(filepath.Join(dir, "..", "another")); err == nil {
				_, _ = f.WriteString("x")
				_ = f.Sync()
				f.Close()
			}
		default:
			var records []string
			_ = filepath.WalkDir(filepath.Join(dir, callsFolder), func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					records = append(records, path)
				}
				return nil
			})
			for range min(len(records), 3) {
				if f, err := os.Open(records[r.IntN(len(records))]); err == nil {
					_ = f.Sync()
					f.Close()
				}
			}
		}
	}
}

// powerFound is what a fresh process found after a power cut.
type powerFound struct{ records, objects, incomplete, damaged, hits, misses int }

func (f *powerFound) add(g powerFound) {
	f.records += g.records
	f.objects += g.objects
	f.incomplete += g.incomplete
	f.damaged += g.damaged
	f.hits += g.hits
	f.misses += g.misses
}

// TestPowerCheckProcess is no test by itself: it reads everything after a power cut, makes
// all calls, and says what it found. It is given the durable ones.
func TestPowerCheckProcess(t *testing.T) {
	dir := os.Getenv(powerFolder)
	if dir == "" {
		t.Skip("for TestPowerCut only")
	}
	var way Sync
	var first, last int
	if _, err := fmt.Sscan(os.Getenv(powerTask), &way, &first, &last); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	durable := map[int]bool{}
	for _, field := range strings.Fields(line) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		durable[n] = true
	}
	p := openPowered(t, dir, way)
	defer p.c.Close()
	defer p.plain.Close()
	ctx := context.Background()
	var report Report
	if first%2 == 0 { // else the calls find what is damaged
		if report, err = p.c.Verify(ctx, nil); err != nil {
			t.Errorf("Verify: %v", err)
		}
	}
	hit := func(n int) bool {
		before := p.c.Stats().Hits
		p.call(n)
		return p.c.Stats().Hits > before
	}
	for n := first; n < last; n++ {
		if p.isSlow(n) && !durable[n] {
			continue // it takes its time to compute
		}
		if !hit(n) && durable[n] {
			fmt.Println("LOST", n)
			t.Errorf("LOST: call %d had returned, and its entry was to be durable", n)
		}
	}
	s := p.c.Stats()
	torn := len(report.Damaged) + int(s.Faults)
	for n := first; n < last; n++ {
		if !p.isSlow(n) && !hit(n) {
			t.Errorf("call %d was computed after the power cut and is not in the cache", n)
		}
	}
	if again, err := p.c.Verify(ctx, nil); err != nil || len(again.Damaged) > 0 {
		t.Errorf("Verify after everything was called: %+v, %v", again, err)
	}
	fmt.Println("found", report.Records, report.Objects, report.Incomplete, torn, s.Hits, s.Misses)
	_, bytes, err := p.c.Usage(ctx)
	if err == nil && bytes > powerBytes {
		fmt.Println("cleared")
		err = p.c.Clear(ctx, nil)
	}
	if err != nil {
		t.Error(err)
	}
}

// powerTest cuts the power of one disk many times.
type powerTest struct {
	t       *testing.T
	disk    *disk
	sync    Sync
	r       *rand.Rand
	first   int   // of the calls that are checked
	next    int   // call
	durable []int // calls that have returned and must be hits
	counts  struct{ durable, stored, failed, cleared, canaries int }
	found   powerFound
}

// cut has a process compute, cuts the power at some moment, and looks what is left.
func (p *powerTest) cut() {
	p.t.Helper()
	t, dir := p.t, filepath.Join(p.disk.at, "cache")
	worker := startProcess(t, "TestPowerProcess", powerFolder+"="+dir, powerTask+"="+fmt.Sprintln(int(p.sync), p.next))
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(worker.out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	// The power is cut when so many calls have been told of, so that the last one has
	// just returned, or after a time.
	after, most := p.r.IntN(8)+1, 0
	if p.sync == SyncNone {
		after *= 10
	}
	var timeout <-chan time.Time
	if p.r.IntN(3) == 0 {
		timeout = time.After(time.Duration(p.r.IntN(200)) * time.Millisecond)
		after = powerCalls
	}
	told := 0
	note := func(line string) {
		what, number, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return // the end of a test that was killed
		}
		most = max(most, n)
		switch what {
		case "durable":
			p.counts.durable++
			p.durable = append(p.durable, n)
		case "stored":
			p.counts.stored++
		case "failed":
			p.counts.failed++
		default:
			t.Errorf("the process that computes says %q", line)
		}
		if what == "durable" || p.sync != SyncAuto {
			told++
		}
	}
	for waiting := true; waiting && told < after; {
		select {
		case line, ok := <-lines:
			note(line)
			waiting = ok
		case <-timeout:
			waiting = false
		}
	}
	p.disk.cutPower()
	_ = worker.cmd.Process.Kill()
	for line := range lines { // what it had told
		note(line)
	}
	_ = worker.cmd.Wait()
	p.disk.unmount()
	p.disk.mount()
	if !p.disk.hasCanary() {
		p.counts.canaries++
	}
	p.next = max(p.next, most+1) + powerGoroutines
	p.check(dir)
}

func (p *powerTest) check(dir string) {
	p.t.Helper()
	checker := startProcess(p.t, "TestPowerCheckProcess", powerFolder+"="+dir, powerTask+"="+fmt.Sprintln(int(p.sync), p.first, p.next))
	if _, err := fmt.Fprintln(checker.in, strings.Trim(fmt.Sprint(p.durable), "[]")); err != nil {
		p.t.Fatal(err)
	}
	var said strings.Builder
	var found powerFound
	for s := bufio.NewScanner(checker.out); s.Scan(); {
		line := s.Text()
		fmt.Fprintln(&said, line)
		if _, err := fmt.Sscanf(line, "found %d %d %d %d %d %d", &found.records, &found.objects, &found.incomplete, &found.damaged, &found.hits, &found.misses); err == nil {
			p.found.add(found)
		}
		if line == "cleared" {
			p.counts.cleared++
			p.first, p.durable = p.next, nil
		}
	}
	if err := checker.cmd.Wait(); err != nil {
		p.t.Errorf("a fresh process after the power cut: %v\n%.3000s", err, &said)
	}
}

// TestPowerCut cuts the power of a disk, in a file system that loses what was not synced,
// while a process computes. What was to be durable when a call returned is a hit
// afterwards, and nothing is wrong.
func TestPowerCut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root mounts a disk")
	}
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	if !apart(t, fmt.Sprint("-power.cuts=", *powerCuts)) {
		return
	}
	ways := []struct {
		name string
		sync Sync
	}{{"SyncFull", SyncFull}, {"SyncAuto", SyncAuto}, {"SyncNone", SyncNone}}
	for _, kind := range diskKinds {
		for _, way := range ways {
			t.Run(kind.name+"/"+way.name, func(t *testing.T) {
				began := time.Now()
				p := &powerTest{t: t, disk: newDisk(t, kind), sync: way.sync, r: rand.New(rand.NewPCG(uint64(way.sync), 7))}
				cuts := 0
				for ; cuts < *powerCuts && !t.Failed(); cuts++ {
					p.cut()
				}
				t.Logf("%s, %s: %d cuts in %v (%d took what had just been written): %d calls were durable, %d others stored, %d not, when the power was cut; "+
					"after it %d records, %d objects, %d entries without an object, %d torn files, %d hits, %d misses; cleared %d times",
					kind.name, way.name, cuts, time.Since(began).Round(time.Millisecond), p.counts.canaries, p.counts.durable, p.counts.stored, p.counts.failed,
					p.found.records, p.found.objects, p.found.incomplete, p.found.damaged, p.found.hits, p.found.misses, p.counts.cleared)
				if p.counts.canaries == 0 {
					t.Error("no cut lost anything: it was none")
				}
				if p.counts.durable+p.counts.stored == 0 {
					t.Error("nothing was stored when the power was cut")
				}
			})
		}
	}
}
