package main

import (
	"math"
	"time"
)

// What a request takes, where the store has nothing else to do, and how many a
// partition of it takes in a second: those of S3.
const (
	readTime  = 20 * time.Millisecond
	writeTime = 40 * time.Millisecond
	listTime  = 100 * time.Millisecond // of 1000 blobs

	readRate  = 5500.
	writeRate = 3500.
)

// What memo decides, in memo/candidates.go, crew.go, sweep.go and layout.go.
const (
	blobsPerEntry  = 2 // a record and an object
	maxCandidates  = 200_000
	inFlight       = 64
	bytesPerObject = 8
	evictedShare   = 1. / 20 // goes when a limit is exceeded
	keyFolders     = 256
)

var entryCounts = []float64{1e3, 1e6, 1e7, 1e8, 1e9}

func listTable() table {
	t := table{title: "Listing every record and object", rows: [][]string{{"entries", "requests", "one after another", "256 folders at once", "$"}}}
	for _, n := range entryCounts {
		pages := math.Ceil(blobsPerEntry * n / listPage)
		t.rows = append(t.rows, []string{
			scientific(n), short(pages), lasting(pages * listTime.Seconds()),
			lasting(math.Ceil(pages/keyFolders) * listTime.Seconds()), dollars(requests{lists: pages}.price()),
		})
	}
	return t
}

// trim is what a trim sends that sweeps, and evicts a twentieth of the entries.
func trim(entries float64) requests {
	evicted := entries * evictedShare
	rounds := math.Ceil(evicted / maxCandidates) // each but the first lists the records again
	relisted := requests{lists: (rounds - 1) * entries / listPage}
	return asked("trim, with nothing to remove, for each entry").times(entries).
		plus(asked("trim, for each entry removed more").times(evicted)).plus(relisted)
}

func trimTable() table {
	t := table{title: "A trim that evicts a twentieth", rows: [][]string{{"entries", "lists", "reads", "deletes", "in the lists", "in the rest, 64 at once", "at S3's rates for one prefix", "memory", "$"}}}
	for _, n := range entryCounts {
		r := trim(n)
		t.rows = append(t.rows, []string{
			scientific(n), short(r.lists), short(r.gets), short(r.deletes),
			lasting(r.lists * listTime.Seconds()),
			lasting((r.gets*readTime.Seconds() + r.deletes*writeTime.Seconds()) / inFlight),
			lasting(r.reads()/readRate + r.writes()/writeRate), byteSize(bytesPerObject * n), dollars(r.price()),
		})
	}
	return t
}

// collision is the chance that two of n random values of so many bits are the same.
func collision(n float64, bits int) float64 {
	return -math.Expm1(-n * (n - 1) / 2 / math.Exp2(float64(bits)))
}

func keyTable() table {
	t := table{title: "Chances in the key space", rows: [][]string{{"entries", "two keys are one (128 bits)", "a waste object is kept (64 bits)", "10⁴ workers share a lock (61 bits)"}}}
	for _, n := range append(entryCounts, 1e12) {
		t.rows = append(t.rows, []string{scientific(n), scientific(collision(n, 128)), scientific(n / math.Exp2(64)), scientific(collision(1e4, 61))})
	}
	return t
}

func folderTable() table {
	t := table{title: "Files in a folder, with so many hex digits as its name", rows: [][]string{{"entries", "2 digits", "3 digits", "4 digits"}}}
	for _, n := range entryCounts {
		row := []string{scientific(n)}
		for digits := 2; digits <= 4; digits++ {
			row = append(row, short(n/math.Pow(16, float64(digits))))
		}
		t.rows = append(t.rows, row)
	}
	return t
}
