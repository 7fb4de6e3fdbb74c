package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/numcache/numcache/npy"
)

// read and write are those of a .npy file.
func (b *memoBench) read(size int) (part, error) {
	if b.small(size) {
		return part{}, nil
	}
	name, times := filepath.Join(b.dir, "read.npy"), b.times(size)
	if err := npy.WriteFile(name, vector(size)); err != nil {
		return part{}, err
	}
	return b.part("read", "reading a .npy file", size, times, []contestant{
		repeated("npy.ReadFile", times, func(context.Context) error {
			_, err := npy.ReadFile(name)
			return err
		}),
		b.peer.does("np.load", "load", size, times),
	}), nil
}

func (b *memoBench) write(size int) (part, error) {
	if b.small(size) {
		return part{}, nil
	}
	name, xs, times := filepath.Join(b.dir, "write.npy"), vector(size), b.times(size)
	return b.part("write", "writing a .npy file, not synced", size, times, []contestant{
		repeated("npy.Create", times, func(context.Context) error { return writeFile(name, xs) }),
		b.peer.does("np.save", "save", size, times),
	}), nil
}

// writeFile writes as np.save does: in place, and without a sync.
func writeFile(name string, xs []float64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = npy.Write(f, xs)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
