package main

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var full = flag.Bool("full", false, "simulate all that the page has, and hold each figure to it")

// TestPage holds that SCALE.md has the tables that the command prints. The figures of the
// quick simulations may be off by five in a hundred.
func TestPage(t *testing.T) {
	content, err := os.ReadFile("../SCALE.md")
	if err != nil {
		t.Fatal(err)
	}
	// The tables are what stands in the page between fences.
	quoted := map[string]string{}
	for i, part := range strings.Split(string(content), "```\n") {
		if title, _, ok := strings.Cut(part, "\n"); i%2 == 1 && ok {
			quoted[title] = part
		}
	}
	all := tables(!*full, 1)
	if len(quoted) != len(all) {
		t.Errorf("the page has %d tables, the command prints %d", len(quoted), len(all))
	}
	for _, table := range all {
		want, is := table.String(), quoted[table.title]
		if table.simulated && !*full {
			if err := alike(is, want); err != nil {
				t.Errorf("%v; the page has\n%sand quick is\n%s", err, is, want)
			}
		} else if is != want {
			t.Errorf("the page has\n%sand it is\n%s", is, want)
		}
	}
}

var (
	spaces     = regexp.MustCompile(` +`)
	percentage = regexp.MustCompile(`^\d+%$`)
)

// alike reports where two tables differ by more than five percentage points, or in
// anything that is no percentage.
func alike(a, b string) error {
	as, bs := spaces.Split(strings.ReplaceAll(a, "\n", " \n "), -1), spaces.Split(strings.ReplaceAll(b, "\n", " \n "), -1)
	if len(as) != len(bs) {
		return fmt.Errorf("%d words, and %d", len(as), len(bs))
	}
	for i := range as {
		if percentage.MatchString(as[i]) && percentage.MatchString(bs[i]) {
			x, _ := strconv.Atoi(strings.TrimSuffix(as[i], "%"))
			y, _ := strconv.Atoi(strings.TrimSuffix(bs[i], "%"))
			if x-y > 5 || y-x > 5 {
				return fmt.Errorf("%d%%, and %d%%", x, y)
			}
		} else if as[i] != bs[i] {
			return fmt.Errorf("%q, and %q", as[i], bs[i])
		}
	}
	return nil
}

// TestVerbs holds that the verbs ask what the tests of memo and blobstore count.
func TestVerbs(t *testing.T) {
	for file, told := range map[string]map[string]counts{
		"blobstore/testdata/requests.txt": verbs,
		"testdata/requests.txt":           everyEntry,
	} {
		counted := readCounts(t, "../../../memo/"+file)
		for verb, want := range told {
			if !maps.Equal(want, counted[verb]) {
				t.Errorf("%s: %v, and %s has %v", verb, want, file, counted[verb])
			}
			for what := range want {
				if _, ok := perCount[what]; !ok {
					t.Errorf("%s: it is not said what %q takes", verb, what)
				}
			}
		}
	}
}

// readCounts reads lines such as "verb: get 1, open 2".
func readCounts(t *testing.T, file string) map[string]counts {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]counts{}
	for line := range strings.Lines(string(content)) {
		colon := strings.LastIndex(line, ": ")
		if colon < 0 {
			t.Fatalf("%s: %q", file, line)
		}
		of := counts{}
		for told := range strings.SplitSeq(strings.TrimSpace(line[colon+2:]), ", ") {
			space := strings.LastIndex(told, " ")
			n, err := strconv.Atoi(told[space+1:])
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			of[told[:space]] = n
		}
		counted[line[:colon]] = of
	}
	return counted
}

