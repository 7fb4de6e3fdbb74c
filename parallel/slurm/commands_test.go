package slurm

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// fake plays Slurm's commands: it runs each task at once, in this process.
type fake struct {
	t     *testing.T
	cache *memo.Cache

	mu     sync.Mutex
	clock  time.Time
	calls  map[string]int
	args   map[string][]string // of the last call
	script string
	jobs   int
	queue  map[string]string // "job|chunk" → state
	before func(name string) error
	after  func(name string) error
	state  func(job, chunk int) string // that a task comes to; COMPLETED computes
	hold   func(job int) bool          // whose results are held back
	held   []func()
}

func (f *fake) run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[name]++
	f.args[name] = args
	if f.before != nil {
		if err := f.before(name); err != nil {
			return "", err
		}
	}
	var out strings.Builder
	switch name {
	case "sbatch":
		f.script = stdin
		f.jobs++
		for _, i := range f.array(args) {
			state := "COMPLETED"
			if f.state != nil {
				state = f.state(f.jobs, i)
			}
			switch {
			case state == "COMPLETED" && f.hold != nil && f.hold(f.jobs):
				f.held = append(f.held, func() { f.compute(ctx, stdin, i) })
			case state == "COMPLETED":
				f.compute(ctx, stdin, i)
			}
			f.queue[fmt.Sprintf("%d|%d", f.jobs, i)] = state
		}
		fmt.Fprintf(&out, "%d;cluster\n", f.jobs)
	case "squeue":
		for task, state := range f.queue {
			fmt.Fprintf(&out, "%s|%s\n", task, state)
		}
	case "sacct":
		return "", errors.New("Slurm accounting storage is disabled")
	}
	if f.after != nil {
		if err := f.after(name); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// array returns the numbers that sbatch's --array has.
func (f *fake) array(args []string) (chunks []int) {
	for _, a := range args {
		list, ok := strings.CutPrefix(a, "--array=")
		if !ok {
			continue
		}
		for _, part := range strings.Split(list, ",") {
			lo, hi, ok := strings.Cut(part, "-")
			if !ok {
				hi = lo
			}
			from, _ := strconv.Atoi(lo)
			to, err := strconv.Atoi(hi)
			if err != nil {
				f.t.Error(a)
			}
			for ; from <= to; from++ {
				chunks = append(chunks, from)
			}
		}
	}
	return chunks
}

func (f *fake) compute(ctx context.Context, script string, chunk int) {
	_, rest, _ := strings.Cut(script, jobVariable+"='")
	key, _, _ := strings.Cut(rest, "'")
	d, err := load(ctx, f.cache, key)
	if err == nil {
		err = d.compute(ctx, f.cache, chunk)
	}
	if err != nil {
		f.t.Error(err)
	}
}

// onFake returns an executor whose Slurm is a fake, and whose time passes by its waits.
func onFake(t *testing.T, o Options) (*fake, *Executor) {
	t.Helper()
	f := &fake{t: t, cache: openCache(t), clock: time.Unix(1e9, 0), calls: map[string]int{}, args: map[string][]string{}, queue: map[string]string{}}
	e := newExecutor(t, f.cache, o)
	e.run = f.run
	e.now = func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.clock }
	e.sleep = func(_ context.Context, d time.Duration) { f.mu.Lock(); defer f.mu.Unlock(); f.clock = f.clock.Add(d) }
	return f, e
}

// call makes a Map of 6 chunks.
func (f *fake) call(t *testing.T, e *Executor) (*mat.Dense, error) {
	t.Helper()
	got, err := scale.Map(within(t, time.Minute), &parallel.Options{Grain: 2, Executor: e}, normal(12, 2), 2, work{By: 1.1})
	want, wantErr := scale.Map(t.Context(), &parallel.Options{Grain: 2}, normal(12, 2), 2, work{By: 1.1})
	if wantErr != nil || err == nil && !sameBits(got, want) {
		t.Error("not the bits of this process", wantErr)
	}
	return got, err
}

var errController = errors.New("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")

