package slurm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

const (
	// A task that has left the queue without a result is lost when a second look says
	// so, too: a shared file system may show a new file late.
	looksUntilLost = 2

	// One that has ended well has stored its result, so it is only lost when that has not
	// shown up for longer than a network file system remembers that there was none.
	lateness = 90 * time.Second

	slowest       = 16 // times Options.Poll, when nothing happens
	cancelTimeout = 10 * time.Second
)

// job is one call on its way: chunks are submitted, looked for, and delivered. Nothing
// but the cache says that a chunk is done, and nothing but the queue that a task is
// lost, so whatever happens in between, such as a second submitter, a task that
// runs twice or a controller that does not answer, costs time only.
type job struct {
	executor    *Executor
	description *description
	deliver     func(chunk int, part *mat.Dense) error
	scheduler   scheduler
	chunks      []chunkState
}

// chunkState is what is known of a chunk.
type chunkState struct {
	done       bool
	attempts   int       // submissions
	submission string    // the last one
	state      string    // the last that the queue said
	gone       int       // looks in a row that did not find it, nor its result
	completed  time.Time // when it was first seen to have ended well
}

// run returns when all chunks are delivered, or with an error after it has cancelled
// the rest.
func (r *job) run(ctx context.Context) error {
	err := parallel.Protect(func() error { return r.untilDone(ctx) }) // a Progress function may panic
	if err == nil || errors.Is(err, errUnanswered) {
		return err
	}
	cancelling, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer stop()
	if e := r.scheduler.cancel(cancelling); e != nil {
		return errors.Join(err, fmt.Errorf("slurm: tasks may still run, as they could not be cancelled: %w", e))
	}
	return err
}

func (r *job) untilDone(ctx context.Context) error {
	o := &r.executor.options
	answered, pause := r.executor.now(), o.Poll
	for {
		before := r.undone()
		lost, err := r.look(ctx)
		if err == nil {
			answered = r.executor.now()
			if r.undone() == 0 {
				return nil
			}
			if err = r.exhausted(ctx, lost); err == nil && len(lost) > 0 {
				err = r.submit(ctx, lost)
			}
		}
		switch {
		case ctx.Err() != nil:
			return ended(ctx)
		case err != nil && !r.passes(err):
			return err
		case err != nil:
			r.executor.counts.unanswered.Add(1)
			o.Logger.Warn("slurm: no answer", "error", err)
			if _, err := r.collectAll(ctx); err != nil {
				return err
			}
			if r.undone() == 0 {
				return nil
			}
			if r.undone() < before { // someone is at work
				answered = r.executor.now()
			}
			if silent := r.executor.now().Sub(answered); silent > o.Patience {
				return fmt.Errorf("%w for %v, %d of %d chunks are missing; the tasks were left running, and another call finds their results: %w",
					errUnanswered, silent.Round(time.Second), r.undone(), len(r.chunks), err)
			}
		}
		if err == nil && (r.undone() < before || len(lost) > 0) {
			pause = o.Poll
		} else {
			pause = min(pause*3/2, slowest*o.Poll)
		}
		r.scheduler.wait(ctx, pause)
		if ctx.Err() != nil {
			return ended(ctx)
		}
	}
}

// passes reports whether an error of a look or of a submission may go away.
func (r *job) passes(err error) bool {
	return !errors.As(err, new(permanent)) && !errors.As(err, new(*parallel.Error)) && !errors.As(err, new(deliveryError))
}

// look looks at the queue, delivers what is done, and returns the chunks that are to be
// submitted: those that nobody runs.
func (r *job) look(ctx context.Context) (lost []int, err error) {
	seen, err := r.scheduler.look(ctx)
	if err != nil {
		return nil, err
	}
	for i := range r.chunks {
		c := &r.chunks[i]
		if c.done {
			continue
		}
		s, known := seen[i]
		if known {
			c.submission, c.state = s.submission, s.state
			if s.active && c.attempts == 0 {
				c.attempts = 1 // of an earlier submitter
			}
		}
		if known && s.active && !s.ending {
			c.gone = 0
			continue
		}
		if err := r.collect(ctx, i); err != nil {
			return nil, err
		}
		if c.done || known && s.active {
			continue
		}
		if c.gone++; known && s.state == "COMPLETED" && c.attempts > 0 && r.mayShowUp(c) {
			continue
		}
		if c.attempts == 0 || c.gone >= looksUntilLost {
			lost = append(lost, i)
		}
	}
	return lost, nil
}

// mayShowUp reports whether the result of a task that has ended well may only be late.
func (r *job) mayShowUp(c *chunkState) bool {
	now := r.executor.now()
	if c.completed.IsZero() {
		c.completed = now
	}
	return now.Sub(c.completed) < lateness
}

// submit submits chunks.
func (r *job) submit(ctx context.Context, chunks []int) error {
	submission, err := r.scheduler.submit(ctx, chunks)
	if err != nil {
		return err
	}
	again := 0
	for _, i := range chunks {
		c := &r.chunks[i]
		if c.attempts > 0 {
			again++
		}
		c.attempts++
		c.submission, c.state, c.gone, c.completed = submission, "", 0, time.Time{}
	}
	n := &r.executor.counts
	n.submitted.Add(int64(len(chunks)))
	n.resubmitted.Add(int64(again))
	r.executor.options.Logger.LogAttrs(ctx, slog.LevelInfo, "slurm: submitted", slog.String("function", r.description.Task.Function),
		slog.String("submission", submission), slog.Int("tasks", len(chunks)), slog.Int("again", again))
	return nil
}

// exhausted returns the error of the first chunk that was submitted too often.
func (r *job) exhausted(ctx context.Context, lost []int) error {
	for _, i := range lost {
		if c := &r.chunks[i]; c.attempts > r.executor.options.Retries {
			return r.failure(ctx, i)
		}
	}
	return nil
}

func (r *job) undone() (n int) {
	for i := range r.chunks {
		if !r.chunks[i].done {
			n++
		}
	}
	return n
}

// deliveryError is a result that the job does not take.
type deliveryError struct{ error }

func (d deliveryError) Unwrap() error { return d.error }

// collect delivers the result of a chunk if the cache has it. What the cache cannot
// read is computed anew.
func (r *job) collect(ctx context.Context, i int) error {
	chunk, err := r.description.chunk(i)
	if err != nil {
		return deliveryError{err}
	}
	var part *mat.Dense
	err = r.executor.cache.Ref(r.description.resultKey(chunk)).Get(ctx, &part)
	switch {
	case ctx.Err() != nil:
		return ended(ctx)
	case errors.Is(err, memo.ErrNotFound):
		return nil
	case err != nil:
		r.executor.options.Logger.Warn("slurm: a result cannot be read", "error", err)
		return nil
	}
	if err := r.deliver(i, part); err != nil {
		return deliveryError{err}
	}
	r.chunks[i].done = true
	return nil
}

// collectAll collects every chunk that is missing, and returns how many still are.
func (r *job) collectAll(ctx context.Context) (missing int, err error) {
	for i := range r.chunks {
		if r.chunks[i].done {
			continue
		}
		if err := r.collect(ctx, i); err != nil {
			return 0, err
		}
	}
	return r.undone(), nil
}

// ended returns the error of a context that has ended, with its cause.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
