package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/numcache/numcache/memo"
)

// miss is a call of a function that takes no time.
func (b *memoBench) miss(size int) (part, error) {
	if !b.small(size) {
		return part{}, nil
	}
	times := b.times(size)
	all := make([]contestant, 0, 4)
	for _, sync := range []struct {
		name string
		sync memo.Sync
	}{{"memo.Func, SyncNone", memo.SyncNone}, {"memo.Func, SyncFull", memo.SyncFull}} {
		c, f, err := b.identity(memo.Options{Sync: sync.sync})
		if err != nil {
			return part{}, err
		}
		xs := vector(size)
		all = append(all, repeated(sync.name, times, func(context.Context) error {
			xs[0] = float64(b.number.Add(1))
			f.Call(xs)
			if s := c.Stats(); s.Hits > 0 || s.Faults > 0 {
				return fmt.Errorf("it was no miss: %+v", s)
			}
			return nil
		}))
	}
	dir, err := os.MkdirTemp(b.dir, "raw")
	if err != nil {
		return part{}, err
	}
	object, record := make([]byte, size+128), make([]byte, 400)
	all = append(all, repeated("write, sync, rename, sync of the folder, of two files", times, func(context.Context) error {
		n := b.number.Add(1)
		for i, content := range [][]byte{object, record} {
			if err := writeDurable(dir, fmt.Sprint(n, "-", i), content); err != nil {
				return err
			}
		}
		return nil
	}), b.peer.does("joblib.Memory", "miss", size, times))
	return b.part("miss", "a miss, argument and result", size, times, all), nil
}

// writeDurable is the least that a file takes which a power cut is not to lose.
func writeDurable(dir, name string, content []byte) error {
	temporary := filepath.Join(dir, "new")
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, filepath.Join(dir, name))
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// store puts a large result on disk, digest and sync included.
func (b *memoBench) store(size int) (part, error) {
	if !b.large(size) {
		return part{}, nil
	}
	c, err := b.open(memo.Options{Sync: memo.SyncFull})
	if err != nil {
		return part{}, err
	}
	xs := vector(size)
	f, err := memo.Func(c, memo.Spec{Name: "made"}, func(n int) []float64 {
		xs[0] = float64(n)
		return xs
	})
	if err != nil {
		return part{}, err
	}
	raw := make([]byte, size+128)
	return b.part("store", "storing a result, synced", size, 1, []contestant{
		timed("memo.Func", func(context.Context) error {
			n := int(b.number.Add(1))
			f.Call(n)
			if s := c.Stats(); s.Faults > 0 {
				return fmt.Errorf("it was not stored: %+v", s)
			}
			return f.Forget(n)
		}),
		timed("write, sync, rename, sync of the folder", func(context.Context) error {
			raw[0]++
			return writeDurable(b.dir, "raw", raw)
		}),
	}), nil
}
