package parallel

import (
	"context"
	"runtime"
	"sync/atomic"
)

type (
	workersKey struct{} // of what WithWorkers sets
	budgetKey  struct{} // of the *budget of the call around
)

// WithWorkers returns a context under which n is the number of workers of every
// call whose Options leave it open, counted as [Options].Workers is; 0 takes the
// default back. It is joblib's parallel_config for all that is called below.
// Calls inside calls share the workers of the outermost nevertheless. A nil
// ctx stays nil, which the calls report.
func WithWorkers(ctx context.Context, n int) context.Context {
	if ctx == nil {
		return nil
	}
	return context.WithValue(ctx, workersKey{}, n)
}

// countWorkers returns how many workers n stands for, at least 1. Inside another
// call, whose budget is not nil, the default is that call's number.
func countWorkers(ctx context.Context, n int, around *budget) int {
	if n == 0 {
		n, _ = ctx.Value(workersKey{}).(int)
	}
	if n > 0 {
		return n
	}
	if n == 0 && around != nil {
		return around.places
	}
	all := runtime.GOMAXPROCS(0)
	if n == 0 {
		return all
	}
	return max(all+1+n, 1)
}

// A budget is the workers that an outermost call and all calls made by its
// items share: there are as many as that call has workers.
//
// A worker holds one place for as long as it runs. A call inside an item runs in
// that item's goroutine, whose place it has already, and takes others only if
// they are free at the moment. Nobody ever waits for a place, so nested calls
// cannot wait for each other in a circle.
type budget struct {
	places int
	free   atomic.Int64
}

func newBudget(places int) *budget {
	b := &budget{places: places}
	b.free.Store(int64(places))
	return b
}

// budgetOf returns the budget of the call around, nil if ctx is not of one of its
// items.
func budgetOf(ctx context.Context) *budget {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	return b
}

// take takes a free place and reports whether there was one.
func (b *budget) take() bool {
	for {
		free := b.free.Load()
		if free <= 0 {
			return false
		}
		if b.free.CompareAndSwap(free, free-1) {
			return true
		}
	}
}

func (b *budget) give() { b.free.Add(1) }
