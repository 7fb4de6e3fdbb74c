package parallel

import (
	"context"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	// rangesPerWorker sets how a claim shrinks: a worker takes this fraction of
	// its even share of what is left. With 8 the first ranges, which nothing
	// balances afterwards, are an eighth of a share each.
	rangesPerWorker = 8

	// maxRange bounds an automatic range, because a function over a range is
	// interrupted only between ranges. Claiming costs tens of nanoseconds, which
	// nobody sees in this many items.
	maxRange = 1 << 16
)

// ForRange calls f on ranges [lo, hi) that together cover [0, n), each index
// once, lo < hi. Ranges are handed out in increasing order and run concurrently;
// which ranges there are depends on n, Options and chance, so f must not let
// its results depend on where they are cut. If Options.Grain is set, every range
// but the last has that many indices.
//
// The first f to return an error stops the call: the context of the others is
// cancelled, no further range begins, and ForRange returns an [*Error] whose
// Index is the lo of the range. To name a later item, f returns
// &Error{Index: i, Err: err} with lo <= i < hi. A panic in f is an error too.
//
// If ctx ends first, ForRange returns its error as soon as the running calls of
// f have returned; a range that takes long should look at its context. ForRange
// returns nil only if every range was run and gave nil. n = 0 is no work; a
// negative n, a nil ctx and a nil f are errors that match [ErrInvalid].
func ForRange(ctx context.Context, o *Options, n int, f func(ctx context.Context, lo, hi int) error) error {
	if err := checkCall(ctx, f == nil); err != nil {
		return err
	}
	if n < 0 {
		return invalid("ForRange: n is %d; pass the number of items", n)
	}
	workers, grain, err := o.resolve()
	if err != nil {
		return err
	}
	return run(ctx, workers, grain, n, func(ctx context.Context, lo, hi int, at *int) error {
		if err := f(ctx, lo, hi); err != nil {
			return named(err, lo, hi, at)
		}
		return nil
	})
}

// A body runs the items [lo, hi). It keeps *at, which starts as lo, at the item
// that an error or a panic is to be reported for. A body that finds its context
// ended between two items returns the context's error.
type body func(ctx context.Context, lo, hi int, at *int) error

// loop is the state of one parallel call, shared by its workers.
type loop struct {
	caller context.Context // as passed in
	tasks  context.Context // what bodies get: ends with caller or at the first error

	body    body
	workers int
	grain   int // 0: automatic
	n       int

	next atomic.Int64 // the first index that nobody has claimed
	cut  atomic.Bool  // a claimed range was left because caller ended
}

// run is the engine under every function of the package: it runs body over
// ranges of [0, n).
func run(ctx context.Context, workers, grain, n int, f body) error {
	if n == 0 {
		return nil
	}
	ranges := n
	if grain > 0 {
		ranges = (n-1)/grain + 1
	}
	l := &loop{caller: ctx, body: f, workers: min(workers, ranges), grain: grain, n: n}

	if l.workers == 1 {
		tasks, cancel := context.WithCancel(ctx)
		defer cancel()
		l.tasks = tasks
		return l.result(l.work(nil))
	}

	g, tasks := errgroup.WithContext(ctx)
	l.tasks = tasks
	for range l.workers {
		// With many workers and little work the first ones may be through
		// before the last are started.
		if l.done() {
			break
		}
		g.Go(func() error { return l.work(g) })
	}
	return l.result(g.Wait())
}

// done reports whether there is nothing left to begin.
func (l *loop) done() bool {
	return l.next.Load() >= int64(l.n) || l.tasks.Err() != nil
}

// result returns the error of the whole call. An ended caller is not an error
// of any worker: so it cannot hide the error of an item, and it counts only if
// items were left out.
func (l *loop) result(err error) error {
	if err != nil {
		return err
	}
	if l.cut.Load() || l.next.Load() < int64(l.n) {
		return cancelled(l.caller)
	}
	return nil
}

// work claims and runs ranges until there is nothing left or one fails. g is
// the group that the worker runs in, nil in the caller's goroutine.
func (l *loop) work(g *errgroup.Group) (err error) {
	at, returned := 0, false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &Error{Index: at, Err: &PanicError{Value: v, Stack: debug.Stack()}, reported: true}
			return
		}
		// runtime.Goexit: this goroutine will not return anything to the
		// group, so its error needs another one to bring it there. The group
		// is still open, as this worker has not left it.
		if g != nil {
			g.Go(func() error { return &Error{Index: at, Err: ErrGoexit, reported: true} })
		}
	}()
	for err == nil && !l.done() {
		lo, hi := l.claim()
		if lo == hi {
			break
		}
		at = lo
		err = l.body(l.tasks, lo, hi, &at)
	}
	switch {
	case err == nil:
	case causedBy(err, l.caller):
		l.cut.Store(true)
		err = nil
	default:
		// This may be a mere echo of another worker's error. Then that one has
		// cancelled l.tasks, and errgroup does so only after keeping the error.
		err = &Error{Index: at, Err: err, reported: true}
	}
	returned = true
	return err
}

// claim takes the next range of indices; it is empty if there are none left.
// This is guided self-scheduling (Polychronopoulos and Kuck, 1987): one
// compare-and-swap a range, ranges in proportion to what is left.
func (l *loop) claim() (lo, hi int) {
	for {
		next := l.next.Load()
		rest := l.n - int(next)
		if rest <= 0 {
			return l.n, l.n
		}
		size := l.grain
		if size == 0 {
			size = min(max(rest/l.workers/rangesPerWorker, 1), maxRange)
		}
		size = min(size, rest)
		if l.next.CompareAndSwap(next, next+int64(size)) {
			return int(next), int(next) + size
		}
	}
}
