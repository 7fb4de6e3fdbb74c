package parallel

import "sync"

// tree merges the accumulators of leaves in a shape that only their number
// decides, whatever the order they come in, and without knowing that number
// before. Neighbours are merged pair by pair, level by level, the left one always
// as a; an odd one at the end of a level moves up as it is:
//
//	0  1  2  3  4
//	 01    23   4
//	    0123    4
//	        01234
//
// The worker that brings the later side of a pair merges it, so nobody waits and
// merges run in parallel.
type tree[A any] struct {
	merge func(a, b A) A

	mu    sync.Mutex
	nodes map[node]A // that wait for their other side
}

// node k of a level is that over the leaves [k<<level, (k+1)<<level).
type node struct {
	level int
	k     int
}

func newTree[A any](merge func(a, b A) A) *tree[A] {
	return &tree[A]{merge: merge, nodes: map[node]A{}}
}

// put brings the accumulator of leaf k, and does all merges that only waited for
// it. Before each it calls at with the first leaf under the merge.
func (t *tree[A]) put(k int, acc A, at func(leaf int)) {
	for n := (node{0, k}); ; n = (node{n.level + 1, n.k / 2}) {
		other, there := t.meet(n, acc)
		if !there {
			return
		}
		at((n.k &^ 1) << n.level)
		if n.k%2 == 0 {
			acc = t.merge(acc, other)
		} else {
			acc = t.merge(other, acc)
		}
	}
}

// meet takes the other side of n's pair if that is there, and leaves acc to wait
// for it otherwise.
func (t *tree[A]) meet(n node, acc A) (other A, there bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	side := node{n.level, n.k ^ 1}
	if other, there = t.nodes[side]; there {
		delete(t.nodes, side)
	} else {
		t.nodes[n] = acc
	}
	return other, there
}

// root merges what is left when all leaves have come, at least one: one node for
// each bit of their number, the smallest at the end. at is as in put.
func (t *tree[A]) root(leaves int, at func(leaf int)) A {
	var acc A
	some := false
	for level := 0; leaves>>level > 0; level++ {
		if leaves>>level&1 == 0 {
			continue
		}
		n := node{level, leaves>>level - 1}
		left := t.nodes[n]
		if !some {
			acc, some = left, true
			continue
		}
		at(n.k << level)
		acc = t.merge(left, acc)
	}
	return acc
}
