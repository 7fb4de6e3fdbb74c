package parallel

import (
	"context"
	"time"
)

// Options tunes a parallel call. A nil *Options and the zero value both mean
// the defaults. Options is only read, so one value may serve any number of
// calls at once. A negative count or duration is an error that matches
// [ErrInvalid], but for Workers, where it counts from the end.
type Options struct {
	// Workers is the number of goroutines that run items, counted as joblib
	// counts n_jobs:
	//
	//	 0  what [WithWorkers] has set, or else all CPUs
	//	 n  n of them
	//	-1  all CPUs
	//	-2  all but one of those, -3 all but two, and so on, at least one
	//
	// All CPUs are runtime.GOMAXPROCS(0): those that this process may use, by
	// its affinity and the quota of its cgroup. A call never starts more
	// goroutines than it has ranges of items to run, and one that is made
	// inside another shares that one's workers; see the package comment.
	Workers int

	// Grain is the number of consecutive items a worker takes at a time.
	//
	// 0, the default, measures: a worker begins with one item and takes as
	// many as last a millisecond (20 µs in a stream), fewer towards the end
	// of a slice, where it goes down to one. Set 1 if items are few and very
	// uneven; set more if even the last ones should go together. In Reduce the
	// grain also decides which items are folded together, and so the bits of
	// a floating-point result; there 0 depends on the number of items alone
	// and nothing is measured. Where a matrix is cut into blocks it is the
	// number of rows of a block.
	Grain int

	// Window is the most items of a stream, or of a sequence given to another
	// function, that are in work at a time: taken from the source, with their
	// results not yet consumed. The item that the loop over the results is
	// looking at is one of them.
	//
	// 0, the default, is two for each worker, and where items take less than
	// 20 µs as many as two batches of 20 µs for each worker, at most 1024 for
	// each. Reduce counts grains of items. Slices have no window but in Stream.
	Window int

	// Unordered has Stream yield results as they are completed. By default they
	// come in input order, and a slow item holds back those behind it.
	Unordered bool

	// CollectErrors has a call run all items in spite of errors and panics. Its
	// error is then all of them, each an [*Error], joined in the order of
	// their indices by errors.Join, and the results of the other items are kept:
	// Map returns them beside the error, with zero values between. Stream yields
	// each error in the place of its result. Reductions have no result without
	// all of their items; they stop at the first error nevertheless.
	CollectErrors bool

	// Timeout is how long an item may take, if it is positive. The context of
	// the function ends then, and what it returns counts; one that does not
	// look at its context is not interrupted. An item is what the function is
	// called with: a range in ForRange, a block where there are blocks. The fold
	// and merge of Reduce have no context, and so no timeout.
	Timeout time.Duration

	// Progress, if it is not nil, is told how far the call is: at most once in
	// each ProgressInterval, never twice at once, and in the end. It is called
	// from the goroutines that run items and should return soon. A panic in
	// it is one of the item that it follows.
	Progress func(Progress)

	// ProgressInterval is the least time between two calls of Progress but
	// the last one; 0 means 100 ms.
	ProgressInterval time.Duration

	// Executor runs the functions that [RegisterMap] and [RegisterReduce] have
	// registered, in other processes. nil is this process; every other function runs
	// here whatever it is.
	Executor Executor
}

// settings are the options of one call, checked and made definite.
type settings struct {
	workers   int // at least 1
	grain     int // 0: automatic
	window    int // 0: automatic
	unordered bool
	collect   bool
	timeout   time.Duration
	meter     *meter // nil: nobody is told

	budget    *budget
	inherited bool // the budget is that of a call around this one
}

// resolve checks what every entry point checks before any work, even when there
// is none, so that a mistake shows on the first run.
func (o *Options) resolve(ctx context.Context, nilFunc bool) (settings, error) {
	if ctx == nil {
		return settings{}, invalid("the context is nil; pass context.Background()")
	}
	if nilFunc {
		return settings{}, invalid("the function is nil; pass the function to run")
	}
	if o == nil {
		o = &Options{}
	}
	switch {
	case o.Grain < 0:
		return settings{}, invalid("Options.Grain is %d; use 0 for automatic or the number of items to take at a time", o.Grain)
	case o.Window < 0:
		return settings{}, invalid("Options.Window is %d; use 0 for automatic or the number of items in work", o.Window)
	case o.Timeout < 0:
		return settings{}, invalid("Options.Timeout is %v; use 0 for none", o.Timeout)
	case o.ProgressInterval < 0:
		return settings{}, invalid("Options.ProgressInterval is %v; use 0 for the default", o.ProgressInterval)
	}
	around := budgetOf(ctx)
	s := settings{
		workers: countWorkers(ctx, o.Workers, around), grain: o.Grain, window: o.Window,
		unordered: o.Unordered, collect: o.CollectErrors, timeout: o.Timeout,
		meter:  newMeter(o.Progress, o.ProgressInterval),
		budget: around, inherited: around != nil,
	}
	if !s.inherited {
		s.budget = newBudget(s.workers)
	}
	return s, nil
}

// context returns ctx with the budget that calls made under it share.
func (s *settings) context(ctx context.Context) context.Context {
	if s.inherited {
		return ctx
	}
	return context.WithValue(ctx, budgetKey{}, s.budget)
}

// limited returns f with the timeout of an item.
func limited[X, Y any](timeout time.Duration, f func(context.Context, X) (Y, error)) func(context.Context, X) (Y, error) {
	if timeout == 0 {
		return f
	}
	return func(ctx context.Context, x X) (Y, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return f(ctx, x)
	}
}

// within calls f with the timeout of an item.
func (s *settings) within(ctx context.Context, f func(context.Context) error) error {
	if s.timeout == 0 {
		return f(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return f(ctx)
}
