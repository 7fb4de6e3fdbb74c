package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// hit is a call from the folder: the argument is hashed, the result verified and copied
// out. The limit is to read the argument and the files.
func hit(_ context.Context, b *bench, size int) (work, error) {
	c, f, err := b.identity(memo.Options{})
	if err != nil {
		return work{}, err
	}
	xs, times := b.vector(size), b.times(size)
	f.Call(xs)
	files, err := entryFiles(c)
	if err != nil {
		return work{}, err
	}
	misses := c.Stats().Misses
	call := timed(memoFunc, ours, times, func(context.Context) error {
		f.Call(xs)
		return nil
	}).then(func() error {
		if s := c.Stats(); s.Misses != misses {
			return fmt.Errorf("it was no hit: %+v", s)
		}
		return nil
	}).saying(says(func() string { return sumOf(f.Call(xs)) }))
	if size == b.sizes[small] {
		return b.work(size, times, &call, b.opening(files, times),
			b.peers.python(memoryJoblib, "hit", size, times), b.peers.diskcache("diskcache_hit", size, times)), nil
	}
	buf := make([]byte, size+128)
	raw := timed("reading argument and files, all cores", limit, times, func(ctx context.Context) error {
		onAllCores(len(xs), func(lo, hi int) { sink.Add(readWords(xs[lo:hi])) })
		return readingFiles(files, buf)
	})
	return b.work(size, times, &call, &raw, b.peers.python(memoryJoblib, "hit", size, times)), nil
}

// mapped is a hit whose result is mapped and not copied. The limit is to read the argument.
func mapped(_ context.Context, b *bench, size int) (work, error) {
	_, f, err := b.identity(memo.Options{})
	if err != nil {
		return work{}, err
	}
	xs, times := b.vector(size), b.times(size)
	f.Call(xs)
	with := func(ctx context.Context, use func([]float64)) error {
		ref, err := f.Shelve(ctx, xs)
		if err != nil {
			return err
		}
		file, err := ref.Open(ctx, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		m, err := file.Map(npy.ReadOnly)
		if err != nil {
			return err
		}
		if use != nil {
			v, err := m.VecDense()
			if err != nil {
				m.Close()
				return err
			}
			use(v.RawVector().Data)
		}
		return m.Close()
	}
	call := timed("Shelve, Ref.Open, Map", ours, times, func(ctx context.Context) error { return with(ctx, nil) }).
		saying(func(ctx context.Context) (answer string, err error) {
			err = with(ctx, func(values []float64) { answer = sumOf(values) })
			return answer, err
		})
	return b.work(size, times, &call, b.reading(xs), b.peers.python("joblib, mmap_mode='r'", "mapped", size, times)), nil
}

// memoryScalar is a hit in memory with a number as the argument.
func memoryScalar(_ context.Context, b *bench, _ int) (work, error) {
	c, err := b.open(memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		return work{}, err
	}
	f, err := memo.Func(c, memo.Spec{Name: "scalar"}, func(n int) float64 { return float64(n) })
	if err != nil {
		return work{}, err
	}
	times := 100 * b.times(1)
	compute := func(context.Context) (float64, error) { return 7, nil }
	do := func(ctx context.Context) (float64, error) {
		return memo.Do(ctx, c, memo.NewKey("scalar", "do").Add(7), compute)
	}
	explicit := timed(memoDo, ours, times, func(ctx context.Context) error {
		_, err := do(ctx)
		return err
	}).saying(func(ctx context.Context) (string, error) {
		v, err := do(ctx)
		return fmt.Sprint(v), err
	})
	call := timed(memoFunc, ours, times, func(context.Context) error {
		f.Call(7)
		return nil
	}).saying(says(func() string { return fmt.Sprint(f.Call(7)) }))
	return b.work(0, times, &explicit, &call, b.peers.python(lruCache, "lru", 0, times)), nil
}

// memoryArray is a hit in memory with an array as argument and result. joblib has it on
// disk; lru_cache takes no arrays, but their bytes.
func memoryArray(_ context.Context, b *bench, size int) (work, error) {
	_, f, err := b.identity(memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		return work{}, err
	}
	xs, times := b.vector(size), 10*b.times(size)
	call := timed(memoFunc, ours, times, func(context.Context) error {
		f.Call(xs)
		return nil
	}).saying(says(func() string { return sumOf(f.Call(slices.Clone(xs))) }))
	return b.work(size, times, &call, b.peers.some(memoryJoblib, "hit", size, times, 10),
		b.peers.python("lru_cache, x.tobytes()", "lru_bytes", size, times)), nil
}
