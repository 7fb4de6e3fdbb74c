package memo

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

var (
	onceProcesses = flag.Int("once.processes", 16, "processes of TestManyProcessesComputeOnce")
	onceRounds    = flag.Int("once.rounds", 20, "rounds of TestManyProcessesComputeOnce")
)

// The environment of a process that computes what others want too.
const (
	onceFolder = "NUMCACHE_TEST_ONCE_FOLDER"
	onceTask   = "NUMCACHE_TEST_ONCE_TASK"
	onceCount  = "NUMCACHE_TEST_ONCE_COUNT" // the file to which every computation adds a line
)

// onceKey is the key of a round, onceResult what is computed for it.
func onceKey(round int) Key { return NewKey("once", "1").Add(round) }

func onceResult(round int) *mat.Dense {
	const n = 100
	x := mat.NewDense(n, n, nil)
	for i := range n * n {
		x.Set(i/n, i%n, float64(round+i%7))
	}
	var product mat.Dense
	product.Mul(x, x.T())
	return &product
}

// TestOnceProcess is no test by itself, but what the processes run that compute.
func TestOnceProcess(t *testing.T) {
	dir := os.Getenv(onceFolder)
	if dir == "" {
		t.Skip("for tests with processes only")
	}
	c, err := Open(dir, &Options{Sync: SyncNone, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewScanner(os.Stdin)
	call := func(round int, compute func() *mat.Dense) {
		got, err := c.Dense(t.Context(), onceKey(round), func(context.Context) (*mat.Dense, error) { return compute(), nil })
		if err != nil || !mat.Equal(got, onceResult(round)) {
			t.Fatalf("WRONG result of round %d: %v", round, err)
		}
	}
	fmt.Println("ready")
	switch os.Getenv(onceTask) {
	case "rounds":
		count, err := os.OpenFile(os.Getenv(onceCount), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer count.Close()
		for in.Scan() {
			round, err := strconv.Atoi(in.Text())
			if err != nil {
				t.Fatal(err)
			}
			call(round, func() *mat.Dense {
				if _, err := fmt.Fprintln(count, round); err != nil {
					t.Error(err)
				}
				return onceResult(round)
			})
			s := c.Stats()
			fmt.Println(s.Hits, s.Misses, s.Faults)
		}
	case "hold":
		call(0, func() *mat.Dense {
			fmt.Println("computing")
			in.Scan()
			return onceResult(0)
		})
	}
	if t.Failed() {
		fmt.Println("failed")
	}
}

func startOnceProcess(t *testing.T, dir, task, count string) *process {
	t.Helper()
	return startProcess(t, "TestOnceProcess", onceFolder+"="+dir, onceTask+"="+task, onceCount+"="+count)
}

// TestManyProcessesComputeOnce has all processes ask for the same key at the same
// moment, round after round.
func TestManyProcessesComputeOnce(t *testing.T) {
	needLocks(t)
	dir := t.TempDir()
	count := filepath.Join(t.TempDir(), "count")
	overwrite(t, nil, count)
	var processes []*process
	for range *onceProcesses {
		processes = append(processes, startOnceProcess(t, dir, "rounds", count))
	}
	var last [3]int64
	began := time.Now()
	for round := range *onceRounds {
		for _, p := range processes {
			if _, err := fmt.Fprintln(p.in, round); err != nil {
				t.Fatal(err)
			}
		}
		last = [3]int64{}
		for _, p := range processes {
			var hits, misses, faults int64
			if line := p.read(); line != "" {
				if _, err := fmt.Sscan(line, &hits, &misses, &faults); err != nil {
					t.Fatalf("a process says %q", line)
				}
			}
			last[0], last[1], last[2] = last[0]+hits, last[1]+misses, last[2]+faults
		}
	}
	t.Logf("%d processes, %d rounds: %v", *onceProcesses, *onceRounds, time.Since(began))
	var want []string
	for round := range *onceRounds {
		want = append(want, strconv.Itoa(round))
	}
	if got := strings.Fields(string(read(t, count))); !slices.Equal(got, want) {
		t.Errorf("computed %v, want each round once", got)
	}
	all, rounds := int64(*onceProcesses), int64(*onceRounds)
	checkEqual(t, "hits, misses, faults", last, [3]int64{(all - 1) * rounds, rounds, 0})
}

// TestKilledProcessIsReplaced: a process dies while it computes, and one who waits
// for it computes in its place.
func TestKilledProcessIsReplaced(t *testing.T) {
	needLocks(t)
	dir := t.TempDir()
	c := openQuiet(t, dir)
	p := startOnceProcess(t, dir, "hold", "")
	if line := p.read(); line != "computing" {
		t.Fatalf("the process says %q", line)
	}
	computed := make(chan time.Time, 1)
	var wg sync.WaitGroup
	call := func(ctx context.Context) error {
		got, err := c.Dense(ctx, onceKey(0), func(context.Context) (*mat.Dense, error) {
			computed <- time.Now()
			return onceResult(0), nil
		})
		if err == nil && !mat.Equal(got, onceResult(0)) {
			t.Error("WRONG result")
		}
		return err
	}
	wg.Go(func() {
		if err := call(t.Context()); err != nil {
			t.Error(err)
		}
	})
	// One who gives up returns while the process goes on.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || len(computed) > 0 {
		t.Errorf("while the process computes: %v; computed %d times", err, len(computed))
	}
	killed := time.Now()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if len(computed) != 1 {
		t.Fatalf("computed %d times", len(computed))
	}
	took := (<-computed).Sub(killed)
	t.Logf("computed %v after the kill", took)
	if took > time.Second {
		t.Errorf("computed %v after the kill only", took)
	}
	if s := c.Stats(); s.Faults != 0 {
		t.Errorf("%+v", s)
	}
}
