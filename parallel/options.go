package parallel

import (
	"context"
	"runtime"
)

// Options tunes a parallel call. A nil *Options and the zero value both mean
// the defaults. Options is only read, so one value may serve any number of
// calls at once.
type Options struct {
	// Workers is the number of goroutines that run items, counted as joblib
	// counts n_jobs:
	//
	//	 0  runtime.GOMAXPROCS(0), the default
	//	 n  n of them
	//	-1  runtime.GOMAXPROCS(0)
	//	-2  all but one of those, -3 all but two, and so on, at least one
	//
	// A call never starts more goroutines than it has ranges of items to run.
	Workers int

	// Grain is the number of consecutive items a worker takes at a time.
	//
	// 0, the default, takes a fraction of what is left: many items at first,
	// single items at the end. Set 1 if items are few and very uneven; set
	// more if items are so short that even the last ones should go together.
	// In Reduce the grain also decides which items are folded together, and
	// so the bits of a floating-point result. In ForEachBlock it is the number
	// of rows of a block. A negative Grain is an error.
	Grain int
}

// resolve returns the number of workers, at least 1, and the checked grain.
func (o *Options) resolve() (workers, grain int, err error) {
	if o == nil {
		o = &Options{}
	}
	if o.Grain < 0 {
		return 0, 0, invalid("Options.Grain is %d; use 0 for automatic or the number of items to take at a time", o.Grain)
	}
	workers = o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
		if o.Workers < 0 {
			workers = max(workers+1+o.Workers, 1)
		}
	}
	return workers, o.Grain, nil
}

// checkCall rejects what every entry point rejects, before any work and even
// when there is none, so that the mistake shows on the first run.
func checkCall(ctx context.Context, nilFunc bool) error {
	if ctx == nil {
		return invalid("the context is nil; pass context.Background()")
	}
	if nilFunc {
		return invalid("the function is nil; pass the function to run")
	}
	return nil
}
