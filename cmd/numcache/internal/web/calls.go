package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/numcache/numcache/cmd/numcache/internal/text"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// pageLength is how many calls a page shows.
const pageLength = 100

// callRow is a call in the table.
type callRow struct {
	memo.Entry
	URL      string
	Call     string // arguments and results in short form
	Created  time.Time
	Duration time.Duration
	Size     int64
	Problem  string // the record cannot be read, or a result is gone
}

// callsPage is what templates/calls.html shows.
type callsPage struct {
	Function string
	Search   string

	OneVersion bool // Version, and not any
	Version    string
	Versions   []string
	Within     string
	Damaged    bool
	Sort       sorting
	Calls      []callRow

	All, Found  int // of the function, and of those what was asked for
	First, Last int // that are shown of the found ones, from 1

	FirstURL, PreviousURL, NextURL, LastURL string
}

// callOrder is a column that calls are sorted by.
type callOrder struct {
	descending bool
	reads      bool // the records have it, and not their names
	value      func(readCall) int64
}

var callOrders = map[string]callOrder{
	"key":     {false, false, func(readCall) int64 { return 0 }},
	"used":    {true, false, func(c readCall) int64 { return c.Used.UnixNano() }},
	"created": {true, true, func(c readCall) int64 { return c.created }},
	"compute": {true, true, func(c readCall) int64 { return int64(c.took) }},
	"size":    {true, true, func(c readCall) int64 { return c.size }},
}

// withins are how long ago a call was last used.
var withins = map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour}

// maxVersions is how many versions a page offers to choose from.
const maxVersions = 200

func (s *Site) calls(r *http.Request) (any, error) {
	query := r.URL.Query()
	p := &callsPage{Search: query.Get("q"), Within: query.Get("used"), Damaged: query.Get("damaged") != "", Sort: sorting{query.Get("sort"), "/calls", query}}
	p.Function, _ = nameIn(query, "f")
	if query.Get("v-escaped") != "*" {
		p.Version, p.OneVersion = nameIn(query, "v")
	}
	if _, known := callOrders[p.Sort.by]; !known {
		p.Sort.by = "used"
	}
	w := window{limit: pageLength, descending: callOrders[p.Sort.by].descending}
	if err := w.parse(query.Get("at")); err != nil {
		return nil, &problem{http.StatusBadRequest, "There is no such place in the list", "Begin with its first page."}
	}
	if err := s.collect(r.Context(), p, &w); err != nil {
		return nil, err
	}
	if p.All == 0 {
		return nil, &problem{http.StatusNotFound, "No calls", "There are no calls of " + text.Printable(text.Shorten(p.Function, 100)) + " in the cache."}
	}
	p.Found, p.First, p.Last = w.added, w.ahead+1, w.ahead+len(w.places)
	if w.ahead > 0 {
		p.FirstURL = p.at("")
		p.PreviousURL = p.at("before." + w.places0().String())
	}
	if w.behind() > 0 {
		p.NextURL = p.at("after." + w.places[len(w.places)-1].position.String())
		p.LastURL = p.at("end")
	}
	for _, place := range w.places {
		p.Calls = append(p.Calls, s.callRow(r.Context(), place.Entry))
	}
	return p, r.Context().Err()
}

// places0 is the first position that the page has, or would have.
func (w *window) places0() position {
	if len(w.places) > 0 {
		return w.places[0].position
	}
	return *w.from
}

// parse reads where the window stands, as at writes it.
func (w *window) parse(at string) (err error) {
	side, where, _ := strings.Cut(at, ".")
	switch side {
	case "":
		return nil
	case "end":
		w.backwards = true
		return nil
	case "before", "after":
		from, err := parsePosition(where)
		w.from, w.backwards = &from, side == "before"
		return err
	}
	return errPosition
}

// at is the address of the same list elsewhere.
func (p *callsPage) at(where string) string {
	query := url.Values{}
	for name, values := range p.Sort.query {
		query[name] = values
	}
	query.Del("done")
	query.Set("at", where)
	return "/calls?" + query.Encode()
}

