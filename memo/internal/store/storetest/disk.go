package storetest

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Disk is a file system in memory that knows what of it is durable: [Disk.Cut] tells
// what a power cut may leave. Several processes may use it, each by [Disk.Files].
type Disk struct {
	now func() time.Time

	mu      sync.Mutex
	top     *node
	changes int // of names and times, that is the number of the last one
	born    int // the number of the last change before the disk was found after a cut
	locks   map[any]*diskFile
	open    int      // files
	misuse  []string // of files that are closed
	left    int      // operations until the power fails
	off     bool
}

// NewDisk returns an empty disk with a clock of the caller's.
func NewDisk(now func() time.Time) *Disk {
	return &Disk{now: now, top: newFolder(fs.ModeDir | 0o700), locks: map[any]*diskFile{}}
}

// node is a file or a folder.
type node struct {
	number int // of the change that made it
	mode   fs.FileMode
	times  []timeChange // the first one is durable

	// Of a file.
	content []byte
	pieces  []int  // where each write since the last sync ended
	synced  []byte // what is durable
	lost    bool   // a sync failed: no later one makes anything durable

	// Of a folder: what it holds, what is durable of that, and the changes since.
	names   map[string]*node
	durable map[string]*node
	pending []nameChange
	changed int // the number of the last change
}

// nameChange is one that is not durable yet. Without a node the name was removed.
type nameChange struct {
	number int
	name   string
	node   *node
}

// timeChange is one of a time of modification.
type timeChange struct {
	number int
	time   time.Time
}

func newFolder(mode fs.FileMode) *node {
	return &node{mode: mode, names: map[string]*node{}, durable: map[string]*node{}, times: []timeChange{{}}}
}

func (n *node) modified() time.Time { return n.times[len(n.times)-1].time }

// change gives a name in a folder another node, or none.
func (n *node) change(number int, name string, to *node) {
	n.pending = append(n.pending, nameChange{number, name, to})
	n.changed = number
	if to == nil {
		delete(n.names, name)
	} else {
		n.names[name] = to
	}
}

// Leaks reports files that are still open, and what was done with closed ones.
func (d *Disk) Leaks() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open != 0 {
		return fmt.Errorf("%d files are open, %q", d.open, d.misuse)
	}
	if len(d.misuse) > 0 {
		return fmt.Errorf("misused: %q", d.misuse)
	}
	return nil
}

// FailAfter has the power fail after so many operations more: all fail from then on.
func (d *Disk) FailAfter(operations int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = operations
}

// Failed reports whether the power has failed.
func (d *Disk) Failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Contents returns what every file holds, by name.
func (d *Disk) Contents() map[string][]byte {
	contents := map[string][]byte{}
	d.walk(func(name string, n *node) {
		if !n.mode.IsDir() {
			contents[name] = n.content
		}
	})
	return contents
}

// Modes returns the mode of every file and folder, by name.
func (d *Disk) Modes() map[string]fs.FileMode {
	modes := map[string]fs.FileMode{}
	d.walk(func(name string, n *node) { modes[name] = n.mode })
	return modes
}

// walk calls f for every file and folder in the top one.
func (d *Disk) walk(f func(name string, n *node)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var below func(at string, n *node)
	below = func(at string, n *node) {
		for name, child := range n.names {
			f(path.Join(at, name), child)
			below(path.Join(at, name), child)
		}
	}
	below("", d.top)
}

// Clone returns a disk with the same files, all durable or not as here. None may be open.
func (d *Disk) Clone(now func() time.Time) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	copied := map[*node]*node{nil: nil}
	var clone func(n *node) *node
	names := func(of map[string]*node) map[string]*node {
		m := maps.Clone(of)
		for name, n := range m {
			m[name] = clone(n)
		}
		return m
	}
	clone = func(n *node) *node {
		if c, ok := copied[n]; ok {
			return c
		}
		c := &node{number: n.number, mode: n.mode, times: slices.Clone(n.times), content: slices.Clip(n.content), pieces: slices.Clip(n.pieces), synced: n.synced, lost: n.lost}
		copied[n] = c
		c.names, c.durable, c.pending = names(n.names), names(n.durable), slices.Clone(n.pending)
		c.changed = n.changed
		for i := range c.pending {
			c.pending[i].node = clone(c.pending[i].node)
		}
		return c
	}
	c := NewDisk(now)
	c.top, c.changes, c.born = clone(d.top), d.changes, d.born
	return c
}

var errPower = fmt.Errorf("%w: the power is off", syscall.EIO)

// power counts an operation.
func (d *Disk) power() error {
	if d.left > 0 {
		d.left--
		d.off = d.left == 0
	}
	if d.off {
		return errPower
	}
	return nil
}

// find returns what has a name, and the folder it is or would be in.
func (d *Disk) find(name string) (folder *node, base string, n *node, err error) {
	folder, n = nil, d.top
	if name == "." {
		return nil, name, n, nil
	}
	for rest, more := name, true; more; {
		folder = n
		base, rest, more = strings.Cut(rest, "/")
		if !folder.mode.IsDir() {
			return nil, base, nil, syscall.ENOTDIR
		}
		n = folder.names[base]
		if n == nil && more {
			return nil, base, nil, fs.ErrNotExist
		}
	}
	return folder, base, n, nil
}

// existing is find of what must be there.
func (d *Disk) existing(name string) (folder *node, base string, n *node, err error) {
	folder, base, n, err = d.find(name)
	if err == nil && n == nil {
		err = fs.ErrNotExist
	}
	return folder, base, n, err
}

// missing is find of what must not be there.
func (d *Disk) missing(name string) (folder *node, base string, err error) {
	folder, base, n, err := d.find(name)
	if err == nil && n != nil {
		err = fs.ErrExist
	}
	return folder, base, err
}

// next returns the number of a change.
func (d *Disk) next() int {
	d.changes++
	return d.changes
}
