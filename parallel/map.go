package parallel

import (
	"context"
	"iter"
)

// Map calls f on every item of xs, a slice or a sequence, and returns the results
// in the order of xs, as many as there are items and never nil. On error the
// results are nil, but for those that Options.CollectErrors keeps.
//
// The first f to return an error or to panic stops the call: the context of the
// others is cancelled, no further item begins, and Map returns an [*Error] with
// the item's index. If ctx ends first, Map returns its error as soon as the
// running items have returned. A nil ctx, a nil f and negative Options are
// errors that match [ErrInvalid].
//
// f is called from several goroutines at once. Map reads xs until it returns and
// keeps no reference to it; the results belong to the caller. Of the items of a
// sequence no more than Options.Window are held at a time, but all results are:
// use [Stream] if they are too many for memory.
func Map[X, Y any, S Source[X]](ctx context.Context, o *Options, xs S, f func(context.Context, X) (Y, error)) ([]Y, error) {
	s, err := o.resolve(ctx, f == nil)
	if err != nil {
		return nil, err
	}
	f = limited(s.timeout, f)
	items, ok := sliceOf[X](xs)
	if !ok {
		return mapSequence(ctx, s, sequenceOf[X](xs), f)
	}
	ys := make([]Y, len(items))
	kept, err := s.run(ctx, len(items), inItems, func(ctx context.Context, lo, hi int, at *int) error {
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			*at = i
			y, err := f(ctx, items[i])
			if err != nil {
				return err
			}
			ys[i] = y
		}
		return nil
	})
	if !kept {
		return nil, err
	}
	return ys, err
}

// ForEach calls f on every item of xs. It is [Map] for functions without a
// result: errors, cancellation and concurrency are the same, and of a sequence
// of any length it holds no more than Options.Window items.
func ForEach[X any, S Source[X]](ctx context.Context, o *Options, xs S, f func(context.Context, X) error) error {
	s, err := o.resolve(ctx, f == nil)
	if err != nil {
		return err
	}
	if s.timeout > 0 {
		unlimited := f
		f = func(ctx context.Context, x X) error {
			return s.within(ctx, func(ctx context.Context) error { return unlimited(ctx, x) })
		}
	}
	items, ok := sliceOf[X](xs)
	if !ok {
		return forEachOf(ctx, s, sequenceOf[X](xs), f)
	}
	_, err = s.run(ctx, len(items), inItems, func(ctx context.Context, lo, hi int, at *int) error {
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			*at = i
			if err := f(ctx, items[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// mapSequence is Map of a sequence.
func mapSequence[X, Y any](ctx context.Context, s settings, xs iter.Seq2[X, error], f func(context.Context, X) (Y, error)) ([]Y, error) {
	s.unordered = false
	ys, errs := []Y{}, []*Error(nil)
	err := runFlow(ctx, s, xs, itemwise(f), func(y Y, e *Error) bool {
		ys = append(ys, y)
		if e != nil {
			errs = append(errs, e)
		}
		return true
	})
	kept, err := s.whole(err, errs)
	if !kept {
		return nil, err
	}
	return ys, err
}

// forEachOf is ForEach of a sequence.
func forEachOf[X any](ctx context.Context, s settings, xs iter.Seq2[X, error], f func(context.Context, X) error) error {
	type nothing = struct{}
	s.unordered = true
	var errs []*Error
	err := runFlow(ctx, s, xs, func(ctx context.Context, _ *int, x X) (nothing, error) { return nothing{}, f(ctx, x) },
		func(_ nothing, e *Error) bool {
			if e != nil {
				errs = append(errs, e)
			}
			return true
		})
	_, err = s.whole(err, errs)
	return err
}

// whole returns the error of a call over a sequence: err ended it, if that is not
// nil, and errs are of items. The results are kept as those of settings.run.
func (s settings) whole(err error, errs []*Error) (kept bool, _ error) {
	if len(errs) > 0 && !s.collect {
		return false, errs[0]
	}
	return err == nil, joined(err, errs)
}
