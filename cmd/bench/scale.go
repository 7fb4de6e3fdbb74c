package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// many is a cache with many calls, each with an array as its result.
type many struct {
	cache *memo.Cache
	call  *memo.Function[func(int) []float64]
	next  int
}

// filled returns one of so many records, which stays for the works that follow.
func (b *bench) filled(ctx context.Context, dir string, records int) (*many, error) {
	c, err := memo.Open(dir, &memo.Options{Sync: memo.SyncNone})
	if err != nil {
		return nil, err
	}
	b.closing = append(b.closing, c.Close)
	m := &many{cache: c}
	m.call, err = memo.Func(c, memo.Spec{Name: "made"}, func(n int) []float64 { return []float64{float64(n)} })
	if err != nil {
		return nil, err
	}
	have, _, err := c.Usage(ctx)
	if err != nil {
		return nil, err
	}
	if have == 0 {
		return m, m.add(ctx, records)
	}
	m.next = records
	return m, nil
}

// add makes further calls.
func (m *many) add(ctx context.Context, calls int) error {
	err := parallel.ForRange(ctx, nil, calls, func(_ context.Context, lo, hi int) error {
		for n := m.next + lo; n < m.next+hi; n++ {
			m.call.Call(n)
		}
		return nil
	})
	m.next += calls
	if s := m.cache.Stats(); s.Faults > 0 {
		return fmt.Errorf("the cache cannot be filled: %+v", s)
	}
	return err
}

// hits is the contestant that asks for some of the calls, from all over the folder, no
// more than the machine keeps in memory in each case.
func (m *many) hits(name string, role role, records, times int) *contestant {
	some := min(records, 1000)
	r := mathrand.New(mathrand.NewPCG(1, 1))
	call := func() error {
		n := r.IntN(some) * (records / some)
		if v := m.call.Call(n); len(v) != 1 || v[0] != float64(n) {
			return fmt.Errorf("the result of %d is %v", n, v)
		}
		return nil
	}
	misses := int64(-1)
	c := timed(name, role, times, func(context.Context) error { return call() }).saying(func(context.Context) (string, error) {
		for n := range some {
			m.call.Call(n * (records / some))
		}
		misses = m.cache.Stats().Misses
		return "its argument", call()
	}).then(func() error {
		if now := m.cache.Stats().Misses; now != misses {
			return fmt.Errorf("%d of the calls were no hits", now-misses)
		}
		return nil
	})
	return &c
}

// room is an error if the disk has none for the large cache and joblib's, as it was before
// either was there.
func (b *bench) room() error {
	b.looked.Do(func() {
		bytes, files, err := free(b.dir)
		// Ours has two files an entry, and joblib's a folder and two files.
		need := uint64(b.records) * 5
		if err == nil && (files < need+need/10 || bytes < 4096*(need+need/10)) {
			err = fmt.Errorf("the disk has no room for them: they take %.1f GB and %d files (-dir, -records)", 4096*1.1*float64(need)/1e9, need)
		}
		b.noRoom = err
	})
	return b.noRoom
}

// scaleHit is a hit in the large cache beside one in a cache of ten records.
func scaleHit(ctx context.Context, b *bench, _ int) (work, error) {
	if err := b.room(); err != nil {
		return b.left("hits among %d records: %v", b.records, err)
	}
	large, err := b.filled(ctx, filepath.Join(b.top, "many"), b.records)
	if err != nil {
		return work{}, err
	}
	small, err := b.filled(ctx, filepath.Join(b.dir, "few"), 10)
	if err != nil {
		return work{}, err
	}
	times := b.times(1)
	return b.work(0, times, large.hits("among many", ours, b.records, times), small.hits("among 10", peer, 10, times)), nil
}

