package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// missUnsynced is a call of a function that takes no time, which is stored as joblib
// does, without a sync. The limit is to write the same files.
func missUnsynced(_ context.Context, b *bench, size int) (work, error) {
	times := b.times(size)
	call, files, err := b.missing(size, times, memo.SyncNone)
	if err != nil {
		return work{}, err
	}
	raw, err := b.writing(writeRename, files, times)
	return b.work(size, times, call, raw,
		b.peers.python(memoryJoblib, "miss", size, times), b.peers.diskcache("diskcache_miss", size, times)), err
}

// missSynced is one that a power cut does not lose.
func missSynced(_ context.Context, b *bench, size int) (work, error) {
	times := max(b.times(size)/10, 1)
	call, files, err := b.missing(size, times, memo.SyncFull)
	if err != nil {
		return work{}, err
	}
	raw, err := b.writing(syncRename, files, times)
	return b.work(size, times, call, raw), err
}

// missing is the contestant that misses, with what the files of an entry hold.
func (b *bench) missing(size, times int, sync memo.Sync) (*contestant, [][]byte, error) {
	c, f, err := b.identity(memo.Options{Sync: sync})
	if err != nil {
		return nil, nil, err
	}
	xs := slices.Clone(b.vector(size))
	f.Call(xs)
	names, err := entryFiles(c)
	if err != nil {
		return nil, nil, err
	}
	var files [][]byte
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, content)
	}
	call := func() []float64 {
		xs[0] = float64(b.number.Add(1))
		return f.Call(xs)
	}
	k := timed(memoFunc, ours, times, func(context.Context) error {
		call()
		return nil
	}).then(func() error {
		if s := c.Stats(); s.Hits > 0 || s.Faults > 0 {
			return fmt.Errorf("it was no miss: %+v", s)
		}
		return nil
	}).saying(says(func() string { return fmt.Sprintf("its argument: %t", slices.Equal(call(), xs)) }))
	return &k, files, nil
}

// store puts a large result on disk, digest and sync included.
func store(_ context.Context, b *bench, size int) (work, error) {
	c, err := b.open(memo.Options{Sync: memo.SyncFull})
	if err != nil {
		return work{}, err
	}
	xs := slices.Clone(b.vector(size))
	f, err := memo.Func(c, memo.Spec{Name: "made"}, func(n int) []float64 {
		xs[0] = float64(n)
		return xs
	})
	if err != nil {
		return work{}, err
	}
	last := 0
	call := timed(memoFunc, ours, 1, func(context.Context) error {
		last = int(b.number.Add(1))
		f.Call(last)
		return nil
	}).then(func() error {
		if s := c.Stats(); s.Faults > 0 || s.Hits > 0 {
			return fmt.Errorf("it was not stored: %+v", s)
		}
		return f.Forget(last)
	})
	var content bytes.Buffer // of the same elements: zeros that were never touched are all one page
	if err := npy.Write(&content, xs); err != nil {
		return work{}, err
	}
	raw, err := b.writing(syncRename, [][]byte{content.Bytes()}, 1)
	return b.work(size, 1, &call, raw), err
}