// collect adds what is asked for to the window. Records are read only where the names
// of their files do not tell.
func (s *Site) collect(ctx context.Context, p *callsPage, w *window) error {
	order := callOrders[p.Sort.by]
	read := func(context.Context, memo.Entry) (c readCall, err error) { return c, nil }
	switch {
	case p.Search != "":
		read = func(ctx context.Context, e memo.Entry) (c readCall, err error) {
			r, err := s.config.Cache.ReadEntry(ctx, e)
			switch {
			case err != nil && contains(e.Key.String(), p.Search):
				return readCall{err: err}, nil
			case err != nil || !matches(r, p.Search):
				return c, errOther
			}
			return readCall{facts: s.catalogue.note(e, r)}, nil
		}
	case order.reads || p.Damaged:
		read = func(ctx context.Context, e memo.Entry) (c readCall, err error) {
			c.facts, c.err = s.catalogue.of(ctx, s.config.Cache, e)
			return c, nil
		}
	}
	done, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	wanted := func(yield func(memo.Entry, error) bool) {
		for e, err := range s.config.Cache.EntriesOf(ctx, p.Function) {
			if err == nil {
				p.All++
				p.offer(e.Version)
				within, limited := withins[p.Within]
				if p.OneVersion && e.Version != p.Version || limited && s.config.Now().Sub(e.Used) > within {
					continue
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
	look := func(ctx context.Context, e memo.Entry) (*readCall, error) {
		c, err := read(ctx, e)
		if errors.Is(err, errOther) || errors.Is(c.err, memo.ErrNotFound) || p.Damaged && c.err == nil {
			return nil, ctx.Err()
		}
		c.Entry = e
		return &c, ctx.Err()
	}
	for c, err := range parallel.Stream(ctx, &parallel.Options{Unordered: true}, wanted, look) {
		if err != nil {
			return err
		}
		if c != nil {
			w.add(place{c.Entry, position{order.value(*c), c.Key}})
		}
	}
	return nil
}

// errOther is a call that is not asked for.
var errOther = errors.New("another call")

// offer lists a version to choose.
func (p *callsPage) offer(version string) {
	if i, there := slices.BinarySearch(p.Versions, version); !there && len(p.Versions) < maxVersions {
		p.Versions = slices.Insert(p.Versions, i, version)
	}
}

// matches reports whether a call has a text in its key, version, writer, arguments or
// results, as they are shown.
func matches(r *memo.Record, search string) bool {
	return contains(r.Key.String(), search) || contains(r.Version, search) || contains(r.Writer, search) || contains(callText(r), search)
}

// callRow reads a call for the table, and looks whether its results are there.
func (s *Site) callRow(ctx context.Context, e memo.Entry) callRow {
	row := callRow{Entry: e, URL: callURL(e.Function, e.Version, e.Key.String())}
	r, err := s.config.Cache.ReadEntry(ctx, e)
	if err != nil {
		row.Problem = s.config.Reason(err)
		return row
	}
	row.URL = callURL(r.Function, r.Version, r.Key.String())
	row.Call, row.Created, row.Duration, row.Size, row.Version = callText(r), r.Created, r.Duration, r.Size(), r.Version
	for _, a := range resultArrays(r, maxLookedAt) {
		if _, err := s.config.Cache.StatObject(ctx, a.Digest); errors.Is(err, memo.ErrNotFound) {
			row.Problem = "a result is missing: the call will be computed anew"
		} else if err != nil {
			row.Problem = "a result cannot be read: " + s.config.Reason(err)
		}
	}
	return row
}

// maxLookedAt is how many results of a call in the table are looked at.
const maxLookedAt = 8

// resultArrays returns the first arrays of a call's results.
func resultArrays(r *memo.Record, most int) (arrays []memo.ArrayInfo) {
	for _, v := range r.Results {
		arrays = append(arrays, v.Arrays()...)
		if len(arrays) >= most {
			return arrays[:most]
		}
	}
	return arrays
}

func callURL(function, version, key string) string {
	return "/call?" + url.Values{"f": {function}, "v": {version}, "k": {key}}.Encode()
}

// callText is a call in short form.
func callText(r *memo.Record) string {
	return "(" + valuesText(r.Args) + ") → " + valuesText(r.Results)
}

// maxShown is how many arguments or results the short form has.
const maxShown = 8

func valuesText(values []memo.Value) string {
	var parts []string
	for _, v := range values[:min(len(values), maxShown)] {
		parts = append(parts, v.String())
	}
	if len(values) > maxShown {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}
