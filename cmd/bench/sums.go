package main

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

// sum adds up an array.
func sum(_ context.Context, b *bench, size int) (work, error) {
	xs, times := b.vector(size), b.times(size)
	call := timed("parallel.Sum", ours, times, func(ctx context.Context) error {
		_, err := parallel.Sum(ctx, nil, xs)
		return err
	}).saying(func(ctx context.Context) (string, error) {
		s, err := parallel.Sum(ctx, nil, xs)
		return rounded(s), err
	})
	return b.work(size, times, &call, b.reading(xs), b.peers.openMP("sum", len(xs), 1, times),
		b.peers.python("joblib, threading", "sum_threading", size, times)), nil
}

// gram multiplies the columns of a matrix with each other.
func gram(_ context.Context, b *bench, size int) (work, error) {
	cols := 128
	if b.quick {
		cols = 32
	}
	rows := size / 8 / cols
	m := mat.NewDense(rows, cols, b.vector(size))
	call := timed("parallel.Gram", ours, 1, func(ctx context.Context) error {
		_, err := parallel.Gram(ctx, nil, m)
		return err
	}).saying(func(ctx context.Context) (string, error) {
		g, err := parallel.Gram(ctx, nil, m)
		if err != nil {
			return "", err
		}
		return rounded(mat.Trace(g)), nil
	})
	multiply := func() float64 {
		var g mat.Dense
		g.Mul(m.T(), m)
		return mat.Trace(&g)
	}
	gonum := timed("gonum, Mul", peer, 1, func(context.Context) error {
		multiply()
		return nil
	}).saying(says(func() string { return rounded(multiply()) }))
	return b.work(size, 1, &call, &gonum, b.peers.openMP("gram", rows, cols, 1)), nil
}
