package parallel

import (
	"math"
	"runtime/debug"
	"slices"
	"time"
)

// flowWorker is one goroutine at work on a flow.
type flowWorker[X, Y any] struct {
	*flow[X, Y]
	jobs     []job[X]     // the batch
	done     []outcome[Y] // of the first of them
	counted  int          // of those, by the meter
	at       int          // the item that an error is of
	returned bool
}

// start starts a worker.
func (f *flow[X, Y]) start() {
	f.group.Go(func() error {
		w := &flowWorker[X, Y]{flow: f}
		defer func() {
			if !w.returned { // runtime.Goexit: another goroutine goes on
				w.fail(ErrGoexit)
				w.publish(0)
				f.start()
			}
		}()
		for w.claim() {
			for w.run() {
			}
		}
		w.returned = true
		return nil
	})
}

// claim waits for jobs and takes a batch of them; there are none at the end.
func (w *flowWorker[X, Y]) claim() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if w.stopped || w.caller.Err() != nil {
			return false
		}
		pending := len(w.spare) + max(min(w.taken, w.failed)-w.claimed, 0)
		if pending > 0 {
			w.take(min(w.batch, (pending-1)/w.workers+1))
			return true
		}
		// While others run, one of them may give jobs back.
		if w.closed && w.finished == w.taken {
			w.work.Broadcast()
			return false
		}
		w.idle++
		w.work.Wait()
		w.idle--
	}
}

// take moves n jobs into the batch.
func (w *flowWorker[X, Y]) take(n int) {
	w.jobs, w.done = w.jobs[:0], w.done[:0]
	for ; n > 0 && len(w.spare) > 0; n-- {
		last := len(w.spare) - 1
		w.jobs = append(w.jobs, w.spare[last])
		w.spare[last] = job[X]{}
		w.spare = w.spare[:last]
	}
	for ; n > 0; n-- {
		w.jobs = append(w.jobs, job[X]{w.claimed, w.in.pop(w.claimed)})
		w.claimed++
	}
}

// run runs the jobs of the batch that are not done, and publishes the outcomes. It
// asks to be called again after a panic.
func (w *flowWorker[X, Y]) run() (again bool) {
	w.returned = false
	defer func() {
		if w.returned {
			return
		}
		if v := recover(); v != nil {
			again, w.returned = true, true
			w.fail(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	start, before := time.Now(), len(w.done)
	for i := before; i < len(w.jobs); i++ {
		if w.tasks.Err() != nil {
			break
		}
		w.at = w.jobs[i].index
		y, err := w.task(w.tasks, &w.at, w.jobs[i].x)
		switch {
		case err == nil:
			w.done = append(w.done, outcome[Y]{y: y, there: true})
		case causedBy(err, w.caller):
			w.publish(0)
			w.returned = true
			return false
		default:
			w.fail(err)
		}
		if (i+1)%stride == 0 && w.grain == 0 && time.Since(start) > 2*flowTarget {
			break
		}
	}
	took := 0
	if w.grain == 0 && len(w.done) > before {
		took = grainFor(len(w.done)-before, time.Since(start), flowTarget, maxBatch)
	}
	if n := len(w.done) - w.counted; n > 0 {
		w.counted += n
		w.meter.add(n)
	}
	w.publish(took)
	w.returned = true
	return false
}

// fail is the outcome of the next job of the batch; of the last one if all are
// done, and it is the progress function that has failed.
func (w *flowWorker[X, Y]) fail(err error) {
	w.done = w.done[:min(len(w.done), len(w.jobs)-1)]
	w.done = append(w.done, outcome[Y]{err: &Error{Index: w.at, Err: err, reported: true}, there: true})
}

// publish hands over the outcomes, gives back the jobs that have none, and takes
// over the size that batches should have, if it is not 0.
func (w *flowWorker[X, Y]) publish(batch int) {
	w.meter.count(len(w.done) - w.counted)
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, o := range w.done {
		position := w.jobs[i].index
		if w.unordered {
			position = w.finished
		}
		w.finished++
		if o.err != nil && !w.collect {
			w.failed = min(w.failed, position)
		}
		*w.out.at(position) = o
	}
	if w.unordered && w.failed < math.MaxInt {
		w.cancel() // in order, the jobs before the failed one go on
	}
	w.spare = append(w.spare, w.jobs[len(w.done):]...)
	if w.failed < math.MaxInt {
		w.spare = slices.DeleteFunc(w.spare, func(j job[X]) bool { return w.unordered || j.index > w.failed })
	}
	clear(w.jobs)
	clear(w.done)
	w.jobs, w.done, w.counted = w.jobs[:0], w.done[:0], 0
	if batch > 0 {
		w.resize(batch)
	}
	if len(w.spare) > 0 {
		w.work.Broadcast()
	}
	w.ready.Signal()
}
