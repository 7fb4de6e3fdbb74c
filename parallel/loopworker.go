package parallel

import (
	"runtime/debug"
	"time"
)

// worker is one goroutine at work on a loop.
type worker struct {
	*loop
	at       int // the item that an error is of
	lo, hi   int // the claimed range that it is in
	returned bool
}

// work claims and runs ranges until there is nothing left or one fails.
func (w *worker) work() (err error) {
	for again := true; again; {
		again, err = w.untilPanic()
	}
	return err
}

// untilPanic is work up to a panic, after which it asks to be called again if
// errors are collected.
func (w *worker) untilPanic() (again bool, err error) {
	w.returned = false
	defer func() {
		if w.returned {
			return
		}
		if v := recover(); v != nil {
			err = w.fail(&PanicError{Value: v, Stack: debug.Stack()})
			again, w.returned = err == nil, true
		}
	}()
	measured := w.grain == 0 && w.workers > 1
	shrinks := measured || w.grain == 0 && w.unit == inRanges
	grain := w.grain
	var clock time.Time
	switch {
	case measured:
		grain, clock = 1, time.Now()
	case grain == 0:
		grain = maxRange
	}
	for !w.done() {
		lo, hi := w.claim(grain, shrinks)
		if lo == hi {
			break
		}
		w.recruit()
		n, ok, err := w.runRange(lo, hi, measured, clock)
		if !ok {
			w.returned = true
			return false, err
		}
		if measured {
			now := time.Now()
			grain = grainFor(n, now.Sub(clock), loopTarget, maxRange)
			clock = now
		}
	}
	w.returned = true
	return false, nil
}

// runRange runs a claimed range and returns how many of its items were run, which
// are not all if they take far longer than was expected: then the rest is given
// back for others to share. It is not ok if the worker is to end.
func (w *worker) runRange(lo, hi int, measured bool, clock time.Time) (n int, ok bool, err error) {
	step := hi - lo
	if w.unit == inItems {
		switch {
		case w.meter != nil:
			step = 1
		case measured:
			step = stride
		}
	}
	first := lo
	for lo < hi {
		to := min(lo+step, hi)
		w.at, w.lo, w.hi = lo, lo, hi
		if err := w.body(w.tasks, lo, to, &w.at); err != nil {
			if causedBy(err, w.caller) {
				w.cut.Store(true)
				return 0, false, nil
			}
			// This may be a mere echo of another worker's error. Then that one
			// has cancelled w.tasks, and errgroup does so only after keeping
			// the error.
			if err := w.fail(err); err != nil {
				return 0, false, err
			}
			return hi - first, true, nil
		}
		w.meter.add(to - lo)
		lo = to
		if measured && lo < hi && time.Since(clock) > 2*loopTarget {
			w.giveBack(lo, hi)
			return lo - first, true, nil
		}
	}
	return hi - first, true, nil
}

// fail takes the error of the item w.at, whose range ends with it. It returns
// what ends the worker: nil if errors are collected.
func (w *worker) fail(err error) error {
	e := w.errorOf(err)
	if !w.collect {
		return e
	}
	w.mu.Lock()
	w.errs = append(w.errs, e)
	w.mu.Unlock()
	if w.unit == inItems {
		w.meter.count(1)
		w.giveBack(w.at+1, w.hi)
	} else {
		w.meter.count(w.hi - w.lo)
	}
	return nil
}

// errorOf names the item that err is of.
func (w *worker) errorOf(err error) *Error {
	return &Error{Index: w.at, Err: err, reported: true}
}

// giveBack leaves the range [lo, hi) that w has claimed to whoever comes first.
func (w *worker) giveBack(lo, hi int) {
	if lo >= hi {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spare = append(w.spare, [2]int{lo, hi})
	w.spares.Store(int64(len(w.spare)))
}
