package main

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/numcache/numcache/array"
)

// digest hashes an array; the limit is to read it.
func (b *memoBench) digest(size int) (part, error) {
	times, xs := b.times(size), vector(size)
	src, err := array.Of(xs)
	if err != nil {
		return part{}, err
	}
	return b.part("digest", "the digest of an array", size, times, []contestant{
		repeated("array.Hash", times, func(ctx context.Context) error {
			_, err := array.Hash(ctx, src)
			return err
		}),
		repeated("reading it, a goroutine each CPU", times, func(context.Context) error {
			if b.small(size) {
				sink.Add(readWords(xs))
				return nil
			}
			return twoGoroutines(len(xs), func(lo, hi int) { sink.Add(readWords(xs[lo:hi])) })
		}),
		b.peer.does("joblib.hash", "hash", size, times),
	}), nil
}

// sink keeps the compiler from leaving out what has no other use.
var sink atomic.Uint64

// readWords does as little with each element as can be done.
func readWords(xs []float64) (sum uint64) {
	var a, b, c, d uint64
	for ; len(xs) >= 8; xs = xs[8:] {
		a ^= math.Float64bits(xs[0]) ^ math.Float64bits(xs[4])
		b ^= math.Float64bits(xs[1]) ^ math.Float64bits(xs[5])
		c ^= math.Float64bits(xs[2]) ^ math.Float64bits(xs[6])
		d ^= math.Float64bits(xs[3]) ^ math.Float64bits(xs[7])
	}
	return a ^ b ^ c ^ d
}
