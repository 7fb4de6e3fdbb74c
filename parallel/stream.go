package parallel

import (
	"context"
	"iter"
)

// Stream calls f on every item of xs, a slice or a sequence of any length, and
// returns the results as a sequence, to be consumed as they come:
//
//	for y, err := range parallel.Stream(ctx, nil, xs, f) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// Results come in the order of the items, or with Options.Unordered as they are
// completed. Nothing runs before the loop begins, and each loop runs all of it
// anew. Work goes on while the loop's body runs, but not far: at most
// [Options].Window items are taken from xs without their results having been
// consumed, so that memory stays bounded however slow the loop is and however
// long xs. With one worker an item is taken when the loop asks for its result,
// and all runs in the loop's goroutine.
//
// When the loop ends, by break, return or a panic too, the context of the running
// items is cancelled, and the loop is left once they have returned, with all
// goroutines and xs itself.
//
// The first item to fail ends the sequence with its [*Error], after the results
// of all items before it, which are what a serial loop would give. If results are
// unordered, the error comes after those that were completed before it. With
// Options.CollectErrors an error takes the place of its result, and the sequence
// goes on. The end of ctx, as soon as the running items have returned, an error of
// xs, and invalid arguments are the last pair of the sequence. An error always
// comes with Y's zero value.
//
// A Stream is a [Source] itself, so that one can feed another. Each has its own
// workers and its own window then.
func Stream[X, Y any, S Source[X]](ctx context.Context, o *Options, xs S, f func(context.Context, X) (Y, error)) iter.Seq2[Y, error] {
	return func(yield func(Y, error) bool) {
		var none Y
		s, err := o.resolve(ctx, f == nil)
		if err != nil {
			yield(none, err)
			return
		}
		if items, ok := sliceOf[X](xs); ok {
			s.meter.expect(len(items))
			s.workers = max(min(s.workers, len(items)), 1)
		}
		left := false
		err = runFlow(ctx, s, sequenceOf[X](xs), itemwise(limited(s.timeout, f)), func(y Y, e *Error) bool {
			if e != nil {
				left = !yield(none, e) || !s.collect
			} else {
				left = !yield(y, nil)
			}
			return !left
		})
		if err != nil && !left {
			yield(none, err)
		}
	}
}
