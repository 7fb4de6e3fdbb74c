package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// order is what calls, and functions, are listed by.
type order struct {
	// less compares what comes first with what comes later; nil is by name, as records
	// are read.
	less func(a, b *sums) int
}

// orders are those that --sort knows.
var orders = map[string]order{
	"name": {},
	"size": {func(a, b *sums) int { return cmp.Compare(b.size, a.size) }},
	"age":  {func(a, b *sums) int { return b.newest.Compare(a.newest) }},
	"time": {func(a, b *sums) int { return cmp.Compare(b.compute, a.compute) }},
	"hits": {func(a, b *sums) int { return cmp.Compare(b.hits, a.hits) }},
}

func parseOrder(text string) (order, error) {
	o, known := orders[text]
	if !known {
		return o, errors.New("it is no order; choose name, size, age, time or hits")
	}
	return o, nil
}

// sums are what a call, or all calls of one version of a function, add up to.
type sums struct {
	size    int64
	newest  time.Time
	compute time.Duration
	hits    int64 // of the function
}

func (s *sums) add(r *memo.Record) {
	s.size += r.Size()
	s.compute += r.Duration
	if r.Created.After(s.newest) {
		s.newest = r.Created
	}
}

// sortEntry is what is kept of a call until it is listed.
type sortEntry struct {
	sums
	key     array.Digest
	version *functionSum
	at      int // when it was read
}

// record returns as much of the call's record as finds it again.
func (e *sortEntry) record() *memo.Record {
	return &memo.Record{Key: e.key, Function: e.version.function, Version: e.version.version}
}

// sorted reads all records and returns those to list, in order. Where only some rows are
// asked for no more than twice as many are kept meanwhile.
func (l *listing) sorted(ctx context.Context) ([]sortEntry, error) {
	var entries []sortEntry
	var version *functionSum
	read := 0
	err := l.each(ctx, true, func(r *memo.Record) error {
		if version == nil || !version.has(r) {
			version = &functionSum{function: r.Function, version: r.Version}
		}
		e := sortEntry{key: r.Key, version: version, at: read}
		read++
		e.add(r)
		e.hits = l.hits[r.Function]
		entries = append(entries, e)
		if l.rows > 0 && len(entries) >= 2*l.rows {
			entries = l.first(entries)
		}
		return nil
	})
	return l.first(entries), err
}

// first sorts entries and drops those that are beyond the rows to list.
func (l *listing) first(entries []sortEntry) []sortEntry {
	slices.SortFunc(entries, func(a, b sortEntry) int {
		return l.compare(&a.sums, &b.sums, a.at, b.at)
	})
	if l.rows > 0 && len(entries) > l.rows {
		entries = entries[:l.rows]
	}
	return entries
}

// compare is the order of two calls, or functions, that were read as the a-th and b-th.
func (l *listing) compare(a, b *sums, readA, readB int) (c int) {
	if l.order.less != nil {
		c = l.order.less(a, b)
	}
	c = cmp.Or(c, cmp.Compare(readA, readB))
	if l.reverse {
		c = -c
	}
	return c
}