func TestCommands(t *testing.T) {
	f, e := onFake(t, Options{Partition: "long", Account: "me", TimeLimit: 90*time.Minute + time.Millisecond, CPUs: 4, Memory: "2G", Args: []string{"--nice=10"}, Program: "/it's/here", Cache: "s3://b/p?region=x&a=b,c"})
	if _, err := f.call(t, e); err != nil {
		t.Fatal(err)
	}
	if f.calls["sbatch"] != 1 || f.calls["scancel"] != 0 || e.Stats() != (Stats{Chunks: 6, Submitted: 6}) {
		t.Errorf("%v, %+v", f.calls, e.Stats())
	}
	args := strings.Join(f.args["sbatch"], " ")
	for _, want := range []string{"--array=0-5 ", "--partition=long ", "--account=me ", "--time=1:30:01 ", "--cpus-per-task=4 ", "--mem=2G ", "--no-requeue ", " --nice=10"} {
		if !strings.Contains(args, want) {
			t.Errorf("%q lacks %q", args, want)
		}
	}
	if !strings.Contains(f.script, "export "+parallel.WorkerVariable+"='slurm'\n") || !strings.Contains(f.script, "export "+cacheVariable+"='s3://b/p?region=x&a=b,c'\n") || !strings.HasSuffix(f.script, "\nexec '/it'\\''s/here'\n") {
		t.Error(f.script)
	}
	if _, err := f.call(t, e); err != nil || f.calls["sbatch"] != 1 {
		t.Error("the second call submits", err)
	}
}

// Tasks that fail, are lost with their node, or vanish from the queue are submitted
// again, alone.
func TestCommandsResubmit(t *testing.T) {
	for _, state := range []string{"FAILED", "NODE_FAIL", "PREEMPTED", "TIMEOUT", "CANCELLED"} {
		f, e := onFake(t, Options{})
		f.state = func(job, chunk int) string {
			if job <= 3 && (chunk == 1 || chunk == 3 || chunk == 4) {
				return state
			}
			return "COMPLETED"
		}
		if _, err := f.call(t, e); err != nil {
			t.Error(state, err)
		}
		if s := e.Stats(); f.calls["sbatch"] != 4 || s.Submitted != 6+9 || s.Resubmitted != 9 {
			t.Errorf("%s: %v, %+v", state, f.calls, s)
		}
		if args := strings.Join(f.args["sbatch"], " "); !strings.Contains(args, "--array=1,3-4 ") {
			t.Error(args)
		}
	}
}

// What Slurm forgets before anybody looks is lost, too; and what it says is in the error.
// The result of a task that has ended well shows up late, as it may on a network file
// system: it is waited for. One that never does is computed again.
func TestCommandsLateResult(t *testing.T) {
	for _, test := range []struct {
		late        time.Duration
		resubmitted int64
	}{{45 * time.Second, 0}, {time.Hour, 6}} {
		f, e := onFake(t, Options{})
		f.hold = func(job int) bool { return job == 1 }
		start := f.clock
		f.before = func(name string) error {
			if name == "squeue" && f.held != nil && f.clock.Sub(start) >= test.late {
				for _, compute := range f.held {
					compute()
				}
				f.held = nil
			}
			return nil
		}
		if _, err := f.call(t, e); err != nil {
			t.Fatal(err)
		}
		if got := e.Stats().Resubmitted; got != test.resubmitted {
			t.Errorf("%v late: %d tasks were submitted again, not %d", test.late, got, test.resubmitted)
		}
	}
}

// Two caches have the same job: their tasks do not have the same name.
func TestCommandsNamesTellCachesApart(t *testing.T) {
	names := map[string]bool{}
	for range 2 {
		f, e := onFake(t, Options{})
		if _, err := f.call(t, e); err != nil {
			t.Fatal(err)
		}
		for _, arg := range f.args["sbatch"] {
			if name, ok := strings.CutPrefix(arg, "--job-name="); ok {
				names[name] = true
			}
		}
	}
	if len(names) != 2 {
		t.Errorf("the names are %v", names)
	}
}

func TestCommandsExhausted(t *testing.T) {
	f, e := onFake(t, Options{Retries: 2})
	f.state = func(_, chunk int) string {
		if chunk == 2 {
			return "OUT_OF_MEMORY"
		}
		return "COMPLETED"
	}
	_, err := f.call(t, e)
	var item *parallel.Error
	var task *TaskError
	if !errors.As(err, &item) || item.Index != 4 || !errors.As(err, &task) || task.Attempts != 3 || task.State != "OUT_OF_MEMORY" || filepath.Base(task.Log) != "numcache-"+keyOf(f)+"-3_2.log" {
		t.Errorf("%v, %+v", err, task)
	}
	if f.calls["scancel"] != 1 {
		t.Error("the rest was not cancelled")
	}
}

// keyOf returns the key of the job that was submitted last.
func keyOf(f *fake) string {
	for _, a := range f.args["sbatch"] {
		if name, ok := strings.CutPrefix(a, "--job-name=numcache-"); ok {
			return name
		}
	}
	return ""
}

