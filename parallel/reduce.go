package parallel

import (
	"context"
	"iter"
	"runtime/debug"
)

const (
	// maxGrains is the largest number of grains that Reduce cuts a slice into if
	// Options.Grain is 0. Changing it changes the bits of every floating-point
	// result. It is many times the workers of a usual machine, so that they stay
	// balanced, and still small beside the items of a slice that is worth it.
	maxGrains = 256

	// sequenceGrain is the automatic grain of a sequence, whose length is not
	// known. Changing it changes bits, too.
	sequenceGrain = 1024
)

// Reduce folds xs into one value, with the same bits for any number of workers.
//
// Floating-point addition is not associative, so the result depends on how
// the items are grouped, and Reduce fixes that. It cuts xs into grains of g
// consecutive items, folds each grain from its first item to its last,
//
//	acc := zero
//	for each x of the grain { acc = fold(acc, x) }
//
// and merges the results of neighbouring grains pair by pair, level by level,
// the left one always as a; an odd one at the end of a level moves up as it is:
//
//	0  1  2  3  4
//	 01    23   4
//	    0123    4
//	        01234
//
// g is Options.Grain if that is set. Otherwise, for a slice, it is the smallest g
// that gives at most 256 grains: ceil(len(xs)/256); and for a sequence, whose
// length is not known, 1024. It never depends on workers, GOMAXPROCS, time or the
// machine. The result has the same bits wherever fold and merge do; a fold that
// the compiler may fuse differently on another architecture (x*y + z) is not one
// of those, but float64(x*y) + z is.
//
// zero starts every grain, so it must change nothing when folded or merged: 0
// for a sum, 1 for a product. It is copied by assignment. If A holds
// references (a slice, a map, a *mat.Dense), all grains start from the same
// memory, concurrently: then let zero be nil or empty and let fold return a
// fresh value when it sees it. The accumulators that fold and merge return
// belong to Reduce; each is passed on exactly once and never used again, so
// fold may change an acc that is not zero, and merge may change a or b, and
// return it.
//
// Merges happen as soon as both sides are there, and grains are begun in order,
// so that only a few accumulators for each worker refer to memory at a time. Of a
// sequence as few grains are held: two for each worker, or Options.Window.
//
// An empty xs gives zero. A panic in fold or merge comes back as an [*Error]
// with the index of the item, or of the first item under the merge. If
// ctx ends first, Reduce returns its error after the running calls. On error the
// result is A's zero value. A nil ctx, fold or merge and negative Options are
// errors that match [ErrInvalid].
func Reduce[X, A any, S Source[X]](ctx context.Context, o *Options, xs S, zero A, fold func(acc A, x X) A, merge func(a, b A) A) (A, error) {
	var none A
	s, err := o.resolve(ctx, fold == nil || merge == nil)
	if err != nil {
		return none, err
	}
	s.collect = false
	t := newTree(merge)
	items, ok := sliceOf[X](xs)
	if !ok {
		return reduceSequence(ctx, s, sequenceOf[X](xs), zero, fold, t)
	}
	n := len(items)
	if n == 0 {
		return zero, nil
	}
	grain := s.grain
	if grain == 0 {
		grain = (n-1)/maxGrains + 1
	}
	grains := (n-1)/grain + 1
	// To the engine a grain is an item: how it bundles them is its own affair.
	s.grain = 0
	_, err = s.run(ctx, grains, inItems, func(ctx context.Context, lo, hi int, at *int) error {
		for k := lo; k < hi; k++ {
			acc, first := zero, k*grain
			for i, end := first, first+min(grain, n-first); i < end; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				*at = i
				acc = fold(acc, items[i])
			}
			t.put(k, acc, func(leaf int) { *at = leaf * grain })
		}
		return nil
	})
	if err != nil {
		return none, err
	}
	return t.result(grains, grain)
}

