package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
)

// arrayTable is about Slurm's limits as they are where nobody has changed them.
func arrayTable() table {
	const maxArray, maxJobs, perArray = 1001, 10_000, 500
	t := table{title: "Blocks as tasks of Slurm (MaxArraySize 1001, MaxJobCount 10000)", rows: [][]string{{"blocks", "arrays of one task a block", "fit into the queue", "blocks a task, in an array of 500"}}}
	for _, blocks := range []int{100, 10_000, 1_000_000, 1_000_000_000} {
		arrays := (blocks + maxArray - 1) / maxArray
		fit := "yes"
		if blocks > maxJobs {
			fit = fmt.Sprintf("one in %s", grouped(int64(blocks/maxJobs)))
		}
		t.rows = append(t.rows, []string{grouped(int64(blocks)), grouped(int64(arrays)), fit, grouped(int64((blocks + perArray - 1) / perArray))})
	}
	return t
}

// gatherTable is about the submitter, which looks for each result and reads it.
func gatherTable() table {
	t := table{title: "Gathering the results", rows: [][]string{{"tasks", "reads", "one after another", "16 at once"}}}
	var each requests
	for _, verb := range gatherSteps {
		each = each.plus(asked(verb))
	}
	for _, tasks := range []float64{100, 500, 10_000, 1e6} {
		reads := tasks * each.reads()
		t.rows = append(t.rows, []string{short(tasks), short(reads), lasting(reads * readTime.Seconds()), lasting(reads * readTime.Seconds() / 16)})
	}
	return t
}

// startTable is about Slurm's controller, which starts so many tasks a second.
func startTable(quick bool, seed uint64) table {
	rounds := 20
	if quick {
		rounds = 6
	}
	t := table{title: "The share of the CPUs that work, where slurmctld starts 100 tasks a second", simulated: true, rows: [][]string{{"CPUs", "task of 1 s", "10 s", "100 s", "1000 s"}}}
	for _, cpus := range []int{100, 1000, 10_000} {
		row := []string{grouped(int64(cpus))}
		for _, seconds := range []float64{1, 10, 100, 1000} {
			row = append(row, percent(starts(cpus, cpus*rounds, seconds, rand.New(rand.NewPCG(seed, uint64(cpus))))))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

const startRate = 100. // tasks that slurmctld starts in a second

// starts has CPUs do tasks, which a controller starts one after another, and returns the
// share of their time that they work, from when all have begun to the last start.
func starts(cpus, tasks int, seconds float64, r *rand.Rand) float64 {
	type task struct{ begun, ended float64 }
	controller := server{each: 1 / startRate}
	all := make(agenda, cpus)
	for i := range all {
		all[i] = &agent{}
	}
	done := make([]task, 0, tasks)
	for range tasks {
		a := all[0]
		begun := controller.take(a.at)
		a.at = begun + seconds*(0.5+r.Float64())
		done = append(done, task{begun, a.at})
		heap.Fix(&all, 0)
	}
	from, to, worked := done[cpus].begun, done[tasks-1].begun, 0.
	for _, t := range done {
		worked += max(min(t.ended, to)-max(t.begun, from), 0)
	}
	return worked / ((to - from) * float64(cpus))
}
