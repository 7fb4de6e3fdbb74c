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
	t := table{title: "The statistics, rewritten by each process every 10 s", simulated: true, rows: [][]string{{"processes", "writes a second", "lost, in an object store without locks", "without the lock, in a folder with locks"}}}
	for _, n := range []int{10, 100, 1000, 10_000} {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		t.rows = append(t.rows, []string{grouped(int64(n)), short(float64(n) / statisticsEvery), percent(lost(n, rounds, r)), percent(impatient(n, rounds, r))})
	}
	return t
}

const (
	statisticsEvery = 10.   // seconds
	patience        = 0.2   // seconds, in memo/shared.go
	rewriteTime     = 0.005 // seconds to read, write and rename a small file on a network file system
)

// moments are when so many processes begin to rewrite the file, in order.
func moments(processes, rounds int, r *rand.Rand) []float64 {
	all := make([]float64, 0, processes*rounds)
	for range processes {
		at := r.Float64() * statisticsEvery
		for range rounds {
			all = append(all, at)
			at += statisticsEvery * (0.9 + 0.2*r.Float64())
		}
	}
	slices.Sort(all)
	return all
}

// lost is the share of rewritings that another one undoes, which had read before they were
// written, and wrote after.
func lost(processes, rounds int, r *rand.Rand) float64 {
	type rewriting struct{ read, written float64 }
	var all []rewriting
	for _, at := range moments(processes, rounds, r) {
		read := at + readTime.Seconds()*(0.5+r.Float64())
		all = append(all, rewriting{read, read + writeTime.Seconds()*(0.5+r.Float64())})
	}
	slices.SortFunc(all, func(a, b rewriting) int { return cmp.Compare(a.written, b.written) })
	undone, earliest := 0, math.Inf(1)
	for _, one := range slices.Backward(all) {
		if earliest < one.written { // somebody who writes later had read before
			undone++
		}
		earliest = min(earliest, one.read)
	}
	return float64(undone) / float64(len(all))
}

// impatient is the share of rewritings that do not get the lock in time, and go on
// without.
func impatient(processes, rounds int, r *rand.Rand) float64 {
	lock := server{each: rewriteTime}
	all := moments(processes, rounds, r)
	without := 0
	for _, at := range all {
		if lock.free-at > patience {
			without++
			continue
		}
		lock.take(at)
	}
	return float64(without) / float64(len(all))
}

func ledgerTable() table {
	t := table{title: "What the ledger may not know of yet, where each process tells each hundredth of a limit", rows: [][]string{{"processes", "times the limit"}}}
	for _, n := range []float64{1, 10, 100, 1000, 10_000} {
		t.rows = append(t.rows, []string{grouped(int64(n)), short(n / 100)})
	}
	return t
}

func waiterTable() table {
	t := table{title: "Processes that wait for one key", rows: [][]string{{"processes", "looks at the lock a second, in a folder", "computations, in an object store without locks"}}}
	const poll, calls = 0.020, 2 // memo/internal/store: maxPoll, and a look at the lock and one at its pulse
	for _, n := range []float64{10, 100, 1000, 10_000} {
		t.rows = append(t.rows, []string{grouped(int64(n)), short((n - 1) * calls / poll), grouped(int64(n))})
	}
	return t
}
