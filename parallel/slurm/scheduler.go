package slurm

import (
	"context"
	"time"
)

// scheduler is what runs the tasks of one job, each of which does one chunk: Slurm, or
// this machine.
type scheduler interface {
	// submit has the chunks with these numbers done, and returns a name for the
	// submission that log understands.
	submit(ctx context.Context, chunks []int) (submission string, err error)
	// look tells of every chunk that a task is known for, in whatever state. That it
	// cannot be told is an error, and says nothing of the tasks.
	look(ctx context.Context) (map[int]sighting, error)
	// cancel ends all tasks.
	cancel(ctx context.Context) error
	// wait returns after a time, or earlier if something is worth a look.
	wait(ctx context.Context, d time.Duration)
	// log returns the file that a task writes to.
	log(submission string, chunk int) string
	// why tells what is known of a task that has ended without a result.
	why(ctx context.Context, submission string, chunk int) string
}

// sighting is the last that is known of a task.
type sighting struct {
	submission string
	state      string
	active     bool // waits, runs, or will run again
	ending     bool // its process has ended, and the rest is being cleared away
}

// permanent is an error that will not go away by waiting.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }
