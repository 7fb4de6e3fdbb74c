package parallel

import (
	"context"
	"iter"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// flowTarget is how long a batch of a stream should take: longer than it
	// takes to hand it over, and short, because its results come only with its
	// last one, and because so many items are held in memory.
	flowTarget = 20 * time.Microsecond

	// maxBatch bounds an automatic batch.
	maxBatch = 512

	// batchesPerWorker is how many batches the automatic window has for each
	// worker: one in work and one to go on with.
	batchesPerWorker = 2
)

// A job is an item that was taken from the source.
type job[X any] struct {
	index int
	x     X
}

// An outcome is what came of a job.
type outcome[Y any] struct {
	y     Y
	err   *Error
	there bool
}

// A task runs one job. It keeps *at, which starts as the job's index, at the item
// that an error or a panic is to be reported for.
type task[X, Y any] func(ctx context.Context, at *int, x X) (Y, error)

// itemwise is the task of a function of single items.
func itemwise[X, Y any](f func(context.Context, X) (Y, error)) task[X, Y] {
	return func(ctx context.Context, _ *int, x X) (Y, error) { return f(ctx, x) }
}

// flow is the state of one call over a sequence. One goroutine, the feeder, walks
// the source; workers run what it has taken; the caller's goroutine consumes the
// outcomes. At most window jobs are anywhere between source and consumer.
//
// Everything but the items themselves is under one lock, which workers and
// consumer take once a batch. The feeder takes it for each item: a worker that
// has nothing to do must find what was taken even while the source keeps the
// feeder waiting for the next one.
type flow[X, Y any] struct {
	settings
	task   task[X, Y]
	caller context.Context // as passed in
	tasks  context.Context // what tasks get
	cancel context.CancelFunc
	group  errgroup.Group

	mu    sync.Mutex
	room  sync.Cond // the feeder waits for the window
	work  sync.Cond // workers wait for jobs
	ready sync.Cond // the consumer waits for outcomes

	window int // now
	batch  int // the most that a worker takes at a time, now

	// Jobs have positions as the source yields them. Outcomes have those of
	// their jobs, or as they come if the flow is unordered.
	in       ring[X]          // positions [claimed, taken)
	spare    []job[X]         // that were claimed and given back
	out      ring[outcome[Y]] // positions [consumed, taken)
	taken    int
	claimed  int
	finished int
	consumed int

	idle    int   // workers that wait
	closed  bool  // the source is through
	broken  error // the error that the source ended with
	failed  int   // no later job matters: one has failed
	stopped bool  // nobody consumes any more
}

// runFlow walks source, and calls each with the outcomes until it returns false or,
// unless errors are collected, after the first error. It returns what ended the
// flow beside that: an error of the source, or the end of ctx.
func runFlow[X, Y any](ctx context.Context, s settings, source iter.Seq2[X, error], t task[X, Y], each func(y Y, err *Error) bool) error {
	f := &flow[X, Y]{settings: s, task: t, caller: ctx, failed: math.MaxInt}
	err := f.run(source, each)
	if e := s.meter.end(); err == nil {
		err = e
	}
	return err
}

func (f *flow[X, Y]) run(source iter.Seq2[X, error], each func(Y, *Error) bool) error {
	if f.caller.Err() != nil {
		return cancelled(f.caller)
	}
	f.tasks, f.cancel = context.WithCancel(f.context(f.caller))
	defer f.cancel()
	// A call inside another has its item's place in the budget, whose goroutine
	// only consumes.
	own := 0
	if f.inherited {
		own = 1
	}
	places := own
	for places < f.workers && f.budget.take() {
		defer f.budget.give()
		places++
	}
	if f.workers = places; places == 1 {
		return f.alone(source, each)
	}

	f.room.L, f.work.L, f.ready.L = &f.mu, &f.mu, &f.mu
	f.batch, f.window = 1, batchesPerWorker*f.workers
	if f.settings.window > 0 {
		f.window = f.settings.window
	}
	if f.grain > 0 {
		f.resize(f.grain)
	}
	stopWatching := context.AfterFunc(f.caller, f.wake)
	defer stopWatching()
	defer f.stop()
	f.group.Go(func() error { f.feed(source); return nil })
	for range f.workers {
		f.start()
	}
	return f.consume(each)
}

