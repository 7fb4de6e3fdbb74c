package memo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The environment of a worker process: the cache folder, a seed, and what to do.
const (
	workerFolder = "NUMCACHE_TEST_FOLDER"
	workerSeed   = "NUMCACHE_TEST_SEED"
	workerTask   = "NUMCACHE_TEST_TASK"
)

// workerCalls is the number of different calls that the workers make.
const workerCalls = 12

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
	options := &Options{Sync: SyncNone, Logger: slog.New(slog.DiscardHandler), OnEvent: func(e Event) {
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
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !t.Failed(); {
			n := r.IntN(workerCalls)
			call(n)
			switch chance := r.IntN(100); {
			case chance >= 75: // so that there is something to write
				if err := f.Forget(n); err != nil {
					t.Error(err)
				}
			case chance == 0:
				if err := c.Clear(context.Background(), nil); err != nil {
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
		fmt.Printf("verified: %d records, %d objects, %d hits\n", report.Records, report.Objects, s.Hits)
	}
}

// startWorker runs the test binary as a worker.
func startWorker(t *testing.T, dir, task string, seed int) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWorkerProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), workerFolder+"="+dir, workerSeed+"="+strconv.Itoa(seed), workerTask+"="+task)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &output
}

// TestProcesses has several processes work on one folder and kills them at random
// moments. No process may see a torn entry or a wrong result, and a fresh one
// finds every entry right.
func TestProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	dir := t.TempDir()
	length := 4 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var mu sync.Mutex
	kills := 0
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 3))
			for round := 0; ctx.Err() == nil; round++ {
				cmd, output := startWorker(t, dir, "work", 100*round+w)
				// A kill strikes at any time from the start of the process on.
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(r.IntN(400)) * time.Millisecond):
				}
				killErr := cmd.Process.Kill()
				waitErr := cmd.Wait()
				mu.Lock()
				kills++
				mu.Unlock()
				var exit *exec.ExitError
				if errors.Is(killErr, os.ErrProcessDone) || !errors.As(waitErr, &exit) || exit.ExitCode() > 0 {
					t.Errorf("worker %d ended by itself: %v, %v\n%s", w, killErr, waitErr, output)
					return
				}
				if s := output.String(); strings.Contains(s, "TORN") || strings.Contains(s, "WRONG") {
					t.Errorf("worker %d: %s", w, s)
				}
			}
		})
	}
	wg.Wait()
	left := len(filesBelow(t, dir, stagingFolder))
	cmd, output := startWorker(t, dir, "verify", 0)
	if err := cmd.Wait(); err != nil {
		t.Errorf("a fresh process: %v\n%s", err, output)
	}
	line, _, _ := strings.Cut(output.String(), "\n")
	t.Logf("%d kills, %d files left in %s; %s", kills, left, stagingFolder, line)
	if kills < 8 {
		t.Errorf("only %d kills: nothing was tried", kills)
	}
	for _, name := range filesBelow(t, dir, quarantineFolder) {
		t.Errorf("%s was put aside", name)
	}
}