// Slurm requeues a task of its own accord: it is waited for.
func TestCommandsRequeue(t *testing.T) {
	f, e := onFake(t, Options{})
	f.state = func(_, chunk int) string {
		if chunk == 5 {
			return "PENDING"
		}
		return "COMPLETED"
	}
	looks := 0
	f.before = func(name string) error {
		if name != "squeue" {
			return nil
		}
		switch looks++; looks {
		case 10:
			f.queue["1|5"] = "REQUEUED"
		case 20:
			f.queue["1|5"] = "STATE_OF_TOMORROW"
		case 30:
			f.queue["1|5"] = "COMPLETING" // has ended, and its result is not seen yet
		case 40:
			f.compute(t.Context(), f.script, 5) // and may be clearing up for long
		}
		return nil
	}
	if _, err := f.call(t, e); err != nil || e.Stats().Submitted != 6 {
		t.Error(err, e.Stats())
	}
}

// squeue that does not answer is not a job that is gone: results are still delivered, and
// nothing is submitted or cancelled.
func TestCommandsUnanswered(t *testing.T) {
	f, e := onFake(t, Options{Patience: time.Hour, Poll: time.Second})
	looks := 0
	f.state = func(int, int) string { return "RUNNING" }
	f.before = func(name string) error {
		if name != "squeue" {
			return nil
		}
		if looks++; looks <= 1000 { // which is more than an hour
			return nil
		}
		if i := (looks-1000)/100 - 1; looks%100 == 0 && i < 6 { // each after less than an hour
			f.compute(t.Context(), f.script, i)
		}
		return errController
	}
	began := e.now()
	if _, err := f.call(t, e); err != nil {
		t.Error(err)
	}
	if took := e.now().Sub(began); f.calls["sbatch"] != 1 || f.calls["scancel"] != 0 || took < 2*time.Hour {
		t.Errorf("%v, %v", f.calls, took)
	}
}

// Patience has an end. Tasks go on, for they may well be there.
func TestCommandsPatience(t *testing.T) {
	f, e := onFake(t, Options{Patience: time.Hour, Poll: time.Second})
	f.before = func(name string) error {
		if name == "squeue" {
			return errController
		}
		return nil
	}
	began := e.now()
	_, err := f.call(t, e)
	if took := e.now().Sub(began); !errors.Is(err, errUnanswered) || !errors.Is(err, errController) || took < time.Hour || took > time.Hour+time.Minute {
		t.Error(err, took)
	}
	if f.calls["sbatch"] != 0 || f.calls["scancel"] != 0 || f.calls["squeue"] > 400 {
		t.Error(f.calls)
	}
}

// sbatch that cannot reach the controller is called again; if it has reached it
// nevertheless, the queue shows it, and nothing is submitted twice.
func TestCommandsSbatch(t *testing.T) {
	f, e := onFake(t, Options{})
	f.before = func(name string) error {
		if name == "sbatch" && f.calls["sbatch"] <= 3 {
			return errController
		}
		return nil
	}
	if _, err := f.call(t, e); err != nil || f.jobs != 1 || e.Stats().Resubmitted != 0 {
		t.Error(err, f.jobs, e.Stats())
	}

	f, e = onFake(t, Options{})
	f.after = func(name string) error {
		if name == "sbatch" {
			return errors.New("Socket timed out on send/recv operation")
		}
		return nil
	}
	f.state = func(_, chunk int) string {
		if chunk == 0 {
			return "PENDING"
		}
		return "COMPLETED"
	}
	f.before = func(name string) error {
		if name == "squeue" && f.calls["squeue"] == 5 {
			f.compute(t.Context(), f.script, 0)
			f.queue["1|0"] = "COMPLETED"
		}
		return nil
	}
	if _, err := f.call(t, e); err != nil || f.jobs != 1 {
		t.Error(err, f.jobs)
	}

	f, e = onFake(t, Options{Partition: "typo"})
	f.before = func(name string) error {
		if name == "sbatch" {
			return errors.New("sbatch: error: Batch job submission failed: Invalid partition name specified")
		}
		return nil
	}
	if _, err := f.call(t, e); err == nil || !strings.Contains(err.Error(), "Invalid partition") || f.calls["sbatch"] != 1 {
		t.Error(err, f.calls)
	}
}

