package slurm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// Processes give the bits that this process gives, in however many chunks.
func TestLocalSameBits(t *testing.T) {
	x := normal(29, 3)
	for _, tasks := range []int{1, 3, 8} {
		e := newExecutor(t, openCache(t), Options{Local: 4, Tasks: tasks})
		here := &parallel.Options{Grain: 2}
		var last parallel.Progress
		there := &parallel.Options{Grain: 2, Executor: e, Progress: func(p parallel.Progress) { last = p }}
		ctx := within(t, time.Minute)
		for range 2 { // computed, and from the cache
			want, err := sum.Reduce(ctx, here, x, work{By: 1.1})
			if err != nil {
				t.Fatal(err)
			}
			got, err := sum.Reduce(ctx, there, x, work{By: 1.1})
			if err != nil || !sameBits(got, want) {
				t.Errorf("%d tasks: Reduce %v, want %v, %v", tasks, got, want, err)
			}
			want, err = scale.Map(ctx, here, x, 3, work{By: 1.1})
			if err != nil {
				t.Fatal(err)
			}
			got, err = scale.Map(ctx, there, x, 3, work{By: 1.1})
			if err != nil || !sameBits(got, want) {
				t.Errorf("%d tasks: Map: %v", tasks, err)
			}
			if last.Done != 29 || last.Total != 29 {
				t.Errorf("progress ends with %+v", last)
			}
		}
		if s := e.Stats(); s.Submitted != s.Chunks/2 || s.Cached != s.Chunks/2 || s.Resubmitted != 0 || s.Chunks > int64(4*tasks) {
			t.Errorf("%d tasks: %+v", tasks, s)
		}
	}
}

// A block that fails always is tried so often, and then named, with the file that says why.
func TestLocalAlwaysFails(t *testing.T) {
	count := t.TempDir()
	e := newExecutor(t, openCache(t), Options{Local: 2, Tasks: 5, Retries: 2})
	out, err := scale.Map(within(t, time.Minute), &parallel.Options{Grain: 2, Executor: e}, normal(20, 2), 2, work{By: 2, Fails: 13, Count: count})
	var item *parallel.Error
	var task *TaskError
	if out != nil || !errors.As(err, &item) || item.Index != 13 || !errors.As(err, &task) {
		t.Fatal(err)
	}
	if task.Start != 12 || task.Rows != 4 || task.Attempts != 3 || task.Text != "it is Monday" {
		t.Errorf("%+v", task)
	}
	if b, err := os.ReadFile(task.Log); err != nil || !strings.Contains(string(b), "row 13 failed: it is Monday") {
		t.Errorf("the log: %q, %v", b, err)
	}
	if !strings.Contains(err.Error(), "rows 12 to 15") || !strings.Contains(err.Error(), task.Log) {
		t.Error(err)
	}
	tries := 0
	for _, row := range computed(t, count) {
		if row == 12 {
			tries++
		}
	}
	if tries != 3 {
		t.Errorf("the block was tried %d times", tries)
	}
}

// A worker that dies is replaced.
func TestLocalWorkerDies(t *testing.T) {
	e := newExecutor(t, openCache(t), Options{Local: 2})
	x, w := normal(8, 2), work{By: 3, Once: filepath.Join(t.TempDir(), "once")}
	got, err := sum.Reduce(within(t, time.Minute), &parallel.Options{Grain: 2, Executor: e}, x, w)
	want, wantErr := sum.Reduce(t.Context(), &parallel.Options{Grain: 2}, x, w)
	if err != nil || wantErr != nil || !sameBits(got, want) {
		t.Error(got, want, err, wantErr)
	}
	if s := e.Stats(); s.Resubmitted != 1 || s.Submitted != 5 {
		t.Errorf("%+v", s)
	}
}

