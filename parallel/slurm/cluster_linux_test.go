package slurm

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
	"github.com/numcache/numcache/parallel/slurm/internal/cluster"
)

const poll = 100 * time.Millisecond

// eventually waits for what another process does.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until ", what)
		}
	}
}

// TestCluster has what is required of the executor on a real Slurm, on one cluster, for
// that takes a while to start.
func TestCluster(t *testing.T) {
	c := cluster.Start(t, 3)
	c.Setenv(t)
	t.Run("SameBits", func(t *testing.T) { clusterSameBits(t) })
	t.Run("KilledTask", func(t *testing.T) { clusterKilledTask(t, c) })
	t.Run("AlwaysFails", func(t *testing.T) { clusterAlwaysFails(t) })
	t.Run("Cancel", func(t *testing.T) { clusterCancel(t, c) })
	t.Run("SqueueFails", func(t *testing.T) { clusterSqueueFails(t, c) })
	t.Run("KilledSubmitter", func(t *testing.T) { clusterKilledSubmitter(t, c) })
	t.Run("KilledNode", func(t *testing.T) { clusterKilledNode(t, c) })
}

// Identical bits in process and on Slurm, for Map and Reduce.
func clusterSameBits(t *testing.T) {
	e := newExecutor(t, openCache(t), Options{Poll: poll, Tasks: 8, CPUs: 1, Memory: "0", TimeLimit: time.Minute, Partition: "main"})
	x := normal(61, 3)
	here, there := &parallel.Options{Grain: 4}, &parallel.Options{Grain: 4, Executor: e}
	ctx := within(t, time.Minute)
	want, err := sum.Reduce(ctx, here, x, work{By: 1.1})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sum.Reduce(ctx, there, x, work{By: 1.1}); err != nil || !sameBits(got, want) {
		t.Errorf("Reduce: %v, want %v, %v", got, want, err)
	}
	if want, err = scale.Map(ctx, here, x, 3, work{By: 1.1}); err != nil {
		t.Fatal(err)
	}
	if got, err := scale.Map(ctx, there, x, 3, work{By: 1.1}); err != nil || !sameBits(got, want) {
		t.Errorf("Map: %v", err)
	}
	if s := e.Stats(); s.Submitted != 16 || s.Resubmitted != 0 {
		t.Errorf("%+v", s)
	}
}

// begun is a Reduce of 8 chunks under way on the cluster, whose tasks all run and wait.
type begun struct {
	executor *Executor
	gate     string
	count    string
	cancel   context.CancelFunc
	outcome  chan error // of the call; nil only if its bits are right
}

func begin(t *testing.T, c *cluster.Cluster, o Options) *begun {
	t.Helper()
	o.Poll, o.Tasks = poll, 8
	b := &begun{executor: newExecutor(t, openCache(t), o), gate: filepath.Join(t.TempDir(), "gate"), count: t.TempDir(), outcome: make(chan error, 1)}
	x := normal(8, 3)
	want, err := sum.Reduce(t.Context(), &parallel.Options{Grain: 1}, x, work{By: 1.1})
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(within(t, time.Minute))
	go func() {
		got, err := sum.Reduce(ctx, &parallel.Options{Grain: 1, Executor: b.executor}, x, work{By: 1.1, Gate: b.gate, Count: b.count})
		if err == nil && !sameBits(got, want) {
			err = errors.New("the sum is wrong")
		}
		b.outcome <- err
	}()
	eventually(t, "8 tasks run", func() bool { return len(computed(t, b.count)) == 8 })
	return b
}

