package parallel

import "context"

// ForRange calls f on ranges [lo, hi) that together cover [0, n), each index
// once, lo < hi. Ranges are handed out in increasing order and run concurrently;
// which ranges there are depends on n, Options, time and chance, so f must not
// let its results depend on where they are cut. If Options.Grain is set, every
// range but the last has that many indices.
//
// The first f to return an error stops the call: the context of the others is
// cancelled, no further range begins, and ForRange returns an [*Error] whose
// Index is the lo of the range. To name a later item, f returns
// &Error{Index: i, Err: err} with lo <= i < hi. A panic in f is an error too.
// With Options.CollectErrors all ranges are run, and what a range has left
// undone when it fails stays so.
//
// If ctx ends first, ForRange returns its error as soon as the running calls of
// f have returned; a range that takes long should look at its context. ForRange
// returns nil only if every range was run and gave nil. n = 0 is no work; a
// negative n, a nil ctx and a nil f are errors that match [ErrInvalid].
func ForRange(ctx context.Context, o *Options, n int, f func(ctx context.Context, lo, hi int) error) error {
	s, err := o.resolve(ctx, f == nil)
	if err != nil {
		return err
	}
	if n < 0 {
		return invalid("ForRange: n is %d; pass the number of items", n)
	}
	_, err = s.run(ctx, n, inRanges, func(ctx context.Context, lo, hi int, at *int) error {
		err := s.within(ctx, func(ctx context.Context) error { return f(ctx, lo, hi) })
		if err != nil {
			return named(err, lo, hi, at)
		}
		return nil
	})
	return err
}