// Whoever cancels gets an answer soon, no process is left, and the next call computes
// what is missing.
func TestLocalCancelAndResume(t *testing.T) {
	count, gate := t.TempDir(), filepath.Join(t.TempDir(), "gate")
	c := openCache(t)
	w := work{By: 3, Count: count, Gate: gate, From: 6}
	x := normal(12, 2)
	ctx, cancel := context.WithCancel(within(t, time.Minute))
	e := newExecutor(t, c, Options{Local: 6})
	o := &parallel.Options{Grain: 2, Executor: e, ProgressInterval: 1, Progress: func(p parallel.Progress) {
		if p.Done >= 6 {
			cancel()
		}
	}}
	if out, err := scale.Map(ctx, o, x, 2, w); out != nil || !errors.Is(err, context.Canceled) {
		t.Fatal(out, err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(computed(t, count))
	again := newExecutor(t, c, Options{Local: 6})
	got, err := scale.Map(within(t, time.Minute), &parallel.Options{Grain: 2, Executor: again}, x, 2, w)
	want, wantErr := scale.Map(t.Context(), &parallel.Options{Grain: 2}, x, 2, work{By: 3})
	if err != nil || wantErr != nil || !sameBits(got, want) {
		t.Error(err, wantErr)
	}
	if s := again.Stats(); s.Cached != 3 || s.Submitted != 3 {
		t.Errorf("%+v", s)
	}
	if n := len(computed(t, count)) - before; n != 3 {
		t.Errorf("%d blocks were computed after the resumption, want 3", n)
	}
}

// A program that does nothing, as one would that has no WorkerMain, is no endless loop.
func TestLocalProgramWithoutWorker(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e := newExecutor(t, openCache(t), Options{Local: 2, Retries: -1, Program: program + ".missing"})
	_, err = scale.Map(within(t, time.Minute), &parallel.Options{Executor: e}, normal(3, 2), 2, work{By: 1})
	var task *TaskError
	if !errors.As(err, &task) || task.Attempts != 1 || !strings.Contains(err.Error(), "no such file") && !strings.Contains(err.Error(), "cannot find") {
		t.Error(err)
	}
}

func TestNewInvalid(t *testing.T) {
	c := openCache(t)
	for _, o := range []Options{{Tasks: -1}, {Tasks: 1001}, {Retries: -2}, {Poll: -1}, {Patience: -1}, {TimeLimit: -1}, {Local: -1}, {CPUs: -1}, {Logs: "a%b"}} {
		if _, err := New(c, &o); !errors.Is(err, parallel.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	inMemory, err := memo.Open("", &memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*memo.Cache{nil, inMemory} {
		if _, err := New(c, nil); !errors.Is(err, memo.ErrNil) {
			t.Error(err)
		}
	}
}

// A cache that cannot be written is an error at once, for workers would find nothing.
func TestReadOnlyCache(t *testing.T) {
	c := openCache(t)
	readOnly, err := memo.Open(c.Dir(), &memo.Options{ReadOnly: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	e := newExecutor(t, readOnly, Options{Local: 1})
	if _, err := scale.Map(within(t, time.Minute), &parallel.Options{Executor: e}, normal(3, 2), 2, work{By: 1}); err == nil || !strings.Contains(err.Error(), "does not keep what workers need") {
		t.Error(err)
	}
}

// A worker reads its own rows: with the others damaged it does its work.
func TestWorkerReadsItsRows(t *testing.T) {
	c := openCache(t)
	e := newExecutor(t, c, Options{Tasks: 4})
	x := normal(4000, 100) // 13 chunks of the digest
	w := work{By: 2}
	j, err := scale.Job(&parallel.Options{Grain: 1000}, x, 100, w)
	if err != nil {
		t.Fatal(err)
	}
	key, chunks, err := e.Prepare(t.Context(), j)
	if err != nil || chunks != 4 {
		t.Fatal(chunks, err)
	}
	d, err := load(t.Context(), c, key)
	if err != nil {
		t.Fatal(err)
	}
	path := c.ObjectPath(d.Input)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := d.compute(t.Context(), c, i); err != nil {
			t.Errorf("chunk %d: %v", i, err)
		}
	}
	if err := d.compute(t.Context(), c, 3); !errors.Is(err, memo.ErrDamaged) {
		t.Errorf("the damaged chunk: %v", err)
	}
	var part *mat.Dense
	chunk, _ := d.chunk(1)
	if err := c.Ref(d.resultKey(chunk)).Get(t.Context(), &part); err != nil || part.At(3, 5) != 2*x.At(1003, 5) {
		t.Error(part, err)
	}
}
