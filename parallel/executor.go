package parallel

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// Executor runs registered functions elsewhere, such as on a cluster: see the package
// parallel/slurm. Execute cuts the job with [Job.Cut], has each chunk done by a
// [Task.Run] in some process, and brings the results by [Job.Deliver]. It returns when
// all have been delivered, or with an error; as soon as it can when ctx ends. An error of
// an item is an [*Error] with its row.
type Executor interface {
	Execute(ctx context.Context, j *Job) error
}

// Job is a [Task] and the matrix that it is for.
type Job struct {
	Task Task
	X    *mat.Dense // not to be changed

	meter  *meter
	chunks []Chunk

	mu        sync.Mutex
	delivered []bool
	missing   int
	out       *mat.Dense        // of MapKind
	tree      *tree[*mat.Dense] // of ReduceKind
}

// Chunk is a run of blocks that one worker does: the rows [Start, Start+Rows).
type Chunk struct {
	Start, Rows int
}

// Cut cuts the job into at most the given number of chunks, in order, all but the
// last with the same power of 2 of blocks: so the result of each is a node of
// the fixed tree. It depends on nothing else than the numbers of rows and of chunks, and is
// called before anything is delivered.
func (j *Job) Cut(most int) []Chunk {
	rows := j.X.RawMatrix().Rows
	blocks := (rows-1)/j.Task.BlockRows + 1
	each := 1
	for (blocks-1)/each+1 > max(most, 1) {
		each *= 2
	}
	size := min(each*j.Task.BlockRows, rows) // each is less than twice the blocks
	j.chunks = nil
	for start := 0; start < rows; start += size {
		j.chunks = append(j.chunks, Chunk{start, min(size, rows-start)})
	}
	j.delivered, j.missing = make([]bool, len(j.chunks)), len(j.chunks)
	return j.chunks
}

// Deliver brings the result of chunk i, which belongs to the job from then on. It may
// be called from several goroutines. A chunk that does not exist or was delivered
// before, and a result of another shape, are errors.
func (j *Job) Deliver(i int, part *mat.Dense) (err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i < 0 || i >= len(j.chunks) || j.delivered[i] {
		return fmt.Errorf("parallel: chunk %d of %d was delivered, and not expected", i, len(j.chunks))
	}
	c := j.chunks[i]
	if j.Task.Kind == MapKind {
		if err := checkPart(part, c.Rows, j.Task.Cols); err != nil {
			return fmt.Errorf("parallel: the result of rows %d to %d: %w", c.Start, c.Start+c.Rows-1, err)
		}
		raw, dst := part.RawMatrix(), j.out.RawMatrix()
		for row := range c.Rows {
			copy(rowOf(dst, c.Start+row), rowOf(raw, row))
		}
	} else {
		at := i
		defer func() {
			if v := recover(); v != nil {
				err = &Error{Index: j.chunks[at].Start, Err: &PanicError{Value: v, Stack: debug.Stack()}, reported: true}
			}
		}()
		j.tree.put(i, part, func(leaf int) { at = leaf })
	}
	j.delivered[i] = true
	j.missing--
	j.meter.add(c.Rows)
	return nil
}

func checkPart(part *mat.Dense, rows, cols int) error {
	if part == nil {
		return errors.New("there is none")
	}
	if r, c := part.Dims(); r != rows || c != cols {
		return fmt.Errorf("it is %d×%d, not %d×%d", r, c, rows, cols)
	}
	return nil
}

// job makes the job of a task, whose blocks are those that the options say.
func (t Task) job(o *Options, x *mat.Dense) (*Job, error) {
	s, err := o.resolve(context.Background(), false)
	if err != nil {
		return nil, err
	}
	f, err := t.find()
	if err != nil {
		return nil, err
	}
	blocks, err := RowBlocks(x, s.grain)
	if err != nil {
		return nil, err
	}
	if len(blocks) == 0 {
		return nil, invalid("%s: the matrix is empty", functionText(t.Function, t.Version))
	}
	t.BlockRows, _ = blocks[0].Rows.Dims()
	t.Timeout = s.timeout
	j := &Job{Task: t, X: x, meter: s.meter}
	if t.Kind == MapKind {
		j.out, err = resultOf(functionText(t.Function, t.Version), x, t.Cols)
	} else {
		j.tree = newTree(f.merge)
	}
	if err == nil {
		err = t.Check()
	}
	return j, err
}

// do runs the task on all of x, here or through the executor.
func (t Task) do(ctx context.Context, o *Options, x *mat.Dense) (*mat.Dense, error) {
	if o == nil || o.Executor == nil {
		return t.here(ctx, o, x, 0)
	}
	switch {
	case ctx == nil:
		return nil, invalid("the context is nil; pass context.Background()")
	case o.CollectErrors:
		return nil, invalid("Options.CollectErrors cannot be had of an Executor")
	case strayWorker():
		return nil, invalid("this process is a worker (%s is set), and has come past main: call parallel.WorkerMain first in main", WorkerVariable)
	}
	j, err := t.job(o, x)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, cancelled(ctx)
	}
	j.meter.expect(x.RawMatrix().Rows)
	out, err := j.run(ctx, o.Executor)
	if e := j.meter.end(); e != nil && err == nil {
		return nil, e
	}
	return out, err
}

func (j *Job) run(ctx context.Context, e Executor) (*mat.Dense, error) {
	err := Protect(func() error { return e.Execute(ctx, j) })
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err != nil:
		if e, ok := err.(*Error); ok && e != nil {
			e.reported = true
		}
		return nil, err
	case j.chunks == nil || j.missing > 0:
		return nil, fmt.Errorf("parallel: the executor has left %d of %d chunks undone", j.missing, len(j.chunks))
	case j.Task.Kind == MapKind:
		return j.out, nil
	}
	return j.tree.result(len(j.chunks), j.chunks[0].Rows)
}
