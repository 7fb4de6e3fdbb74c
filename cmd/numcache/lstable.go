package main

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/numcache/numcache/memo"
)

// functionSum is what the cache holds of one version of a function.
type functionSum struct {
	function, version string
	calls, at         int
	sums
}

// has reports whether a call is one of these.
func (s *functionSum) has(r *memo.Record) bool {
	return s.function == r.Function && s.version == r.Version
}

// text reads the records twice, first to count and then to list.
func (l *listing) text(ctx context.Context) error {
	l.countHits(ctx)
	var functions []*functionSum
	calls := 0
	err := l.each(ctx, false, func(r *memo.Record) error {
		// Records come by function and version.
		if n := len(functions); n == 0 || !functions[n-1].has(r) {
			s := &functionSum{function: r.Function, version: r.Version, at: n}
			s.hits = l.hits[r.Function]
			functions = append(functions, s)
		}
		s := functions[len(functions)-1]
		s.calls++
		s.add(r)
		calls++
		return nil
	})
	if err == nil {
		err = l.missing(len(functions))
	}
	if err != nil {
		return err
	}
	t := l.newTable(functions)
	if len(functions) == 0 {
		fmt.Fprintf(l.out, "The cache in %s holds no calls.\n", l.cache.Dir())
	} else {
		slices.SortFunc(functions, func(a, b *functionSum) int { return l.compare(&a.sums, &b.sums, a.at, b.at) })
		t.functions(functions)
		t.head()
	}
	listed := 0
	err = l.eachInOrder(ctx, func(r *memo.Record) error {
		listed++
		return t.call(r)
	})
	if more := calls - listed; l.rows > 0 && more > 0 {
		fmt.Fprintf(l.out, "… and %d more\n", more)
	}
	return err
}

// table is the columns of a listing.
type table struct {
	*listing
	names, versions, room int // widths; room is that of arguments and results
}

// newTable chooses widths that show all, or that fit the line.
func (l *listing) newTable(functions []*functionSum) *table {
	t := &table{listing: l, names: len("FUNCTION"), versions: len("VERSION"), room: maxCallText}
	for _, s := range functions {
		t.names = max(t.names, utf8.RuneCountInString(printable(s.function)))
		t.versions = max(t.versions, utf8.RuneCountInString(printable(s.version)))
	}
	if l.width > 0 {
		const others = 8 + 4 + 8 + 8 + 6*2 // key, age, size, compute, and what is between
		t.names = min(t.names, max(l.width/4, len("FUNCTION")))
		t.versions = min(t.versions, max(l.width/8, len("VERSION")))
		t.room = max(l.width-others-t.names-t.versions, 1)
	}
	return t
}

// labels returns what the columns for function and version have.
func (t *table) labels(function, version string) (string, string) {
	return shorten(printable(function), t.names), shorten(printable(version), t.versions)
}

func (t *table) functions(functions []*functionSum) {
	fmt.Fprintf(t.out, "%-*s  %-*s  %7s  %8s  %8s  %7s\n", t.names, "FUNCTION", t.versions, "VERSION", "CALLS", "SIZE", "COMPUTE", "HITS")
	for _, s := range functions {
		function, version := t.labels(s.function, s.version)
		fmt.Fprintf(t.out, "%-*s  %-*s  %7d  %8s  %8s  %7d\n", t.names, function, t.versions, version,
			s.calls, bytesText(s.size), durationText(s.compute), s.hits)
	}
}

// head writes what is above the calls.
func (t *table) head() {
	fmt.Fprintf(t.out, "\n%-8s  %-*s  %-*s  %4s  %8s  %8s  %s\n", "KEY", t.names, "FUNCTION", t.versions, "VERSION",
		"AGE", "SIZE", "COMPUTE", shorten("ARGUMENTS → RESULTS", t.room))
}

func (t *table) call(r *memo.Record) error {
	function, version := t.labels(r.Function, r.Version)
	_, err := fmt.Fprintf(t.out, "%-8s  %-*s  %-*s  %4s  %8s  %8s  %s\n", r.Key.String()[:8], t.names, function, t.versions, version,
		ageText(t.now.Sub(r.Created)), bytesText(r.Size()), durationText(r.Duration), shorten(callText(r), t.room))
	return err
}
