package main

import (
	"context"
	"fmt"
	"strings"
)

// row is a work of the suite: what is done, on how much, who is compared, and how many
// times as fast as the other ours is to be. A target of 1/2 lets ours take twice as long.
type row struct {
	what    string // with %s for the size
	class   class
	prepare func(ctx context.Context, b *bench, size int) (work, error)
	pairs   []pair
}

func (r row) size(b *bench) int { return b.sizes[r.class] }

func (r row) name(b *bench) string {
	name := strings.ReplaceAll(r.what, "%s", sizeText(r.size(b)))
	return strings.ReplaceAll(name, "%n", fmt.Sprint(b.records))
}

// The names of contestants that several works have.
const (
	readAll      = "reading it, all cores"
	openRead     = "open, read the files"
	syncRename   = "write, sync, rename"
	writeRename  = "write, rename"
	memoFunc     = "memo.Func"
	memoDo       = "memo.Do"
	memoryJoblib = "joblib.Memory"
	diskcache    = "diskcache"
	lruCache     = "functools.lru_cache"
	openMP       = "C, OpenMP"
	plainLoop    = "a plain loop"
)

var catalogue = []row{
	{"the machine: memory, %s", large, memoryLimits, nil},
	{"the machine: two files of %s", small, filesLimits, nil},
	{"the machine: a file of %s", large, fileLimits, nil},

	{"digest, %s", small, digest, []pair{{"array.Hash", "joblib.hash", 20}}},
	{"digest, %s", middle, digest, []pair{{"array.Hash", "joblib.hash", 25}}},
	{"digest, %s", large, digest, []pair{{"array.Hash", "joblib.hash", 30}, {"array.Hash", readAll, 0.6}}},

	{"disk hit, %s", small, hit, []pair{{memoFunc, memoryJoblib, 8}, {memoFunc, diskcache, 0}, {memoFunc, openRead, 1. / 2}}},
	{"disk hit, %s", middle, hit, []pair{{memoFunc, memoryJoblib, 8}}},
	{"disk hit, %s", large, hit, []pair{{memoFunc, memoryJoblib, 7}}},
	{"mapped hit, %s", large, mapped, []pair{{"Shelve, Ref.Open, Map", "joblib, mmap_mode='r'", 15}}},

	{"miss, %s, not synced", small, missUnsynced, []pair{{memoFunc, memoryJoblib, 3}, {memoFunc, diskcache, 0}}},
	{"miss, %s, synced", small, missSynced, []pair{{memoFunc, syncRename, 1 / 1.3}}},
	{"storing %s, synced", large, store, []pair{{memoFunc, syncRename, 1 / 1.1}}},

	{"memory hit, scalar", none, memoryScalar, []pair{{memoDo, lruCache, 1. / 4}, {memoFunc, lruCache, 1. / 10}}},
	{"memory hit, %s array", small, memoryArray, []pair{{memoFunc, memoryJoblib, 100}, {memoFunc, "lru_cache, x.tobytes()", 0}}},

	{"hit among %n records", none, scaleHit, []pair{{"among many", "among 10", 1 / 1.2}}},
	{"listing of %n records", none, scaleList, []pair{{"Cache.Records", "joblib, get_items", 0}}},
	{"trim 1 % of %n records", none, scaleTrim, []pair{{"Cache.Trim", "joblib, reduce_size", 10}}},

	{"read .npy, %s", large, read, []pair{{"npy.ReadFile", "np.load", 1}}},
	{"write .npy, %s", large, write, []pair{{"npy.Write", "np.save", 1}}},

	{"map, tasks of 50 ns", none, shortTasks, []pair{{"parallel.Map", "joblib, threading", 1000}, {"parallel.Map", "joblib, loky", 1000},
		{"parallel.Map", "errgroup", 10}, {"parallel.Map", "conc/iter.Map", 0}, {"parallel.Map", "conc/pool", 0}, {"parallel.Map", plainLoop, 0}}},
	{"map, tasks of 1 ms", none, longTasks, []pair{{"parallel.Map", "joblib, threading", 0}, {"parallel.Map", "joblib, loky", 0},
		{"parallel.Map", "errgroup", 0}, {"parallel.Map", "conc/iter.Map", 0}}},
	{"sum, %s", large, sum, []pair{{"parallel.Sum", openMP, 0.9}, {"parallel.Sum", "joblib, threading", 0}}},
	{"Gram, %s", large, gram, []pair{{"parallel.Gram", openMP, 0.9}, {"parallel.Gram", "gonum, Mul", 0}}},

	// Two computations to one would be 2, were it not for what it takes to wait.
	{"two processes, one cold key: CPU of both", none, together, []pair{{memoFunc, memoryJoblib, 1.9}}},
	{"start of a program", none, startTime, []pair{{"with memo", "without", 0}}},
	{"size of a program", none, programSize, []pair{{"with memo", "without", 0}}},
}
