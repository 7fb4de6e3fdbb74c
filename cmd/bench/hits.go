package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// identity returns an empty cache, and a function with it that returns its argument.
func (b *memoBench) identity(o memo.Options) (*memo.Cache, *memo.Function[func([]float64) []float64], error) {
	c, err := b.open(o)
	if err != nil {
		return nil, nil, err
	}
	f, err := memo.Func(c, memo.Spec{Name: "identity"}, func(x []float64) []float64 { return x })
	return c, f, err
}

// hit is a call from the folder: the argument is hashed, the result verified and copied
// out. The limit is to read its two files.
func (b *memoBench) hit(size int) (part, error) {
	c, f, err := b.identity(memo.Options{})
	if err != nil {
		return part{}, err
	}
	xs, times := vector(size), b.times(size)
	f.Call(xs)
	var files []string
	for _, folder := range []string{"calls", "objects"} {
		err := filepath.WalkDir(filepath.Join(c.Dir(), folder), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return part{}, err
		}
	}
	before := c.Stats().Misses
	return b.part("hit", "a hit on disk, argument and result", size, times, []contestant{
		repeated("memo.Func", times, func(context.Context) error {
			f.Call(xs)
			if s := c.Stats(); s.Misses != before {
				return fmt.Errorf("it was no hit: %+v", s)
			}
			return nil
		}),
		repeated("open and read of the same files", times, func(context.Context) error {
			for _, name := range files {
				if _, err := os.ReadFile(name); err != nil {
					return err
				}
			}
			return nil
		}),
		b.peer.does("joblib.Memory", "hit", size, times),
	}), nil
}

// mapped is a hit of which the result is mapped and not copied.
func (b *memoBench) mapped(size int) (part, error) {
	if b.small(size) {
		return part{}, nil
	}
	_, f, err := b.identity(memo.Options{})
	if err != nil {
		return part{}, err
	}
	xs, times := vector(size), b.times(size)
	f.Call(xs)
	return b.part("mapped", "a hit whose result is mapped, argument and result", size, times, []contestant{
		repeated("Shelve and Ref.Open", times, func(ctx context.Context) error {
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
			return m.Close()
		}),
		b.peer.does("joblib.Memory, mmap_mode='r'", "mapped", size, times),
	}), nil
}

// tier is a hit in memory.
func (b *memoBench) tier(size int) (part, error) {
	if !b.small(size) {
		return part{}, nil
	}
	c, same, err := b.identity(memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		return part{}, err
	}
	scalar, err := memo.Func(c, memo.Spec{Name: "scalar"}, func(n int) float64 { return float64(n) })
	if err != nil {
		return part{}, err
	}
	xs, times := vector(size), 100*b.times(size)
	ctx := context.Background()
	do := func(context.Context) error {
		_, err := memo.Do(ctx, c, memo.NewKey("scalar", "do").Add(7), func(context.Context) (float64, error) { return 7, nil })
		return err
	}
	return b.part("memory", "a hit in memory; a scalar, and an array where it is said", size, times, []contestant{
		repeated("memo.Func", times, func(context.Context) error { scalar.Call(7); return nil }),
		repeated("memo.Do", times, do),
		repeated("memo.Func, an array", times, func(context.Context) error { same.Call(xs); return nil }),
		b.peer.does("functools.lru_cache", "lru", size, times),
		b.peer.slow("joblib.Memory, an array, on disk", "hit", size, times, 100),
	}), nil
}
