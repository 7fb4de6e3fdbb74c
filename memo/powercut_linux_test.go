package memo

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var powerCuts = flag.Int("power.cuts", 1, "power cuts of TestPowerCut, for each file system and way to sync")

func init() {
	campaigns = append(campaigns, campaign{"TestPowerCut", []string{"-power.cuts=8"}, []mutation{
		{"files are not synced", "memo/internal/store/draft.go",
			"\tif durable {\n\t\terr = ", "\tif false {\n\t\terr = "},
		unsyncedFolders,
		reusedUnsynced,
		{"SyncFull does not sync", "memo/options.go",
			"s == SyncFull || ", ""},
		{"SyncAuto does not sync what was slow", "memo/options.go",
			"took >= SyncThreshold", "false"},
		{"the tag and the format of a new folder are not synced", "memo/layout.go",
			"store.PutOptions{Durable: file.durable}", "store.PutOptions{}"},
		{"elements of objects are not checked", "memo/content.go",
			"if found != want {", "if false {"},
	}})
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
	// just returned, or after a time, in which there may be none.
	after, most := p.r.IntN(8)+1, 0
	if p.sync == SyncNone {
		after *= 10
	}
	var timeout <-chan time.Time
	if p.counts.durable+p.counts.stored > 0 && p.r.IntN(3) == 0 {
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
	s := bufio.NewScanner(checker.out)
	s.Buffer(nil, 16<<20) // it may tell of much damage in one line
	for s.Scan() {
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
