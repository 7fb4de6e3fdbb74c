package storetest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
)

// Loss is what a power cut does to what is not durable.
type Loss int

const (
	// LoseNothing is no power cut: the process dies.
	LoseNothing Loss = iota
	// LoseAll leaves what is durable.
	LoseAll
	// LoseData keeps all names and times, and of files that were not synced what
	// chance says: a file system that writes names before data, as ext4 can.
	LoseData
	// LoseTail keeps names and times up to some moment: a journal. A rename is done or
	// not. Data is as with LoseData.
	LoseTail
	// LoseAny keeps any of the changes of names, each for itself: a renamed file may
	// have both names, or none. Times and data go as they please. POSIX promises no
	// more.
	LoseAny

	losses
)

// String names the loss.
func (l Loss) String() string {
	return [...]string{"nothing lost", "all lost", "data lost", "a tail lost", "anything lost"}[l]
}

// AnyLoss returns one of them.
func AnyLoss(r *rand.Rand) Loss { return Loss(r.IntN(int(losses))) }

// sector is what a disk writes whole or not at all.
const sector = 512

// Cut returns the disk as it is found when the power is back, if it fails now. What was
// synced is there. Of the rest chance decides what is, within the loss.
func (d *Disk) Cut(loss Loss, r *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &cut{loss: loss, r: r, last: d.changes, share: r.Float64(), found: map[*node]*node{}}
	switch loss {
	case LoseAll:
		c.last = 0
	case LoseTail:
		c.last = d.born + r.IntN(d.changes-d.born+1)
	}
	found := NewDisk(d.now)
	found.top, found.changes, found.born = c.node(d.top), d.changes, d.changes
	return found
}

// cut is a power cut.
type cut struct {
	loss  Loss
	r     *rand.Rand
	last  int     // the number of the last change that is kept
	share float64 // of the changes that are kept where each goes for itself
	found map[*node]*node
}

// kept reports whether a change is there afterwards.
func (c *cut) kept(number int) bool {
	if c.loss == LoseAny {
		return c.r.Float64() < c.share
	}
	return number <= c.last
}

// node returns what is found of a node.
func (c *cut) node(n *node) *node {
	if f, ok := c.found[n]; ok {
		return f
	}
	f := &node{number: n.number, mode: n.mode, times: []timeChange{{0, n.times[0].time}}}
	c.found[n] = f
	for _, t := range n.times[1:] {
		if c.kept(t.number) {
			f.times[0].time = t.time
		}
	}
	if !n.mode.IsDir() {
		f.content = c.content(n)
		f.synced = f.content
		return f
	}
	f.changed = n.changed
	f.names = maps.Clone(n.durable)
	for _, change := range n.pending {
		switch {
		case !c.kept(change.number):
		case change.node == nil:
			delete(f.names, change.name)
		default:
			f.names[change.name] = change.node
		}
	}
	// In the order in which they were made, for some names are random: a seed tells all.
	inOrder := slices.SortedFunc(maps.Keys(f.names), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.names[a].number, f.names[b].number), cmp.Compare(a, b))
	})
	for _, name := range inOrder {
		f.names[name] = c.node(f.names[name])
	}
	f.durable = maps.Clone(f.names)
	return f
}

// content returns what is found of a file's content: what was synced, and of what was
// written since, sector by sector, what chance says.
func (c *cut) content(n *node) []byte {
	whole, synced := n.content, n.synced
	if c.loss == LoseNothing || len(synced) == len(whole) {
		return whole
	}
	if c.loss == LoseAll {
		return synced
	}
	after := append([]byte(nil), whole...)
	lose := func(from, to int, filler func() byte) {
		for i := max(from, len(synced)); i < min(to, len(after)); i++ {
			after[i] = filler()
		}
	}
	zero := func() byte { return 0 }
	garbage := func() byte { return byte(c.r.UintN(256)) }
	switch c.r.IntN(7) {
	case 0: // all of it made it
	case 1: // the length did not
		after = after[:len(synced)]
	case 2: // only the length did
		lose(0, len(after), zero)
	case 3: // it ends anywhere
		after = after[:len(synced)+c.r.IntN(len(after)-len(synced)+1)]
	case 4: // some writes are missing
		from := 0
		for _, to := range n.pieces {
			if c.r.IntN(2) == 0 {
				lose(from, to, zero)
			}
			from = to
		}
	case 5: // some sectors are missing
		for from := 0; from < len(after); from += sector {
			if c.r.IntN(2) == 0 {
				lose(from, from+sector, zero)
			}
		}
	case 6: // some sectors hold what was on the disk before, and the end may be missing
		for from := 0; from < len(after); from += sector {
			if c.r.IntN(2) == 0 {
				lose(from, from+sector, garbage)
			}
		}
		after = after[:len(after)-c.r.IntN(min(len(after)-len(synced), 2*sector))]
	}
	return after
}
