package parallel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

type factor struct{ By float64 }

var (
	travelScale = parallel.RegisterMap("test/scale", "1", func(_ context.Context, p factor, b parallel.RowBlock, dst *mat.Dense) error {
		dst.Scale(p.By, b.Rows)
		dst.Set(0, 0, float64(b.Start)) // blocks know their place
		return nil
	})
	travelSum = parallel.RegisterReduce("test/sum", "1", func(_ context.Context, p factor, b parallel.RowBlock) (*mat.Dense, error) {
		r, c := b.Rows.Dims()
		sum := mat.NewDense(1, c, nil)
		for i := range r {
			for j := range c {
				sum.Set(0, j, sum.At(0, j)+p.By*b.Rows.At(i, j))
			}
		}
		return sum, nil
	}, func(a, b *mat.Dense) *mat.Dense { a.Add(a, b); return a })
	travelFails = parallel.RegisterMap("test/fails", "1", func(_ context.Context, p int, b parallel.RowBlock, _ *mat.Dense) error {
		r, _ := b.Rows.Dims()
		if b.Start <= p && p < b.Start+r {
			return &parallel.Error{Index: p, Err: errBoom}
		}
		return nil
	})
	twice = parallel.RegisterMap("test/twice", "1", func(context.Context, int, parallel.RowBlock, *mat.Dense) error { return nil })
	again = parallel.RegisterMap("test/twice", "1", func(context.Context, int, parallel.RowBlock, *mat.Dense) error { return nil })
)

// byJSON is an executor that sends each chunk's task through JSON, and runs the chunks
// in disorder.
type byJSON struct {
	most, chunks int
	execute      func(ctx context.Context, j *parallel.Job) error // in place of all this
}

func (e *byJSON) Execute(ctx context.Context, j *parallel.Job) error {
	if e.execute != nil {
		return e.execute(ctx, j)
	}
	chunks := j.Cut(e.most)
	e.chunks = len(chunks)
	text, err := json.Marshal(j.Task)
	if err != nil {
		return err
	}
	_, cols := j.X.Dims()
	for _, i := range rand.Perm(len(chunks)) {
		var task parallel.Task
		if err := json.Unmarshal(text, &task); err != nil {
			return err
		}
		c := chunks[i]
		rows := mat.DenseCopyOf(j.X.Slice(c.Start, c.Start+c.Rows, 0, cols))
		part, err := task.Run(ctx, nil, rows, c.Start)
		if err != nil {
			return err
		}
		if err := j.Deliver(i, part); err != nil {
			return err
		}
	}
	return nil
}

func normal(r, c int) *mat.Dense {
	random := rand.New(rand.NewPCG(uint64(r), uint64(c)))
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, random.NormFloat64())
		}
	}
	return m
}

