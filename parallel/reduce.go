package parallel

import (
	"context"
	"sync/atomic"
)

// maxGrains is the largest number of grains that Reduce cuts a slice into if
// Options.Grain is 0. Changing it changes the bits of every floating-point
// result. It is many times the workers of a usual machine, so that they stay
// balanced, and still small beside the items of a slice that is worth it.
const maxGrains = 256

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
// g is Options.Grain if that is set, and the smallest g that gives at most 256
// grains otherwise: ceil(len(xs)/256). It never depends on workers,
// GOMAXPROCS or the machine. The result has the same bits wherever fold and
// merge do; a fold that the compiler may fuse differently on another
// architecture (x*y + z) is not one of those.
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
// so that only a few accumulators for each worker refer to memory at a time.
//
// An empty xs gives zero. A panic in fold or merge comes back as an [*Error]
// with the index of the item, or of the first item under the merge. If
// ctx ends first, Reduce returns its error after the running calls. On error the
// result is A's zero value. A nil ctx, fold or merge and a negative
// Options.Grain are errors that match [ErrInvalid].
func Reduce[X, A any](ctx context.Context, o *Options, xs []X, zero A, fold func(acc A, x X) A, merge func(a, b A) A) (A, error) {
	var none A
	if err := checkCall(ctx, fold == nil || merge == nil); err != nil {
		return none, err
	}
	workers, grain, err := o.resolve()
	if err != nil {
		return none, err
	}
	n := len(xs)
	if n == 0 {
		return zero, nil
	}
	if grain == 0 {
		grain = (n-1)/maxGrains + 1
	}
	t := newTree(n, grain, merge)
	// To the engine a grain is an item: how it bundles them is its own affair.
	err = run(ctx, workers, 0, len(t.part), func(ctx context.Context, lo, hi int, at *int) error {
		for k := lo; k < hi; k++ {
			first := k * grain
			acc := zero
			for i, end := first, first+min(grain, n-first); i < end; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				*at = i
				acc = fold(acc, xs[i])
			}
			t.put(k, acc, at)
		}
		return nil
	})
	if err != nil {
		return none, err
	}
	return t.part[0], nil
}

// tree merges the accumulators of grains in a shape that only their number
// decides, whatever the order they come in. The worker that brings the later
// side of a pair merges it, so nobody waits and merges run in parallel.
type tree[A any] struct {
	merge func(a, b A) A
	grain int

	// part[k] is the accumulator of grain k and, as merges proceed, of the
	// run of grains that starts at k.
	part []A

	// came[k] counts the sides that have come to the pair whose right side
	// starts at grain k. Every k > 0 is the right side of exactly one pair.
	came []atomic.Int32
}

func newTree[A any](n, grain int, merge func(a, b A) A) *tree[A] {
	grains := (n-1)/grain + 1
	return &tree[A]{merge: merge, grain: grain, part: make([]A, grains), came: make([]atomic.Int32, grains)}
}

// put stores the accumulator of grain k and does all merges that only waited
// for it, keeping *at at the first item under the merge.
func (t *tree[A]) put(k int, acc A, at *int) {
	var none A
	t.part[k] = acc
	for step := 1; step < len(t.part); step *= 2 {
		left := k &^ step // k is a multiple of step
		right := left + step
		if right >= len(t.part) {
			continue
		}
		if t.came[right].Add(1) == 1 {
			return
		}
		*at = left * t.grain
		t.part[left] = t.merge(t.part[left], t.part[right])
		t.part[right] = none // let go of its memory
		k = left
	}
}
