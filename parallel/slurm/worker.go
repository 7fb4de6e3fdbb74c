package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// What a worker is told, in its environment.
const (
	workerName    = "slurm"
	cacheVariable = "NUMCACHE_SLURM_CACHE" // the folder or URL
	jobVariable   = "NUMCACHE_SLURM_JOB"   // the key of the description
)

// indexVariables have the number of a worker's chunk: of a task of a job array, and of a
// pod of an indexed Kubernetes Job.
var indexVariables = []string{"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"}

// OpenCache opens the cache of a worker: the folder or URL that the executor's
// cache has. A program whose caches need options, such as a secret or a group, sets it
// before main, or in main before [parallel.WorkerMain].
var OpenCache = func(name string) (*memo.Cache, error) { return memo.Open(name, nil) }

func init() { parallel.RegisterWorker(workerName, runWorker) }

// runWorker does one chunk: it is all that a worker's process does.
func runWorker(ctx context.Context) (err error) {
	chunk, err := workerIndex()
	if err != nil {
		return err
	}
	name := os.Getenv(cacheVariable)
	if name == "" {
		return fmt.Errorf("slurm: %s does not say which cache this worker uses", cacheVariable)
	}
	c, err := OpenCache(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	d, err := load(ctx, c, os.Getenv(jobVariable))
	if err != nil {
		return err
	}
	return d.compute(ctx, c, chunk)
}

// compute sees to it that the cache has the result of a chunk. One that is there
// already is not computed, and the matrix is not read for it.
func (d *description) compute(ctx context.Context, c *memo.Cache, i int) error {
	chunk, err := d.chunk(i)
	if err != nil {
		return err
	}
	_, err = stored(memo.Shelve(ctx, c, d.resultKey(chunk), func(ctx context.Context) (*mat.Dense, error) {
		x, err := d.rows(ctx, c, chunk.Start, chunk.Start+chunk.Rows)
		if err != nil {
			return nil, err
		}
		return d.Task.Run(ctx, &parallel.Options{Workers: workerCPUs()}, x, chunk.Start)
	}))
	var item *parallel.Error
	if errors.As(err, &item) {
		return fmt.Errorf("slurm: row %d failed: %w", item.Index, item.Err) // as failureText reads it
	}
	return err
}

// workerIndex returns the number of this worker's chunk.
func workerIndex() (int, error) {
	for _, variable := range indexVariables {
		if text := os.Getenv(variable); text != "" {
			i, err := strconv.Atoi(text)
			if err != nil || i < 0 {
				return 0, fmt.Errorf("slurm: %s=%q is no number of a chunk", variable, text)
			}
			return i, nil
		}
	}
	return 0, fmt.Errorf("slurm: none of %v says which chunk this worker does", indexVariables)
}

// workerCPUs returns how many CPUs this worker may use. Slurm need not bind a task to
// those that it has been given.
func workerCPUs() int {
	all := runtime.GOMAXPROCS(0)
	if n, err := strconv.Atoi(os.Getenv("SLURM_CPUS_PER_TASK")); err == nil && n > 0 {
		return min(n, all)
	}
	if os.Getenv("SLURM_ARRAY_TASK_ID") != "" {
		return 1 // what Slurm gives a task that asks for nothing
	}
	return all
}
