package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/numcache/numcache/array"
)

// digest hashes an array; the limit is to read it.
func digest(_ context.Context, b *bench, size int) (work, error) {
	times, xs := b.times(size), b.vector(size)
	src, err := array.Of(xs)
	if err != nil {
		return work{}, err
	}
	hash := timed("array.Hash", ours, times, func(ctx context.Context) error {
		_, err := array.Hash(ctx, src)
		return err
	}).saying(func(ctx context.Context) (string, error) { return tells(ctx, xs) })
	return b.work(size, times, &hash, b.reading(xs), b.peers.python("joblib.hash", "hash", size, times)), nil
}

// tells says whether a copy has the digest of an array, and an array with another last
// element does: digests of two libraries have nothing else that can be compared.
func tells(ctx context.Context, xs []float64) (string, error) {
	digestOf := func(xs []float64) (d array.Digest, err error) {
		src, err := array.Of(xs)
		if err != nil {
			return d, err
		}
		return array.Hash(ctx, src)
	}
	x, err := digestOf(xs)
	if err != nil {
		return "", err
	}
	clone := slices.Clone(xs)
	same, err := digestOf(clone)
	if err != nil {
		return "", err
	}
	clone[len(clone)-1]++
	changed, err := digestOf(clone)
	return fmt.Sprintf("copy %t, changed %t", x == same, x == changed), err
}
