package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/numcache/numcache/npy"
)

// read reads a .npy file; the limit is to copy it to memory that is there.
func read(_ context.Context, b *bench, size int) (work, error) {
	name, times := filepath.Join(b.dir, "read.npy"), b.times(size)
	if err := npy.WriteFile(name, b.vector(size)); err != nil {
		return work{}, err
	}
	call := timed("npy.ReadFile", ours, times, func(context.Context) error {
		_, err := npy.ReadFile(name)
		return err
	}).saying(func(context.Context) (string, error) {
		xs, err := npy.ReadFloat64s(name)
		return sumOf(xs), err
	})
	buf := make([]byte, size+128)
	raw := timed("reading the file, all cores", limit, times, func(context.Context) error {
		return readingFiles([]string{name}, buf)
	})
	return b.work(size, times, &call, &raw, b.peers.python("np.load", "load", size, times)), nil
}

// write writes a .npy file, and does not sync it; the limit is to write its bytes.
func write(_ context.Context, b *bench, size int) (work, error) {
	name, xs, times := filepath.Join(b.dir, "write.npy"), b.vector(size), b.times(size)
	call := timed("npy.Write", ours, times, func(context.Context) error { return writeNpy(name, xs) }).
		saying(func(context.Context) (string, error) {
			if err := writeNpy(name, xs); err != nil {
				return "", err
			}
			content, err := os.ReadFile(name)
			return fmt.Sprint(crc32.ChecksumIEEE(content)), err
		})
	rawName, content := filepath.Join(b.dir, "raw"), make([]byte, size+128)
	raw := timed("write", limit, times, func(context.Context) error { return os.WriteFile(rawName, content, 0o600) })
	return b.work(size, times, &call, &raw, b.peers.python("np.save", "save", size, times)), nil
}

// writeNpy writes as np.save does: in place, and without a sync.
func writeNpy(name string, xs []float64) error {
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
