package parallel

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// A body runs the items [lo, hi). It keeps *at, which starts as lo, at the item
// that an error or a panic is to be reported for. A body that finds its context
// ended between two items returns the context's error.
type body func(ctx context.Context, lo, hi int, at *int) error

// unit says what a body's ranges are made of.
type unit bool

const (
	inItems  unit = false // items one after the other: a range may be cut anywhere
	inRanges unit = true  // a range is one call of the caller's function
)

// loop is the state of one parallel call over [0, n), shared by its workers.
type loop struct {
	settings
	unit unit
	body body
	n    int

	caller context.Context // as passed in
	tasks  context.Context // what bodies get: ends with caller or at the first error
	group  *errgroup.Group

	running atomic.Int64 // workers
	next    atomic.Int64 // the first index that nobody has claimed
	cut     atomic.Bool  // a claimed range was left because caller ended

	spares atomic.Int64 // len(spare), to be looked at without the lock
	mu     sync.Mutex
	spare  [][2]int // ranges that were claimed and given back
	errs   []*Error // with collect
}

// run is the engine under every function over a known number of items: it runs
// f over ranges of [0, n). The results of the items are kept if all were run:
// there is no error, or errors are collected and err is those of some items.
func (s settings) run(ctx context.Context, n int, u unit, f body) (kept bool, err error) {
	s.meter.expect(n)
	if n == 0 {
		err := s.meter.end()
		return err == nil, err
	}
	ranges := n
	if s.grain > 0 {
		ranges = (n-1)/s.grain + 1
	}
	s.workers = min(s.workers, ranges)
	l := &loop{settings: s, unit: u, body: f, n: n, caller: ctx}
	l.group, l.tasks = errgroup.WithContext(s.context(ctx))

	if s.inherited || s.workers == 1 {
		l.workHere()
	} else {
		l.recruit()
	}
	kept, err = l.result(l.group.Wait())
	if e := s.meter.end(); e != nil && err == nil {
		return false, e
	}
	return kept, err
}

// workHere makes the caller's goroutine one of the workers. An item that calls
// runtime.Goexit ends it; the deferred call then waits for the other workers.
func (l *loop) workHere() {
	if !l.inherited {
		l.budget.take()
		defer l.budget.give()
	}
	w := &worker{loop: l}
	defer func() {
		if !w.returned {
			l.group.Go(func() error { return w.errorOf(ErrGoexit) })
			_ = l.group.Wait()
		}
	}()
	l.running.Add(1)
	defer l.running.Add(-1)
	if err := w.work(); err != nil {
		l.group.Go(func() error { return err })
	}
}

// recruit starts workers as long as there is work that nobody has claimed, fewer
// than are wanted, and room in the budget. It is called at the start and
// whenever a worker has claimed a range, because work may have been given back
// since others ended, and places may have become free.
func (l *loop) recruit() {
	for !l.done() {
		running := l.running.Load()
		if running >= int64(l.workers) {
			return
		}
		if !l.running.CompareAndSwap(running, running+1) {
			continue
		}
		if !l.budget.take() {
			l.running.Add(-1)
			return
		}
		l.start()
	}
}

// start starts a worker that has its place.
func (l *loop) start() {
	l.group.Go(func() error {
		w := &worker{loop: l}
		defer func() {
			if w.returned {
				l.budget.give()
				l.running.Add(-1)
				return
			}
			// runtime.Goexit: this goroutine will not return anything to the
			// group, so its error needs another one to bring it there. The
			// group is still open, as this worker has not left it. Its place
			// goes to that one's successor.
			l.group.Go(func() error {
				err := w.fail(ErrGoexit)
				if err == nil {
					l.start()
				} else {
					l.budget.give()
					l.running.Add(-1)
				}
				return err
			})
		}()
		return w.work()
	})
}

// done reports whether there is nothing left to begin.
func (l *loop) done() bool {
	return l.next.Load() >= int64(l.n) && l.spares.Load() == 0 || l.tasks.Err() != nil
}

// result returns the error of the whole call. An ended caller is not an error
// of any worker: so it cannot hide the error of an item, and it counts only if
// items were left out.
func (l *loop) result(err error) (kept bool, _ error) {
	if err != nil {
		return false, err
	}
	if l.cut.Load() || l.next.Load() < int64(l.n) || l.spares.Load() > 0 {
		return false, joined(cancelled(l.caller), l.errs)
	}
	return true, joined(nil, l.errs)
}

// joined returns err and the errors of items, in the order of the items.
func joined(err error, items []*Error) error {
	if len(items) == 0 {
		return err
	}
	slices.SortFunc(items, func(a, b *Error) int { return cmp.Compare(a.Index, b.Index) })
	all := make([]error, 0, len(items)+1)
	if err != nil {
		all = append(all, err)
	}
	for _, e := range items {
		all = append(all, e)
	}
	return errors.Join(all...)
}

// claim takes the next range of at most grain indices; it is empty if there are
// none left. This is guided self-scheduling (Polychronopoulos and Kuck, 1987):
// one compare-and-swap a range, those that shrink in proportion to what is left.
func (l *loop) claim(grain int, shrinks bool) (lo, hi int) {
	if l.spares.Load() > 0 {
		if lo, hi := l.claimSpare(grain); lo < hi {
			return lo, hi
		}
	}
	for {
		next := l.next.Load()
		rest := l.n - int(next)
		if rest <= 0 {
			return l.n, l.n
		}
		size := min(grain, rest)
		if shrinks {
			sharers := l.workers
			if l.inherited { // one more than there are may find a place
				sharers = min(sharers, int(l.running.Load())+1)
			}
			size = min(size, max(rest/sharers/rangesPerWorker, 1))
		}
		if l.next.CompareAndSwap(next, next+int64(size)) {
			return int(next), int(next) + size
		}
	}
}

// claimSpare is claim of what was given back.
func (l *loop) claimSpare(grain int) (lo, hi int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.spare) == 0 {
		return 0, 0
	}
	last := &l.spare[len(l.spare)-1]
	lo, hi = last[0], min(last[0]+grain, last[1])
	if last[0] = hi; hi == last[1] {
		l.spare = l.spare[:len(l.spare)-1]
		l.spares.Store(int64(len(l.spare)))
	}
	return lo, hi
}
