package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// memoryLimits are the pace at which memory is read and copied.
func memoryLimits(_ context.Context, b *bench, size int) (work, error) {
	xs, ys := b.vector(size), make([]float64, size/8)
	copied := timed("copying, all cores", limit, b.times(size), func(context.Context) error {
		onAllCores(len(xs), func(lo, hi int) { copy(ys[lo:hi], xs[lo:hi]) })
		return nil
	})
	return b.work(size, b.times(size), b.reading(xs), &copied), nil
}

// reading is the limit of what looks at every element.
func (b *bench) reading(xs []float64) *contestant {
	c := timed(readAll, limit, b.times(8*len(xs)), func(context.Context) error {
		if len(xs) < 1<<14 { // goroutines would take longer
			sink.Add(readWords(xs))
			return nil
		}
		onAllCores(len(xs), func(lo, hi int) { sink.Add(readWords(xs[lo:hi])) })
		return nil
	})
	return &c
}

// filesLimits are what two small files take.
func filesLimits(_ context.Context, b *bench, size int) (work, error) {
	contents := [][]byte{make([]byte, size), make([]byte, size)}
	written, err := b.writing(syncRename, contents, b.times(size))
	if err != nil {
		return work{}, err
	}
	var names []string
	for i, content := range contents {
		names = append(names, filepath.Join(b.dir, fmt.Sprint("read", i)))
		if err := os.WriteFile(names[i], content, 0o600); err != nil {
			return work{}, err
		}
	}
	return b.work(size, b.times(size), written, b.opening(names, b.times(size))), nil
}

// fileLimits are what a large file takes.
func fileLimits(_ context.Context, b *bench, size int) (work, error) {
	written, err := b.writing(syncRename, [][]byte{make([]byte, size)}, 1)
	return b.work(size, 1, written), err
}

// writing is the limit of what is published: each file is written and renamed, and where a
// power cut is not to lose it, it and its folder are synced. Large files are removed after
// each turn, on nobody's time, as ours are: to take the place of one costs its removal.
func (b *bench) writing(name string, contents [][]byte, times int) (*contestant, error) {
	dir, err := os.MkdirTemp(b.dir, "raw")
	var large []string
	c := timed(name, limit, times, func(context.Context) error {
		n := b.number.Add(1)
		for i, content := range contents {
			file := fmt.Sprint(n, "-", i) // one that was not there, as in a cache
			if err := publish(dir, file, content, name == syncRename); err != nil {
				return err
			}
			if len(content) >= 1<<20 {
				large = append(large, filepath.Join(dir, file))
			}
		}
		return nil
	}).then(func() (err error) {
		for _, file := range large {
			err = errors.Join(err, os.Remove(file))
		}
		large = nil
		return err
	})
	return &c, err
}

func publish(dir, name string, content []byte, durable bool) error {
	temporary := filepath.Join(dir, "new")
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil && durable {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, filepath.Join(dir, name))
	}
	if err != nil || !durable {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// opening is the limit of what comes out of small files.
func (b *bench) opening(names []string, times int) *contestant {
	c := timed(openRead, limit, times, func(context.Context) error {
		for _, name := range names {
			if _, err := os.ReadFile(name); err != nil {
				return err
			}
		}
		return nil
	})
	return &c
}

// readingFiles is the limit of what comes out of large files: the cores copy them to
// memory that is there already.
func readingFiles(names []string, buf []byte) error {
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		stat, err := f.Stat()
		if err != nil {
			f.Close()
			return err
		}
		var once sync.Once
		n := min(int(stat.Size()), len(buf))
		onAllCores(n, func(lo, hi int) {
			if _, readErr := f.ReadAt(buf[lo:hi], int64(lo)); readErr != nil && readErr != io.EOF {
				once.Do(func() { err = readErr })
			}
		})
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