// TestConstants holds that memo decides as the tables have it.
func TestConstants(t *testing.T) {
	for file, lines := range map[string][]string{
		"candidates.go":                {"var maxCandidates = 200_000\n"},
		"crew.go":                      {"const inFlight = 64\n"},
		"shared.go":                    {"const revisePatience = 200 * time.Millisecond\n"},
		"history.go":                   {"historyInterval = 10 * time.Second\n"},
		"usage.go":                     {"u.bytes >= l.MaxBytes/100"},
		"limits.go":                    {"l.MaxBytes -= l.MaxBytes / 20\n"},
		"once.go":                      {"binary.BigEndian.Uint64(key[:8]) >> 3 "},
		"internal/store/lock_linux.go": {"maxPoll = 20 * time.Millisecond\n"},

		"blobstore/internal/bucket/lock.go": {"maxPoll = 250 * time.Millisecond\n"},
		"blobstore/internal/bucket/open.go": {"headSize = 64 << 10\n"},
		"blobstore/internal/bucket/list.go": {"const pageSize = 1000\n"},
	} {
		content, err := os.ReadFile("../../../memo/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(content), line) {
				t.Errorf("memo/%s has no %q any more", file, line)
			}
		}
	}
}

// TestWork compares the simulation with what can be told without one.
func TestWork(t *testing.T) {
	r := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	compute, read, write := step{computes: true}, step{}, step{write: true}

	// Alone: the requests take what they take.
	waits := 2*(readTime.Seconds()) + writeTime.Seconds()
	if got, want := work(1, 1000, 1, 1, []step{read, compute, read, write}, r()), 1/(1+waits); math.Abs(got-want) > 0.02 {
		t.Errorf("one worker computes %.3f of its time, want %.3f", got, want)
	}
	// Far too many: the store does what it can, and all else waits.
	const workers = 2000
	got := work(workers, 20, 2, 0.1, []step{compute, write}, r())
	if want := 2 * writeRate * 0.1 / workers; math.Abs(got-want) > 0.1*want {
		t.Errorf("%d workers compute %.3f of their time, want %.3f", workers, got, want)
	}
	// What all share does not get faster by partitions.
	hot := []step{compute, {hot: true, write: true}}
	if one, many := work(workers, 5, 1, 0.1, hot, r()), work(workers, 5, 256, 0.1, hot, r()); math.Abs(one-many) > 0.01 {
		t.Errorf("with one partition %.3f, with 256 %.3f", one, many)
	}
}

// TestStarts compares the simulation of slurmctld with Little's law.
func TestStarts(t *testing.T) {
	for _, seconds := range []float64{1, 10, 50} {
		got := starts(10_000, 60_000, seconds, rand.New(rand.NewPCG(1, 2)))
		if want := startRate * seconds / 10_000; math.Abs(got-want) > 0.02 {
			t.Errorf("tasks of %v s: %.3f of the CPUs work, want %.3f", seconds, got, want)
		}
	}
}

// TestRewrite: who is alone loses nothing, nor do a few with a quick lock; with a lock that
// is nearly never free most go on without, as many as it has no time for.
func TestRewrite(t *testing.T) {
	r := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	if without, lost := rewrite(1, 1000, inBucket, r()); without != 0 || lost != 0 {
		t.Errorf("alone: %v without the lock, %v lost", without, lost)
	}
	if without, lost := rewrite(10, 1000, rewriting{0.001, 0.001, 0}, r()); without != 0 || lost != 0 {
		t.Errorf("ten: %v without the lock, %v lost", without, lost)
	}
	const processes, held = 1000, 0.100
	without, lost := rewrite(processes, 100, rewriting{0.020, 0.030, 0.050}, r())
	if want := 1 - statisticsEvery/held/processes; math.Abs(without-want) > 0.02 {
		t.Errorf("a thousand: %v without the lock, want %v", without, want)
	}
	if lost < 0.5 {
		t.Errorf("a thousand: %v lost", lost)
	}
}

// TestCollision compares the formula with short keys that are drawn.
func TestCollision(t *testing.T) {
	const keys, bits, tries = 4000, 24, 2000
	r := rand.New(rand.NewPCG(1, 2))
	collided := 0
	drawn := make([]uint32, keys)
	for range tries {
		for i := range drawn {
			drawn[i] = r.Uint32N(1 << bits)
		}
		slices.Sort(drawn)
		if len(slices.Compact(drawn)) < keys {
			collided++
		}
	}
	got, want := float64(collided)/tries, collision(keys, bits)
	if math.Abs(got-want) > 0.04 {
		t.Errorf("%v of the drawings collide, the formula says %v", got, want)
	}
}
