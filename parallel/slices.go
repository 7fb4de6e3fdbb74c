package parallel

import "context"

// Map calls f on every item of xs and returns the results in the order of xs,
// always len(xs) of them and never nil. On error the results are nil.
//
// The first f to return an error or to panic stops the call: the context of the
// others is cancelled, no further item begins, and Map returns an [*Error] with
// the item's index. If ctx ends first, Map returns its error as soon as the
// running items have returned. A nil ctx, a nil f and a negative Options.Grain
// are errors that match [ErrInvalid].
//
// f is called from several goroutines at once. Map reads xs until it returns and
// keeps no reference to it; the results belong to the caller.
func Map[X, Y any](ctx context.Context, o *Options, xs []X, f func(context.Context, X) (Y, error)) ([]Y, error) {
	if err := checkCall(ctx, f == nil); err != nil {
		return nil, err
	}
	workers, grain, err := o.resolve()
	if err != nil {
		return nil, err
	}
	ys := make([]Y, len(xs))
	err = run(ctx, workers, grain, len(xs), func(ctx context.Context, lo, hi int, at *int) error {
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			*at = i
			y, err := f(ctx, xs[i])
			if err != nil {
				return err
			}
			ys[i] = y
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ys, nil
}

// ForEach calls f on every item of xs. It is [Map] for functions without a
// result: errors, cancellation and concurrency are the same.
func ForEach[X any](ctx context.Context, o *Options, xs []X, f func(context.Context, X) error) error {
	if err := checkCall(ctx, f == nil); err != nil {
		return err
	}
	workers, grain, err := o.resolve()
	if err != nil {
		return err
	}
	return run(ctx, workers, grain, len(xs), func(ctx context.Context, lo, hi int, at *int) error {
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			*at = i
			if err := f(ctx, xs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