func (b *begun) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(b.gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// One task is killed: it is submitted again.
func clusterKilledTask(t *testing.T, c *cluster.Cluster) {
	b := begin(t, c, Options{})
	c.KillTask(t, c.Tasks()[0])
	eventually(t, "the task is submitted again", func() bool { return b.executor.Stats().Resubmitted > 0 })
	b.open(t)
	if err := <-b.outcome; err != nil {
		t.Error(err)
	}
	if s := b.executor.Stats(); s.Resubmitted != 1 {
		t.Errorf("%+v", s)
	}
}

// A node is killed mid-run, with slurmd, steps and tasks: all results, the right sum,
// and its chunks submitted again.
func clusterKilledNode(t *testing.T, c *cluster.Cluster) {
	b := begin(t, c, Options{})
	there := 0
	for _, task := range c.Tasks() {
		if task.Node == "n2" {
			there++
		}
	}
	if there == 0 {
		t.Fatal("no task runs on n2")
	}
	c.KillNode(t, "n2")
	eventually(t, "what was lost is submitted again", func() bool { return b.executor.Stats().Resubmitted > 0 })
	b.open(t)
	if err := <-b.outcome; err != nil {
		t.Error(err)
	}
	s := b.executor.Stats()
	if s.Resubmitted != int64(there) {
		t.Errorf("%d tasks were on the node; %+v", there, s)
	}
	t.Logf("%d of 8 tasks were on the node, %d were submitted again", there, s.Resubmitted)
}

// A block that always fails: the error names the row and the log.
func clusterAlwaysFails(t *testing.T) {
	e := newExecutor(t, openCache(t), Options{Poll: poll, Tasks: 4, Retries: 1})
	_, err := scale.Map(within(t, time.Minute), &parallel.Options{Grain: 2, Executor: e}, normal(8, 2), 2, work{By: 2, Fails: 5})
	var item *parallel.Error
	var task *TaskError
	if !errors.As(err, &item) || item.Index != 5 || !errors.As(err, &task) || task.Attempts != 2 || task.Start != 4 || task.Text != "it is Monday" {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(task.Log); err != nil || !strings.Contains(string(b), "row 5 failed: it is Monday") {
		t.Errorf("the log: %q, %v", b, err)
	}
}

// Cancelling leaves no job, and does not take long.
func clusterCancel(t *testing.T, c *cluster.Cluster) {
	b := begin(t, c, Options{})
	began := time.Now()
	b.cancel()
	if err := <-b.outcome; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	eventually(t, "nothing runs", func() bool { return len(c.Tasks()) == 0 })
	out, err := exec.CommandContext(t.Context(), "squeue", "--noheader").Output()
	if err != nil || strings.TrimSpace(string(out)) != "" && !strings.Contains(string(out), " CG ") {
		t.Errorf("in the queue: %s, %v", out, err)
	}
}

// squeue fails for a while: no task is taken for lost.
func clusterSqueueFails(t *testing.T, c *cluster.Cluster) {
	b := begin(t, c, Options{})
	c.Break(t, "squeue")
	failures := b.executor.Stats().Unanswered
	eventually(t, "squeue has failed", func() bool { return b.executor.Stats().Unanswered >= failures+3 })
	c.Mend(t, "squeue")
	b.open(t)
	if err := <-b.outcome; err != nil {
		t.Error(err)
	}
	if s := b.executor.Stats(); s.Submitted != 8 || s.Resubmitted != 0 {
		t.Errorf("%+v", s)
	}
}

const submitterVariable = "NUMCACHE_TEST_SUBMITTER"

// TestSubmitter is what the killed submitter runs: it is no test of itself.
func TestSubmitter(t *testing.T) {
	folder := os.Getenv(submitterVariable)
	if folder == "" {
		t.Skip("for clusterKilledSubmitter")
	}
	_, err := submitterCall(t, folder)
	t.Fatal("the submitter has ended before it was killed: ", err)
}

// submitterCall makes the one call that the killed submitter and its successor make.
func submitterCall(t *testing.T, folder string) (*Executor, error) {
	c, err := memo.Open(filepath.Join(folder, "cache"), &memo.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := newExecutor(t, c, Options{Poll: poll, Tasks: 8, Logs: filepath.Join(folder, "logs")})
	x, w := normal(16, 2), work{By: 1.1, Count: filepath.Join(folder, "count"), Gate: filepath.Join(folder, "gate"), From: 8}
	got, err := sum.Reduce(within(t, time.Minute), &parallel.Options{Grain: 2, Executor: e}, x, w)
	if err != nil {
		return e, err
	}
	want, err := sum.Reduce(t.Context(), &parallel.Options{Grain: 2}, x, work{By: 1.1})
	if err == nil && !sameBits(got, want) {
		err = errors.New("the sum is wrong")
	}
	return e, err
}

// The submitter is killed and run again: what is there is not computed again, and what
// still runs is not submitted again.
func clusterKilledSubmitter(t *testing.T, c *cluster.Cluster) {
	folder := t.TempDir()
	count := filepath.Join(folder, "count")
	if err := os.Mkdir(count, 0o700); err != nil {
		t.Fatal(err)
	}
	submitter := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSubmitter$")
	submitter.Env = append(os.Environ(), submitterVariable+"="+folder)
	if err := submitter.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "4 chunks are done and 4 wait", func() bool { return len(computed(t, count)) == 8 && len(c.Tasks()) == 4 })
	if err := submitter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = submitter.Wait() // it was killed
	// One of those that still run is lost while nobody looks.
	c.KillTask(t, c.Tasks()[0])
	eventually(t, "it has ended", func() bool { return len(c.Tasks()) == 3 })
	if err := os.WriteFile(filepath.Join(folder, "gate"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := submitterCall(t, folder)
	if err != nil {
		t.Error(err)
	}
	if s := e.Stats(); s.Cached < 4 || s.Submitted != 1 {
		t.Errorf("%+v, want 4 chunks from the cache and one task submitted", s)
	}
	rows := computed(t, count)
	if len(rows) != 9 || len(slices.Compact(rows)) != 8 {
		t.Errorf("blocks %v were computed, want one of them twice", rows)
	}
}