// scaleList reads all records of the large cache, as numcache ls does. joblib looks only
// at the names and sizes of its files.
func scaleList(ctx context.Context, b *bench, _ int) (work, error) {
	if err := b.room(); err != nil {
		return b.left("listing %d records: %v", b.records, err)
	}
	large, err := b.filled(ctx, filepath.Join(b.top, "many"), b.records)
	if err != nil {
		return work{}, err
	}
	list := func(ctx context.Context) (n int, err error) {
		for _, err := range large.cache.Records(ctx) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	call := timed("Cache.Records", ours, 1, func(ctx context.Context) error {
		_, err := list(ctx)
		return err
	}).saying(func(ctx context.Context) (string, error) {
		n, err := list(ctx)
		return fmt.Sprint(n), err
	})
	if err := b.layOut(ctx, b.records); err != nil {
		return work{}, err
	}
	w := b.work(0, 1, &call, b.peers.python("joblib, get_items", "get_items", 0, 1))
	w.rounds = 3
	return w, nil
}

// scaleTrim removes a hundredth of the entries; as many come back on nobody's time.
func scaleTrim(ctx context.Context, b *bench, _ int) (work, error) {
	if err := b.room(); err != nil {
		return b.left("trimming %d records: %v", b.records, err)
	}
	folder := filepath.Join(b.top, "many")
	large, err := b.filled(ctx, folder, b.records)
	if err != nil {
		return work{}, err
	}
	if err := b.layOut(ctx, b.records); err != nil {
		return work{}, err
	}
	removed := b.records / 100
	trim := func(ctx context.Context) (memo.Trimmed, error) {
		return large.cache.Trim(ctx, memo.Limits{MaxEntries: b.records - removed}, nil)
	}
	call := timed("Cache.Trim", ours, 1, func(ctx context.Context) error {
		t, err := trim(ctx)
		if err == nil && t.LeftEntries != b.records-removed {
			err = fmt.Errorf("%+v is what it says", t)
		}
		return err
	}).saying(func(ctx context.Context) (string, error) {
		t, err := trim(ctx)
		return fmt.Sprintf("%d left", t.LeftEntries), errors.Join(err, large.add(ctx, removed))
	})
	ourTurn := call.turn
	call.turn = func(ctx context.Context) (took, error) {
		t, err := ourTurn(ctx)
		return t, errors.Join(err, large.add(ctx, removed))
	}
	reduce := b.peers.python("joblib, reduce_size", "reduce_size", removed, 1)
	if reduce != nil {
		turn, answer := reduce.turn, reduce.answer
		reduce.turn = func(ctx context.Context) (took, error) {
			t, err := turn(ctx)
			return t, errors.Join(err, b.layOut(ctx, b.records))
		}
		reduce.answer = func(ctx context.Context) (string, error) {
			said, err := answer(ctx)
			return said, errors.Join(err, b.layOut(ctx, b.records))
		}
	}
	w := b.work(0, 1, &call, reduce)
	w.rounds = 3
	return w, nil
}

// layOut lets joblib's folder have so many entries. One is made by a call, and the others
// are copies of its files: joblib takes its hours for as many calls, and looks at no more
// than names, sizes and times in what is measured here.
func (b *bench) layOut(ctx context.Context, entries int) error {
	if b.peers.py == nil {
		return nil
	}
	if _, err := b.peers.py.ask("say one_entry 1 1"); err != nil {
		return err
	}
	var function, entry string
	have := 0
	err := filepath.WalkDir(filepath.Join(b.peers.dir, "python", "many"), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if digest, notHex := hex.DecodeString(e.Name()); notHex == nil && len(digest) == 16 && e.IsDir() {
			function, entry = filepath.Dir(path), path
			have++
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil {
		return err
	}
	files, err := os.ReadDir(entry)
	if err != nil {
		return err
	}
	contents := map[string][]byte{}
	for _, f := range files {
		if contents[f.Name()], err = os.ReadFile(filepath.Join(entry, f.Name())); err != nil {
			return err
		}
	}
	return parallel.ForRange(ctx, nil, entries-have, func(_ context.Context, lo, hi int) error {
		for range hi - lo {
			var name [16]byte
			rand.Read(name[:])
			dir := filepath.Join(function, hex.EncodeToString(name[:]))
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			for name, content := range contents {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