// reduceSequence is Reduce of a sequence: a grain is a job of the flow.
func reduceSequence[X, A any](ctx context.Context, s settings, xs iter.Seq2[X, error], zero A, fold func(A, X) A, t *tree[A]) (A, error) {
	var none A
	grain := s.grain
	if grain == 0 {
		grain = sequenceGrain
	}
	type grainOf struct {
		k  int
		xs []X
	}
	grains := 0
	cut := func(yield func(grainOf, error) bool) {
		// A sequence yields nothing after an error.
		for some, err := range chunks(xs, grain) {
			if len(some) > 0 {
				grains++
				if !yield(grainOf{grains - 1, some}, nil) {
					return
				}
			}
			if err != nil {
				yield(grainOf{}, err)
			}
		}
	}
	s.grain, s.unordered = 1, true
	var failed *Error
	err := runFlow(ctx, s, cut, func(ctx context.Context, at *int, g grainOf) (struct{}, error) {
		acc, first := zero, g.k*grain
		for i, x := range g.xs {
			if err := ctx.Err(); err != nil {
				return struct{}{}, err
			}
			*at = first + i
			acc = fold(acc, x)
		}
		t.put(g.k, acc, func(leaf int) { *at = leaf * grain })
		return struct{}{}, nil
	}, func(_ struct{}, e *Error) bool {
		failed = e
		return e == nil
	})
	switch {
	case failed != nil:
		return none, failed
	case err != nil:
		return none, err
	case grains == 0:
		return zero, nil
	}
	return t.result(grains, grain)
}

// chunks yields xs in pieces of n, the last one shorter and with the error that
// ended xs, if one did.
func chunks[X any](xs iter.Seq2[X, error], n int) iter.Seq2[[]X, error] {
	return func(yield func([]X, error) bool) {
		var some []X
		for x, err := range xs {
			if err != nil {
				yield(some, err)
				return
			}
			if some = append(some, x); len(some) == n {
				if !yield(some, nil) {
					return
				}
				some = make([]X, 0, min(n, sequenceGrain))
			}
		}
		if len(some) > 0 {
			yield(some, nil)
		}
	}
}

// MapReduce calls f on every item of xs, a slice or a sequence, and merges the
// results in the fixed tree of [Reduce], each item a grain of its own: the result
// has the same bits for any number of workers. It is for items that are large
// themselves, such as blocks of rows, and for functions that want a context or may
// fail.
//
// What f returns belongs to MapReduce, which passes it on exactly once: merge may
// change a or b, and return it. Errors, panics and cancellation are those of
// [Map], but for Options.CollectErrors, which changes nothing; the error of a
// panic in merge names the first item under it. Without any item the
// result is A's zero value, and so it is on error.
func MapReduce[X, A any, S Source[X]](ctx context.Context, o *Options, xs S, f func(context.Context, X) (A, error), merge func(a, b A) A) (A, error) {
	var none A
	s, err := o.resolve(ctx, f == nil || merge == nil)
	if err != nil {
		return none, err
	}
	s.collect = false
	f = limited(s.timeout, f)
	t := newTree(merge)
	if items, ok := sliceOf[X](xs); ok {
		_, err := s.run(ctx, len(items), inItems, func(ctx context.Context, lo, hi int, at *int) error {
			for i := lo; i < hi; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				*at = i
				acc, err := f(ctx, items[i])
				if err != nil {
					return err
				}
				t.put(i, acc, func(leaf int) { *at = leaf })
			}
			return nil
		})
		if err != nil {
			return none, err
		}
		return t.result(len(items), 1)
	}
	s.unordered = true
	n, failed := 0, (*Error)(nil)
	err = runFlow(ctx, s, sequenceOf[X](xs), func(ctx context.Context, at *int, x X) (struct{}, error) {
		leaf := *at
		acc, err := f(ctx, x)
		if err == nil {
			t.put(leaf, acc, func(leaf int) { *at = leaf })
		}
		return struct{}{}, err
	}, func(_ struct{}, e *Error) bool {
		n++
		failed = e
		return e == nil
	})
	switch {
	case failed != nil:
		return none, failed
	case err != nil:
		return none, err
	}
	return t.result(n, 1)
}

// result returns the root of a tree whose leaves have come, of grain items each. A
// panic in a merge is an error like any other.
func (t *tree[A]) result(leaves, grain int) (acc A, err error) {
	at := 0
	defer func() {
		if v := recover(); v != nil {
			var none A
			acc, err = none, &Error{Index: at, Err: &PanicError{Value: v, Stack: debug.Stack()}, reported: true}
		}
	}()
	return t.root(leaves, func(leaf int) { at = leaf * grain }), nil
}
