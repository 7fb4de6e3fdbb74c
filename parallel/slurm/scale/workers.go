package main

import (
	"container/heap"
	"math/rand/v2"
)

// server does one thing after another, at a rate.
type server struct {
	free float64 // when it has done what it was given
	each float64 // seconds that one thing takes
}

// take returns when something is begun that comes at a time.
func (s *server) take(at float64) (begun float64) {
	begun = max(at, s.free)
	s.free = begun + s.each
	return begun
}

// partition is what a store keeps to one rate of reads and one of writes. What comes
// faster waits; S3 would answer "slow down", and the client ask again, which is worse.
type partition struct{ reads, writes server }

// step is a request of a task, or its computation.
type step struct {
	write, hot, computes bool
}

// agent is something that does one step after another.
type agent struct {
	at   float64 // when it does the next one
	step int
	left int // tasks to do after this one
}

type agenda []*agent

func (h agenda) Len() int           { return len(h) }
func (h agenda) Less(i, j int) bool { return h[i].at < h[j].at }
func (h agenda) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *agenda) Push(x any)        { *h = append(*h, x.(*agent)) }
func (h *agenda) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// taskRequests is a task's requests, in order, with the computation in their midst.
// With local, a node has what every task reads from its own disk, and tells what it
// counted once for many.
func taskRequests(local bool) (steps []step) {
	computed := false
	for _, s := range taskSteps {
		if s.after && !computed {
			steps, computed = append(steps, step{computes: true}), true
		}
		if s.hot && local {
			continue
		}
		r := asked(s.verb)
		for range int(r.reads()) {
			steps = append(steps, step{hot: s.hot})
		}
		for range int(r.writes()) {
			steps = append(steps, step{hot: s.hot, write: true})
		}
	}
	return steps
}

// work has workers do tasks that compute for so many seconds, each of them so many,
// against a store of so many partitions, and returns the share of their time that they
// compute. They begin at random moments within a task's time; the first half of the
// tasks is there to bring the queues to their length, and does not count.
func work(workers, rounds, partitions int, seconds float64, steps []step, r *rand.Rand) (computing float64) {
	store := make([]partition, partitions)
	for i := range store {
		store[i] = partition{server{each: 1 / readRate}, server{each: 1 / writeRate}}
	}
	all := make(agenda, workers)
	var lived float64
	for i := range all {
		all[i] = &agent{at: r.Float64() * seconds, left: rounds - 1}
	}
	heap.Init(&all)
	for len(all) > 0 {
		a := all[0]
		if a.step == len(steps) {
			a.step, a.left = 0, a.left-1
		}
		if a.step == 0 && a.left == (rounds+1)/2-1 {
			lived -= a.at
		}
		if a.left < 0 {
			lived += a.at
			heap.Pop(&all)
			continue
		}
		s := steps[a.step]
		a.step++
		if s.computes {
			a.at += seconds * (0.5 + r.Float64()) // tasks are not all alike
		} else {
			to := 0 // what all share is in one partition
			if !s.hot {
				to = r.IntN(partitions)
			}
			if s.write {
				a.at = store[to].writes.take(a.at) + writeTime.Seconds()
			} else {
				a.at = store[to].reads.take(a.at) + readTime.Seconds()
			}
		}
		heap.Fix(&all, 0)
	}
	return float64(workers*((rounds+1)/2)) * seconds / lived
}

func workerTable(quick bool, seed uint64) table {
	rounds := 120
	if quick {
		rounds = 20
	}
	t := table{title: "The share of their time that workers compute", simulated: true, rows: [][]string{{"workers", "task", "requests a second wanted", "1 partition", "16", "256", "1, with local", "256, with local"}}}
	all, local := taskRequests(false), taskRequests(true)
	for _, workers := range []int{100, 1000, 10_000} {
		for _, seconds := range []float64{1, 10, 100} {
			row := []string{grouped(int64(workers)), lasting(seconds), short(float64(workers*(len(all)-1)) / seconds)}
			for _, run := range []struct {
				partitions int
				steps      []step
			}{{1, all}, {16, all}, {256, all}, {1, local}, {256, local}} {
				r := rand.New(rand.NewPCG(seed, uint64(workers)))
				n := max(6, rounds*1000/max(workers, 1000)) // so that none takes long
				row = append(row, percent(work(workers, n, run.partitions, seconds, run.steps, r)))
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}