// resize sets the batch, and the window where that is automatic.
func (f *flow[X, Y]) resize(batch int) {
	if w := f.settings.window; w > 0 {
		f.batch = min(batch, max(w/(batchesPerWorker*f.workers), 1))
		return
	}
	f.batch = batch
	f.window = batchesPerWorker * f.workers * min(batch, math.MaxInt/batchesPerWorker/f.workers)
}

// wake has everybody look at the state again.
func (f *flow[X, Y]) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room.Broadcast()
	f.work.Broadcast()
	f.ready.Broadcast()
}

// stop ends the flow and waits for its goroutines.
func (f *flow[X, Y]) stop() {
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	f.cancel()
	f.wake()
	_ = f.group.Wait()
}

// over reports whether no more jobs are wanted.
func (f *flow[X, Y]) over() bool { return f.stopped || f.failed < math.MaxInt || f.caller.Err() != nil }

// feed walks the source.
func (f *flow[X, Y]) feed(source iter.Seq2[X, error]) {
	returned := false
	defer func() {
		v := recover()
		f.mu.Lock()
		switch {
		case v != nil:
			f.broken = &PanicError{Value: v, Stack: debug.Stack()}
		case !returned:
			f.broken = ErrGoexit
		}
		f.closed = true
		f.mu.Unlock()
		f.wake()
	}()
	for x, err := range source {
		if !f.admit(x, err) {
			f.breakOff()
			break
		}
	}
	returned = true
}

// breakOff notes why the source is not through, where that is the end of the context: what
// was taken of it may be finished, and must not pass for all.
func (f *flow[X, Y]) breakOff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil && f.caller.Err() != nil {
		f.broken = cancelled(f.caller)
	}
}

// admit takes an item and waits for room for the next one.
func (f *flow[X, Y]) admit(x X, err error) (more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.broken = err
		return false
	}
	if f.over() {
		return false
	}
	f.in.hold(f.claimed, f.taken+1)
	f.out.hold(f.consumed, f.taken+1)
	*f.in.at(f.taken) = x
	f.taken++
	if f.idle > 0 {
		f.work.Signal()
	}
	for f.taken-f.consumed >= f.window && !f.over() {
		f.room.Wait()
	}
	return !f.over()
}

// consume calls each with the outcomes in the order of their positions.
func (f *flow[X, Y]) consume(each func(Y, *Error) bool) error {
	var some []outcome[Y]
	for {
		var err error
		if some, err = f.gather(some[:0]); len(some) == 0 {
			return err
		}
		for i := range some {
			o := some[i]
			some[i] = outcome[Y]{}
			if !each(o.y, o.err) || o.err != nil && !f.collect {
				return nil
			}
		}
		f.mu.Lock()
		f.consumed += len(some)
		f.room.Signal()
		f.mu.Unlock()
	}
}

// gather waits for outcomes and appends those that are there to some, a part of
// the window at a time, so that the feeder can go on. There are none at the end.
func (f *flow[X, Y]) gather(some []outcome[Y]) ([]outcome[Y], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		ended := f.closed && f.consumed == f.taken
		switch all := f.closed && f.finished == f.taken; {
		case ended:
			return nil, f.broken
		case f.caller.Err() != nil && !all:
			return nil, cancelled(f.caller)
		}
		most := max(f.window/8, 1)
		for i := f.consumed; i < f.taken && len(some) < most && f.out.at(i).there; i++ {
			some = append(some, f.out.pop(i))
		}
		if len(some) > 0 {
			return some, nil
		}
		f.ready.Wait()
	}
}
