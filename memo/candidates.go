package memo

import (
	"cmp"
	"container/heap"
	"strings"
	"time"
)

// maxCandidates bounds the names of records that a collection holds in memory, each of
// some 150 bytes. A folder with more to evict is listed several times.
var maxCandidates = 200_000

// candidate is a record that may be evicted.
type candidate struct {
	name string
	size int64
	rank float64 // with equal rank, the earlier goes first
	at   time.Time
}

func (a candidate) compare(b candidate) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), a.at.Compare(b.at), strings.Compare(a.name, b.name))
}

// candidates are those that go first, in no order while they are fewer than
// maxCandidates, then a heap with the last to go on top.
type candidates []candidate

// add adds a candidate, or leaves out the last to go of all: then there are more.
func (c *candidates) add(next candidate) (more bool) {
	if len(*c) < maxCandidates {
		if *c = append(*c, next); len(*c) == maxCandidates {
			heap.Init((*lastFirst)(c))
		}
		return false
	}
	if next.compare((*c)[0]) < 0 {
		(*c)[0] = next
		heap.Fix((*lastFirst)(c), 0)
	}
	return true
}

// take removes and returns up to n of them, in the order that they go, from a heap with
// the first to go on top. Of many that may go few do, so that they are not sorted.
func (c *firstFirst) take(n int) candidates {
	next := make(candidates, min(n, len(*c)))
	for i := range next {
		next[i] = heap.Pop(c).(candidate)
	}
	return next
}

// lastFirst and firstFirst are heaps.
type (
	lastFirst  candidates
	firstFirst candidates
)

func (h lastFirst) Len() int           { return len(h) }
func (h lastFirst) Less(i, j int) bool { return h[i].compare(h[j]) > 0 }
func (h lastFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for [heap.Interface], and not used.
func (h *lastFirst) Push(x any) { *h = append(*h, x.(candidate)) }

// Pop is for [heap.Interface], and not used.
func (h *lastFirst) Pop() any { return (*firstFirst)(h).Pop() }

func (h firstFirst) Len() int           { return len(h) }
func (h firstFirst) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h firstFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for [heap.Interface], and not used.
func (h *firstFirst) Push(x any) { *h = append(*h, x.(candidate)) }

// Pop removes the last of the slice.
func (h *firstFirst) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
