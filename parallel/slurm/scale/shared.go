package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// sharedTable is about a file that every process rewrites at times, as statistics.
func sharedTable(quick bool, seed uint64) table {
	rounds := 100
	if quick {
		rounds = 10
	}
	t := table{title: "The statistics, rewritten by each process every 10 s", simulated: true, rows: [][]string{{"processes", "writes a second", "in a folder, without its lock", "lost", "in a bucket, without its lock", "lost"}}}
	for _, n := range []int{10, 100, 1000, 10_000} {
		row := []string{grouped(int64(n)), short(float64(n) / statisticsEvery)}
		for _, where := range []rewriting{inFolder, inBucket} {
			without, lost := rewrite(n, rounds, where, rand.New(rand.NewPCG(seed, uint64(n))))
			row = append(row, percent(without), percent(lost))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

const (
	statisticsEvery = 10. // seconds
	patience        = 0.2 // seconds, in memo/shared.go
)

// rewriting says how long it takes to rewrite the file, in seconds: from the lock to when
// it was read, then until it was written, then until others can have the lock.
type rewriting struct{ read, written, unlocked float64 }

var (
	inFolder = rewriting{0.001, 0.004, 0} // on a network file system
	// In a bucket, where a lock is deleted, which takes a look and a delete.
	inBucket = rewriting{readTime.Seconds(), writeTime.Seconds(), readTime.Seconds() + writeTime.Seconds()}
)

// rewrite has processes rewrite a file. Each waits for its lock, in the order in which they
// came, and goes on without when its patience ends. It returns the share that does, and
// the share of all rewritings that another one undoes, which had read before they were
// written, and wrote after.
func rewrite(processes, rounds int, how rewriting, r *rand.Rand) (without, lost float64) {
	var moments []float64
	for range processes {
		at := r.Float64() * statisticsEvery
		for range rounds {
			moments = append(moments, at)
			at += statisticsEvery * (0.9 + 0.2*r.Float64())
		}
	}
	slices.Sort(moments)

	type span struct{ read, written float64 }
	var all []span
	lock := server{each: how.read + how.written + how.unlocked}
	unlocked := 0
	for _, at := range moments {
		begun := at + patience
		if lock.free <= begun {
			begun = lock.take(at)
		} else {
			unlocked++
		}
		// Who has the lock takes as long as it is held for, and others what they take.
		read := begun + how.read
		if begun == at+patience {
			read = begun + how.read*(0.5+r.Float64())
		}
		all = append(all, span{read, read + how.written})
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.written, b.written) })
	undone, earliest := 0, math.Inf(1)
	for _, one := range slices.Backward(all) {
		if earliest < one.written { // somebody who writes later had read before
			undone++
		}
		earliest = min(earliest, one.read)
	}
	return float64(unlocked) / float64(len(all)), float64(undone) / float64(len(all))
}

// ledgerTable is about what each process may have stored that no other knows of.
func ledgerTable() table {
	t := table{title: "What the ledger may not know of yet, where each process tells each hundredth of a limit", rows: [][]string{{"processes", "times the limit"}}}
	for _, n := range []float64{1, 10, 100, 1000, 10_000} {
		t.rows = append(t.rows, []string{grouped(int64(n)), short(n / 100)})
	}
	return t
}

// waiterTable is about those who want what another computes. Each look is two calls: in a
// folder at the lock and at its holder's pulse, in a bucket a write and a read.
func waiterTable() table {
	t := table{title: "Processes that wait for one key", rows: [][]string{{"processes", "calls a second, in a folder", "reads a second, in a bucket", "writes"}}}
	const (
		folderPoll = 0.020 // memo/internal/store: maxPoll
		bucketPoll = 0.250 // memo/blobstore/internal/bucket: maxPoll
	)
	for _, n := range []float64{10, 100, 1000, 10_000} {
		looks := (n - 1) / (bucketPoll + readTime.Seconds() + writeTime.Seconds())
		t.rows = append(t.rows, []string{grouped(int64(n)), short((n - 1) * 2 / folderPoll), short(looks), short(looks)})
	}
	return t
}