// Where there is no Slurm, that is said at once.
func TestNoSlurm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	e := newExecutor(t, openCache(t), Options{})
	_, err := scale.Map(within(t, time.Minute), &parallel.Options{Executor: e}, normal(2, 2), 2, work{By: 1})
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "is this a machine of the cluster?") {
		t.Error(err)
	}
}

// A cancelled call cancels its tasks, and says so if it cannot.
func TestCommandsCancel(t *testing.T) {
	for _, broken := range []bool{false, true} {
		f, e := onFake(t, Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("lunch")
		f.state = func(int, int) string { return "RUNNING" }
		f.before = func(name string) error {
			if name == "squeue" && f.calls[name] == 5 {
				cancel(why)
			}
			if name == "scancel" && broken {
				return errController
			}
			return nil
		}
		_, err := sum.Reduce(ctx, &parallel.Options{Grain: 2, Executor: e}, normal(12, 2), work{By: 1})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || errors.Is(err, errController) != broken || f.calls["scancel"] != 1 {
			t.Error(err, f.calls)
		}
		if !strings.HasPrefix(f.args["scancel"][0], "--name=numcache-") {
			t.Error(f.args["scancel"])
		}
	}
}

func TestRanges(t *testing.T) {
	for want, chunks := range map[string][]int{"7": {7}, "0-3,7": {0, 1, 2, 3, 7}, "1,3,5-6": {1, 3, 5, 6}} {
		if got := ranges(chunks); got != want {
			t.Errorf("%v: %s", chunks, got)
		}
	}
}

func TestParseQueue(t *testing.T) {
	seen, err := parseQueue("9|0|FAILED\n10|0|COMPLETED\n8|1|PENDING\n10|1|FAILED\n11|N/A|RUNNING\n12|2|COMPLETING\n13|3|NODE_FAIL\n9|3|RUNNING\n")
	if err != nil || len(seen) != 4 {
		t.Fatal(seen, err)
	}
	if s := seen[0]; s.submission != "10" || s.active {
		t.Errorf("the latest counts: %+v", s)
	}
	if a, b := seen[1], seen[3]; a.submission != "8" || !a.active || b.submission != "9" || !b.active {
		t.Errorf("what is active counts: %+v, %+v", a, b)
	}
	if s := seen[2]; !s.active || !s.ending {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{"9|0\n", "Segmentation fault\n"} {
		if _, err := parseQueue(bad); err == nil {
			t.Errorf("%q is taken for an answer", bad)
		}
	}
}

// A Progress function that panics ends the call, and its tasks.
func TestCommandsProgressPanics(t *testing.T) {
	f, e := onFake(t, Options{})
	f.state = func(_, chunk int) string {
		if chunk == 0 {
			return "COMPLETED"
		}
		return "RUNNING"
	}
	o := &parallel.Options{Grain: 2, Executor: e, ProgressInterval: 1, Progress: func(parallel.Progress) { panic("oh") }}
	_, err := scale.Map(within(t, time.Minute), o, normal(12, 2), 2, work{By: 1})
	var p *parallel.PanicError
	if !errors.As(err, &p) || f.calls["scancel"] != 1 {
		t.Error(err, f.calls)
	}
}

func TestNilExecutor(t *testing.T) {
	for _, e := range []*Executor{nil, {}} {
		if _, err := scale.Map(t.Context(), &parallel.Options{Executor: e}, normal(2, 2), 2, work{By: 1}); !errors.Is(err, parallel.ErrInvalid) {
			t.Error(err)
		}
		if _, _, err := e.Prepare(t.Context(), nil); !errors.Is(err, parallel.ErrInvalid) {
			t.Error(err)
		}
	}
}

// Tasks that an earlier submitter has left are taken over: they are waited for, and one
// more look, as a result may be seen late.
func TestCommandsTakeOver(t *testing.T) {
	f, e := onFake(t, Options{Tasks: 6})
	j, err := scale.Job(&parallel.Options{Grain: 2}, normal(12, 2), 2, work{By: 1.1})
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := e.Prepare(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	all := func(state string) {
		for i := range 6 {
			f.queue[fmt.Sprintf("7|%d", i)] = state
		}
	}
	all("RUNNING")
	f.before = func(name string) error {
		switch {
		case name == "squeue" && f.calls[name] == 5:
			all("COMPLETED")
		case name == "squeue" && f.calls[name] == 6:
			for i := range 6 {
				f.compute(t.Context(), jobVariable+"='"+key+"'", i)
			}
		}
		return nil
	}
	if _, err := f.call(t, e); err != nil || f.calls["sbatch"] != 0 {
		t.Error(err, f.calls)
	}
}
