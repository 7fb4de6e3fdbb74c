package slurm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// Options tunes an [Executor]. nil and the zero value are the defaults.
type Options struct {
	// Tasks is the most tasks that a job is cut into, each some 2ⁿ row blocks; 0 is
	// 256, and 1000 is the most, as Slurm's job arrays have 1001 places by default.
	// It decides which blocks share a result in the cache: with another number
	// everything is computed anew.
	Tasks int

	// Retries is how often a chunk is submitted again that failed or was lost; 0 is 3,
	// and -1 none.
	Retries int

	Partition string        // as sbatch's --partition
	Account   string        // as its --account
	TimeLimit time.Duration // of a task, as its --time
	CPUs      int           // of a task, as its --cpus-per-task: a worker runs as many blocks at a time
	Memory    string        // of a task, as its --mem: "4G"
	Args      []string      // more arguments of sbatch

	// Logs is the folder that each task has a log file in, on a file system that
	// all nodes share; it is made. "" is slurm-logs in the working directory.
	Logs string

	// Cache is the name by which workers open the cache: the URL that it was opened
	// with, where that has a query, such as an endpoint, or another path of the folder.
	// "" is the cache's Dir. It stands in the batch script, so credentials do not belong
	// in it: those that are in the environment reach the workers too.
	Cache string

	// Program is what tasks run; "" is the program that this process runs, which
	// must be there under the same path on all nodes.
	Program string

	// Local, if positive, runs workers as processes of this machine, so many at a time,
	// and calls nothing of Slurm's.
	Local int

	// Patience is how long Slurm may not answer, while no result comes either, before
	// the call gives up, with an error and with its tasks left running; 0 is 10 minutes.
	Patience time.Duration

	// Poll is the time between two looks at the queue while something happens; 0 is a
	// second. While nothing does it grows, to 16 times as much.
	Poll time.Duration

	// Logger hears of submissions, lost tasks, and commands that fail. nil is
	// slog.Default().
	Logger *slog.Logger
}

// Executor runs registered functions on a Slurm cluster. Make it with [New]. It may be
// used by any number of calls at once.
type Executor struct {
	cache   *memo.Cache
	options Options
	run     command // replaced in tests
	sleep   func(ctx context.Context, d time.Duration)
	now     func() time.Time
	counts  struct{ chunks, cached, submitted, resubmitted, unanswered atomic.Int64 }
}

var _ parallel.Executor = (*Executor)(nil)

// Stats are counts of what an [Executor] did.
type Stats struct {
	Chunks      int64 // of all jobs
	Cached      int64 // of these, that were in the cache before anything was submitted
	Submitted   int64 // tasks
	Resubmitted int64 // of these, that were for a chunk which had failed or was lost
	Unanswered  int64 // calls of squeue and sbatch that failed
}

// New returns an executor whose jobs, matrices and results are kept in c: in a folder
// that all nodes share, or a store with a URL. The caller closes c, after the last call.
// A nil c, or one without a folder, is [memo.ErrNil]; options that make no sense are
// [parallel.ErrInvalid]. Options are copied.
func New(c *memo.Cache, o *Options) (*Executor, error) {
	if c == nil || c.Dir() == "" {
		return nil, fmt.Errorf("%w: an executor needs a cache in a folder that workers can open", memo.ErrNil)
	}
	e := &Executor{cache: c, run: runCommand, sleep: sleep, now: time.Now}
	if o != nil {
		e.options = *o
	}
	return e, e.options.resolve()
}

