package web

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// position is where a call stands in an order: by a value, and of equal ones by key.
type position struct {
	value int64
	key   array.Digest
}

// String is how an address names it.
func (p position) String() string { return fmt.Sprintf("%d.%s", p.value, p.key) }

var errPosition = errors.New("no position")

func parsePosition(s string) (p position, err error) {
	value, key, found := strings.Cut(s, ".")
	if !found {
		return p, errPosition
	}
	if p.value, err = strconv.ParseInt(value, 10, 64); err != nil {
		return p, errPosition
	}
	p.key, err = array.ParseDigest(key)
	return p, err
}

// place is a call and where it stands.
type place struct {
	memo.Entry
	position
}

// window keeps a page of the calls that are added, in order, however many there are:
// the first after a position, or the last before one.
type window struct {
	limit      int
	descending bool      // by value
	from       *position // nil is the beginning, or the end
	backwards  bool      // the last before from

	places []place
	added  int // of all
	ahead  int // of those in front of the page
}

func (w *window) compare(a, b position) int {
	by := cmp.Compare(a.value, b.value)
	if w.descending {
		by = -by
	}
	return cmp.Or(by, bytes.Compare(a.key[:], b.key[:]))
}

func (w *window) add(p place) {
	w.added++
	if w.from != nil {
		switch at := w.compare(p.position, *w.from); {
		case !w.backwards && at <= 0:
			w.ahead++
			return
		case w.backwards && at >= 0:
			return
		}
	}
	i, _ := slices.BinarySearchFunc(w.places, p, func(q, p place) int { return w.compare(q.position, p.position) })
	full := len(w.places) == w.limit
	switch {
	case !full:
		w.places = slices.Insert(w.places, i, p)
	case w.backwards:
		w.ahead++
		if i > 0 {
			copy(w.places, w.places[1:i])
			w.places[i-1] = p
		}
	case i < w.limit:
		copy(w.places[i+1:], w.places[i:w.limit-1])
		w.places[i] = p
	}
}

// behind is how many calls come after the page.
func (w *window) behind() int { return w.added - w.ahead - len(w.places) }
