package memo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/array"
)

// The environment of a worker process: the cache folder, a seed, and what to do.
const (
	workerFolder = "NUMCACHE_TEST_FOLDER"
	workerSeed   = "NUMCACHE_TEST_SEED"
	workerTask   = "NUMCACHE_TEST_TASK"
)

// workerCalls is the number of different calls that the workers make, workerBytes the
// limit of their cache: about half of what all results take.
const (
	workerCalls = 12
	workerBytes = 2 << 20
)

var kills = flag.Int("kills", 100, "processes that TestProcesses kills")

// big is the result of call n, some of it long enough for a kill to strike while
// it is written. Any two calls share their last part.
func big(n int) ([]float64, string, []int) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	data := make([]float64, 1000*(1+n*n))
	for i := range data {
		data[i] = r.Float64()
	}
	return data, strings.Repeat(strconv.Itoa(n), 100), []int{1, 2, 3}
}

func sameBig(n int, data []float64, text string, last []int) bool {
	wantData, wantText, wantLast := big(n)
	if len(data) != len(wantData) || text != wantText || len(last) != len(wantLast) {
		return false
	}
	for i := range data {
		if data[i] != wantData[i] {
			return false
		}
	}
	return last[0] == 1 && last[1] == 2 && last[2] == 3
}

// TestWorkerProcess is no test by itself, but what the processes run that
// TestProcesses starts.
func TestWorkerProcess(t *testing.T) {
	dir := os.Getenv(workerFolder)
	if dir == "" {
		t.Skip("for TestProcesses only")
	}
	seed, err := strconv.ParseUint(os.Getenv(workerSeed), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{MaxBytes: workerBytes}
	if os.Getenv(workerTask) == "verify" {
		limits = Limits{} // it wants to find everything again
	}
	options := &Options{Sync: SyncNone, Limits: limits, Logger: slog.New(slog.DiscardHandler), OnEvent: func(e Event) {
		// Whoever dies while writing must leave nothing that others see.
		if e.Kind == Fault {
			t.Errorf("TORN or worse: %v", e.Err)
		}
	}}
	if seed%4 == 3 {
		options.Sync = SyncFull
	}
	c, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := Func(c, Spec{Name: "big", Version: "1"}, func(n int) ([]float64, string, []int) { return big(n) })
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	call := func(n int) {
		if data, text, last := f.Call(n); !sameBig(n, data, text, last) {
			t.Errorf("WRONG result of call %d", n)
		}
	}
	switch os.Getenv(workerTask) {
	case "work":
		report, err := c.Verify(context.Background(), nil)
		if err != nil || len(report.Damaged) > 0 {
			t.Errorf("TORN: %+v, %v", report, err)
		}
		fmt.Printf("found %d records and %d objects\n", report.Records, report.Objects)
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !t.Failed(); {
			n := r.IntN(workerCalls)
			call(n)
			switch chance := r.IntN(100); {
			case chance >= 80: // so that there is something to write
				if err := f.Forget(n); err != nil {
					t.Error(err)
				}
			case chance == 0:
				if err := c.Clear(context.Background(), nil); err != nil {
					t.Error(err)
				}
			case chance <= 3:
				limits := Limits{MaxBytes: workerBytes / 2, Policy: Policy(r.IntN(int(LeastCost) + 1))}
				if _, err := c.Trim(context.Background(), limits, nil); err != nil {
					t.Error(err)
				}
			}
		}
	case "verify":
		report, err := c.Verify(context.Background(), nil)
		if err != nil || len(report.Damaged) > 0 {
			t.Errorf("Verify: %+v, %v", report, err)
		}
		for n := range workerCalls {
			call(n)
		}
		s := c.Stats()
		for n := range workerCalls {
			call(n)
		}
		if again := c.Stats(); again.Hits-s.Hits != workerCalls {
			t.Errorf("after everything: %+v", again)
		}
		trimmed, err := c.Trim(context.Background(), Limits{MaxBytes: workerBytes}, nil)
		if _, bytes, usageErr := c.Usage(context.Background()); err != nil || usageErr != nil || bytes > workerBytes || trimmed.Entries == 0 {
			t.Errorf("Trim left %d bytes: %+v, %v, %v", bytes, trimmed, err, usageErr)
		}
		c.options.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
		if _, err := c.Trim(context.Background(), Limits{}, nil); err != nil {
			t.Errorf("the sweep: %v", err)
		}
		if left := filesBelow(t, dir, stagingFolder); len(left) > 0 {
			t.Errorf("not swept two hours later: %q", left)
		}
		fmt.Printf("verified: %d records, %d objects, %d incomplete, %d hits\n", report.Records, report.Objects, report.Incomplete, s.Hits)
	}
}

// startWorker runs the test binary as a worker.
func startWorker(t *testing.T, dir, task string, seed int) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	cmd := rerun("TestWorkerProcess", workerFolder+"="+dir, workerSeed+"="+strconv.Itoa(seed), workerTask+"="+task)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &output
}

// TestProcesses has several processes store, evict and trim in one folder and kills
// them at random moments. No process may see a torn entry or a wrong result, and a
// fresh one finds every entry right.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	dir := t.TempDir()
	began := time.Now()
	var started, records, objects atomic.Int64
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for round := 0; started.Add(1) <= int64(*kills); round++ {
				cmd, output := startWorker(t, dir, "work", 100*round+w)
				// A kill strikes at any time from the start of the process on.
				<-time.After(time.Duration(r.IntN(400)) * time.Millisecond)
				killErr := cmd.Process.Kill()
				waitErr := cmd.Wait()
				var exit *exec.ExitError
				if errors.Is(killErr, os.ErrProcessDone) || !errors.As(waitErr, &exit) || exit.ExitCode() > 0 {
					t.Errorf("worker %d ended by itself: %v, %v\n%s", w, killErr, waitErr, output)
					return
				}
				var foundRecords, foundObjects int64
				if _, err := fmt.Sscanf(output.String(), "found %d records and %d objects", &foundRecords, &foundObjects); err == nil {
					records.Add(foundRecords) // else it was killed before
					objects.Add(foundObjects)
				}
				if s := output.String(); strings.Contains(s, "TORN") || strings.Contains(s, "WRONG") {
					t.Errorf("worker %d: %s", w, s)
				}
			}
		})
	}
	wg.Wait()
	var keys []array.Digest
	for n := range workerCalls {
		keys = append(keys, NewKey("big", "1").Add(n).Digest())
	}
	checkNoLocks(t, dir, keys...)
	left := len(filesBelow(t, dir, stagingFolder))
	cmd, output := startWorker(t, dir, "verify", 0)
	if err := cmd.Wait(); err != nil {
		t.Errorf("a fresh process: %v\n%s", err, output)
	}
	line, _, _ := strings.Cut(output.String(), "\n")
	t.Logf("%d kills in %v; %d records and %d objects read after kills; %d files left in %s and swept; %s",
		*kills, time.Since(began).Round(time.Second), records.Load(), objects.Load(), left, stagingFolder, line)
	if records.Load() == 0 {
		t.Error("nothing was there to be torn")
	}
	for _, name := range filesBelow(t, dir, quarantineFolder) {
		t.Errorf("%s was put aside", name)
	}
}