// resolve checks options and sets those that are not set.
func (o *Options) resolve() (err error) {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: slurm: Options.%s", parallel.ErrInvalid, fmt.Sprintf(format, args...))
	}
	switch {
	case o.Tasks < 0 || o.Tasks > 1000:
		return invalid("Tasks is %d; use 1 to 1000, or 0 for 256", o.Tasks)
	case o.Retries < -1:
		return invalid("Retries is %d; use -1 for none", o.Retries)
	case o.TimeLimit < 0 || o.Patience < 0 || o.Poll < 0 || o.CPUs < 0 || o.Local < 0:
		return invalid("TimeLimit, Patience, Poll, CPUs and Local must not be negative")
	}
	switch o.Retries {
	case 0:
		o.Retries = 3
	case -1:
		o.Retries = 0
	}
	setDefault(&o.Tasks, 256)
	setDefault(&o.Logs, "slurm-logs")
	setDefault(&o.Patience, 10*time.Minute)
	setDefault(&o.Poll, time.Second)
	setDefault(&o.Logger, slog.Default())
	if o.Logs, err = filepath.Abs(o.Logs); err != nil {
		return err
	}
	if strings.ContainsAny(o.Logs, "%\\\n") {
		return invalid("Logs is %q; sbatch takes %%, \\ and line ends in it for something else", o.Logs)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Stats returns what the executor did so far.
func (e *Executor) Stats() Stats {
	n := &e.counts
	return Stats{n.chunks.Load(), n.cached.Load(), n.submitted.Load(), n.resubmitted.Load(), n.unanswered.Load()}
}

// Prepare stores a job's matrix and description in the cache, and returns the key by
// which workers know the job, and how many chunks it has: for something else than this
// executor to start the workers, such as a Kubernetes Job (numcache k8s-manifest). When
// they have ended, the call that the job describes, with the same options, finds their
// results in the cache and submits what is missing.
func (e *Executor) Prepare(ctx context.Context, j *parallel.Job) (key string, chunks int, err error) {
	if e == nil || e.cache == nil {
		return "", 0, errNoExecutor
	}
	if j == nil || j.X == nil || j.X.IsEmpty() {
		return "", 0, fmt.Errorf("%w: Prepare: a job without a matrix; MapFunc.Job and ReduceFunc.Job make one", parallel.ErrInvalid)
	}
	if err := j.Task.Check(); err != nil {
		return "", 0, err
	}
	d, err := e.describe(ctx, j, j.Cut(e.options.Tasks))
	if err != nil {
		return "", 0, err
	}
	r, err := d.store(ctx, e.cache)
	return r.Key().String(), d.Chunks, err
}

// describe stores the matrix and returns the description.
func (e *Executor) describe(ctx context.Context, j *parallel.Job, chunks []parallel.Chunk) (*description, error) {
	d := &description{Task: j.Task, ChunkRows: chunks[0].Rows, Chunks: len(chunks)}
	d.Rows, d.Cols = j.X.Dims()
	return d, d.storeInput(ctx, e.cache, j.X)
}

// Execute implements [parallel.Executor]; calls of registered functions make it.
//
// When ctx ends it cancels the job's tasks and returns; so it does when a chunk has
// failed too often, with a [*parallel.Error] around a [*TaskError]. What the cache has by
// then stays there, for the next call.
func (e *Executor) Execute(ctx context.Context, j *parallel.Job) error {
	if e == nil || e.cache == nil {
		return errNoExecutor
	}
	chunks := j.Cut(e.options.Tasks)
	d, err := e.describe(ctx, j, chunks)
	if err != nil {
		return err
	}
	r := &job{executor: e, description: d, deliver: j.Deliver, chunks: make([]chunkState, len(chunks))}
	e.counts.chunks.Add(int64(len(chunks)))
	missing, err := r.collectAll(ctx)
	e.counts.cached.Add(int64(len(chunks) - missing))
	if err != nil || missing == 0 {
		return err
	}
	ref, err := d.store(ctx, e.cache)
	if err != nil {
		return err
	}
	if r.scheduler, err = e.scheduler(ref.Key().String()); err != nil {
		return err
	}
	if l, ok := r.scheduler.(*local); ok {
		defer l.cancel(ctx)
	}
	return r.run(ctx)
}

// scheduler makes the scheduler for the job with the given key.
func (e *Executor) scheduler(key string) (scheduler, error) {
	program := e.options.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(e.options.Logs, 0o777); err != nil {
		return nil, fmt.Errorf("slurm: the folder of the logs: %w", err)
	}
	cache := e.options.Cache
	if cache == "" {
		cache = e.cache.Dir()
	}
	// The same job of two caches is two: neither's tasks are the other's to take over
	// or to cancel.
	place := sha256.Sum256([]byte(cache))
	name := fmt.Sprintf("numcache-%s-%x", key, place[:4])
	env := []string{parallel.WorkerVariable + "=" + workerName, cacheVariable + "=" + cache, jobVariable + "=" + key}
	if e.options.Local > 0 {
		return newLocal(e.options, name, program, env), nil
	}
	return &commands{run: e.run, o: e.options, name: name, program: program, env: env, sleep: e.sleep}, nil
}

var errNoExecutor = fmt.Errorf("%w: the slurm.Executor is nil; make it with slurm.New", parallel.ErrInvalid)

var errUnanswered = errors.New("slurm: Slurm does not answer")