func bitsEqual(a, b *mat.Dense) bool {
	return a != nil && b != nil && slices.EqualFunc(a.RawMatrix().Data, b.RawMatrix().Data, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}

// Whatever the numbers of blocks and of chunks, the bits are those of this process.
func TestExecutorSameBits(t *testing.T) {
	for _, rows := range []int{1, 2, 3, 5, 7, 8, 13, 37, 64, 100} {
		x := normal(rows, 3)
		for _, grain := range []int{0, 1, 2, 3} {
			here := &parallel.Options{Grain: grain}
			wantMap, err := travelScale.Map(bg, here, x, 3, factor{math.Pi})
			if err != nil {
				t.Fatal(err)
			}
			wantSum, err := travelSum.Reduce(bg, here, x, factor{math.Pi})
			if err != nil {
				t.Fatal(err)
			}
			for _, most := range []int{-1, 1, 2, 3, 4, 7, 1000} {
				var told parallel.Progress
				e := &byJSON{most: most}
				o := &parallel.Options{Grain: grain, Executor: e, Progress: func(p parallel.Progress) { told = p }}
				got, err := travelScale.Map(bg, o, x, 3, factor{math.Pi})
				if err != nil || !bitsEqual(got, wantMap) {
					t.Errorf("%d rows by %d in %d chunks, Map: %v", rows, grain, most, err)
				}
				if e.chunks > max(most, 1) || told.Done != rows || told.Total != rows {
					t.Errorf("%d chunks of at most %d; %+v", e.chunks, most, told)
				}
				got, err = parallel.ReduceNamed(bg, o, "test/sum", "1", x, factor{math.Pi})
				if err != nil || !bitsEqual(got, wantSum) {
					t.Errorf("%d rows by %d in %d chunks, Reduce: %v", rows, grain, most, err)
				}
			}
		}
	}
}

func TestExecutorItemError(t *testing.T) {
	x := normal(20, 2)
	for _, o := range []*parallel.Options{{Grain: 3}, {Grain: 3, Executor: &byJSON{most: 4}}} {
		_, err := travelFails.Map(bg, o, x, 1, 13)
		var e *parallel.Error
		if !errors.As(err, &e) || e.Index != 13 || !errors.Is(err, errBoom) || err.Error() != "parallel: item 13: boom" {
			t.Errorf("%v", err)
		}
	}
}

// What is wrong with the call is said before anything runs.
func TestRegisteredInvalid(t *testing.T) {
	x := normal(4, 2)
	ok := func(context.Context, int, parallel.RowBlock, *mat.Dense) error { return nil }
	type hidden struct {
		Shown  int
		hidden int
	}
	var none *parallel.MapFunc[int]
	var noContext context.Context
	unnamed := parallel.RegisterMap("", "1", ok)
	unversioned := parallel.RegisterMap("test/unversioned", "", ok)
	empty := parallel.RegisterMap[int]("test/nil", "1", nil)
	nan := parallel.RegisterMap("test/nan", "1", func(context.Context, float64, parallel.RowBlock, *mat.Dense) error { return nil })
	hiding := parallel.RegisterMap("test/hiding", "1", func(context.Context, hidden, parallel.RowBlock, *mat.Dense) error { return nil })
	merging := parallel.RegisterReduce("test/merging", "1", func(context.Context, int, parallel.RowBlock) (*mat.Dense, error) { return nil, nil }, nil)
	for _, e := range []parallel.Executor{nil, &byJSON{most: 2}} {
		o := &parallel.Options{Executor: e}
		result := func(_ *mat.Dense, err error) error { return err }
		for name, c := range map[string]struct {
			err  error
			says string
		}{
			"twice":        {result(twice.Map(bg, o, x, 1, 1)), "registered twice"},
			"again":        {result(again.Map(bg, o, x, 1, 1)), "registered twice"},
			"unnamed":      {result(unnamed.Map(bg, o, x, 1, 1)), "needs a name and a version"},
			"unversioned":  {result(unversioned.Map(bg, o, x, 1, 1)), "needs a name and a version"},
			"nil function": {result(empty.Map(bg, o, x, 1, 1)), "nil function"},
			"nil merge":    {result(merging.Reduce(bg, o, x, 1)), "nil function"},
			"nil MapFunc":  {result(none.Map(bg, o, x, 1, 1)), "the MapFunc is nil"},
			"NaN":          {result(nan.Map(bg, o, x, 1, math.NaN())), "must be JSON"},
			"hidden field": {result(hiding.Map(bg, o, x, 1, hidden{1, 2})), "come back from JSON as others"},
			"unregistered": {result(parallel.MapNamed(bg, o, "test/nobody", "1", x, 1, nil)), "not registered"},
			"version":      {result(parallel.MapNamed(bg, o, "test/scale", "2", x, 1, factor{})), "not registered"},
			"other kind":   {result(parallel.ReduceNamed(bg, o, "test/scale", "1", x, factor{})), "registered for map"},
			"other params": {result(parallel.MapNamed(bg, o, "test/scale", "1", x, 1, map[string]int{"Bye": 1})), "unknown field"},
			"a channel":    {result(parallel.MapNamed(bg, o, "test/scale", "1", x, 1, make(chan int))), "must be JSON"},
			"nil matrix":   {result(travelScale.Map(bg, o, nil, 1, factor{})), "matrix is nil"},
			"empty matrix": {result(travelSum.Reduce(bg, o, &mat.Dense{}, factor{})), "empty"},
			"no columns":   {result(travelScale.Map(bg, o, x, 0, factor{})), "at least one"},
			"nil context":  {result(travelScale.Map(noContext, o, x, 1, factor{})), "context is nil"},
		} {
			if !errors.Is(c.err, parallel.ErrInvalid) || !strings.Contains(c.err.Error(), c.says) {
				t.Errorf("%s, executor %t: %v", name, e != nil, c.err)
			}
		}
	}
	if _, err := travelScale.Map(bg, &parallel.Options{Executor: &byJSON{most: 2}, CollectErrors: true}, x, 1, factor{}); !errors.Is(err, parallel.ErrInvalid) {
		t.Errorf("CollectErrors: %v", err)
	}
	task := parallel.Task{Kind: parallel.MapKind, Function: "test/scale", Version: "1", Params: json.RawMessage("{}"), BlockRows: 2, Cols: 2}
	for _, start := range []int{-2, 1} {
		if _, err := task.Run(bg, nil, x, start); !errors.Is(err, parallel.ErrInvalid) {
			t.Errorf("a chunk at row %d: %v", start, err)
		}
	}
}

// An executor that does not keep to its contract is noticed.
func TestExecutorMisbehaves(t *testing.T) {
	x := normal(8, 2)
	for name, c := range map[string]struct {
		execute func(context.Context, *parallel.Job) error
		says    string
	}{
		"nothing":     {func(context.Context, *parallel.Job) error { return nil }, "left 0 of 0"},
		"less":        {func(_ context.Context, j *parallel.Job) error { j.Cut(4); return j.Deliver(1, normal(2, 2)) }, "left 3 of 4"},
		"other shape": {func(_ context.Context, j *parallel.Job) error { j.Cut(4); return j.Deliver(1, normal(2, 3)) }, "2×3, not 2×2"},
		"none":        {func(_ context.Context, j *parallel.Job) error { j.Cut(4); return j.Deliver(0, nil) }, "there is none"},
		"beyond":      {func(_ context.Context, j *parallel.Job) error { j.Cut(4); return j.Deliver(4, normal(2, 2)) }, "not expected"},
		"twice": {func(_ context.Context, j *parallel.Job) error {
			j.Cut(4)
			return errors.Join(j.Deliver(0, normal(2, 2)), j.Deliver(0, normal(2, 2)))
		}, "not expected"},
		"panic": {func(context.Context, *parallel.Job) error { panic("oh") }, "panic: oh"},
	} {
		out, err := travelScale.Map(bg, &parallel.Options{Grain: 1, Executor: &byJSON{execute: c.execute}}, x, 2, factor{1})
		if out != nil || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A merge that panics, as the parts have other shapes.
	_, err := travelSum.Reduce(bg, &parallel.Options{Grain: 1, Executor: &byJSON{execute: func(_ context.Context, j *parallel.Job) error {
		j.Cut(4)
		return errors.Join(j.Deliver(2, normal(1, 2)), j.Deliver(3, normal(1, 3)))
	}}}, x, factor{1})
	var p *parallel.PanicError
	if !errors.As(err, &p) {
		t.Errorf("a merge that panics: %v", err)
	}
}

// workerProcess runs the test binary as a worker and returns its status and what it
// wrote to standard error.
func workerProcess(t *testing.T, name string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWorkerMain$")
	cmd.Env = append(os.Environ(), parallel.WorkerVariable+"="+name)
	var errs strings.Builder
	cmd.Stderr = &errs
	_ = cmd.Run() // its status is looked at
	return cmd.ProcessState.ExitCode(), errs.String()
}

func init() {
	parallel.RegisterWorker("test/good", func(context.Context) error {
		if os.Getenv(parallel.WorkerVariable) != "" {
			return errors.New("the worker's children would be workers")
		}
		return nil
	})
	parallel.RegisterWorker("test/bad", func(context.Context) error { return errBoom })
	parallel.RegisterWorker("test/panics", func(context.Context) error { panic("oh") })
}

func TestWorkerMain(t *testing.T) {
	if os.Getenv(parallel.WorkerVariable) == "stray" { // what a main does that forgets WorkerMain
		_, err := travelScale.Map(bg, &parallel.Options{Executor: &byJSON{most: 1}}, normal(2, 2), 2, factor{1})
		fmt.Fprintln(os.Stderr, err)
		return
	}
	parallel.WorkerMain()
	for name, want := range map[string]struct {
		status int
		says   string
	}{
		"test/good":   {0, ""},
		"test/bad":    {1, "boom"},
		"test/panics": {1, "panic: oh"},
		"test/nobody": {2, "no such worker"},
		"stray":       {0, "call parallel.WorkerMain first in main"},
	} {
		if status, says := workerProcess(t, name); status != want.status || !strings.Contains(says, want.says) {
			t.Errorf("%s: status %d, %s", name, status, says)
		}
	}
}
