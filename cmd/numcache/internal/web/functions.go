package web

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// functionRow is what the cache holds of a function, and what was counted of it.
type functionRow struct {
	Name    string
	URL     string
	Calls   int
	Damaged int // records that cannot be read
	Size    int64
	Compute time.Duration // of the calls that are stored
	Used    time.Time
	Counts  counts
}

// counts are those of memo.FunctionStats, and what follows.
type counts struct{ memo.FunctionStats }

func (c counts) Calls() int64 { return c.Hits + c.Misses + c.Shared }

// Rate is the share of hits, 0 without calls.
func (c counts) Rate() float64 {
	if c.Calls() <= 0 {
		return 0
	}
	return max(0, min(1, float64(c.Hits)/float64(c.Calls())))
}

// functionsPage is what templates/functions.html shows.
type functionsPage struct {
	Search    string
	Functions []*functionRow
	Found     int // beyond those shown, too
	Total     functionRow
	History   historyNote
	Sort      sorting
}

// historyNote is what a page says of the counts.
type historyNote struct {
	Since   time.Time
	Problem string
}

// maxFunctions is how many functions a page shows.
const maxFunctions = 1000

// functionOrders are the columns that functions are sorted by.
var functionOrders = map[string]func(a, b *functionRow) int{
	"function": func(a, b *functionRow) int { return strings.Compare(a.Name, b.Name) },
	"calls":    func(a, b *functionRow) int { return cmp.Compare(b.Calls, a.Calls) },
	"size":     func(a, b *functionRow) int { return cmp.Compare(b.Size, a.Size) },
	"rate":     func(a, b *functionRow) int { return cmp.Compare(b.Counts.Rate(), a.Counts.Rate()) },
	"saved":    func(a, b *functionRow) int { return cmp.Compare(b.Counts.Saved, a.Counts.Saved) },
	"used":     func(a, b *functionRow) int { return b.Used.Compare(a.Used) },
}

func (s *Site) functions(r *http.Request) (any, error) {
	query := r.URL.Query()
	page := functionsPage{Search: query.Get("q"), Sort: sorting{by: query.Get("sort"), path: "/", query: query}}
	if functionOrders[page.Sort.by] == nil {
		page.Sort.by = "function"
	}
	rows, err := s.functionRows(r.Context())
	if err != nil {
		return nil, err
	}
	h, err := s.config.History(r.Context())
	page.History = s.historyNote(h, err)
	for _, row := range rows {
		row.Counts = counts{h.Functions[row.Name]}
		page.Total.Calls += row.Calls
		page.Total.Size += row.Size
		page.Total.Damaged += row.Damaged
		if contains(row.Name, page.Search) {
			page.Functions = append(page.Functions, row)
		}
	}
	page.Total.Counts = counts{h.Total()}
	slices.SortFunc(page.Functions, func(a, b *functionRow) int {
		return cmp.Or(functionOrders[page.Sort.by](a, b), strings.Compare(a.Name, b.Name))
	})
	page.Found = len(page.Functions)
	page.Functions = page.Functions[:min(page.Found, maxFunctions)]
	return page, nil
}

func (s *Site) historyNote(h memo.History, err error) historyNote {
	note := historyNote{Since: h.Since}
	if err != nil {
		note.Problem = s.config.Reason(err)
	}
	return note
}

// functionRows sums up what the cache holds of each function.
func (s *Site) functionRows(ctx context.Context) ([]*functionRow, error) {
	byFolder := map[string]*functionRow{}
	var rows []*functionRow
	for call, err := range s.readAll(ctx, s.config.Cache.Entries(ctx)) {
		if err != nil {
			return nil, err
		}
		row := byFolder[call.Function]
		if row == nil {
			row = &functionRow{Name: call.Function}
			byFolder[call.Function] = row
			rows = append(rows, row)
		}
		row.Calls++
		if call.Used.After(row.Used) {
			row.Used = call.Used
		}
		if call.err != nil {
			row.Damaged++
			row.Size += call.Bytes
			continue
		}
		row.Name = call.function.Value() // folders cut long names
		row.Size += call.size
		row.Compute += call.took
	}
	for _, row := range rows {
		row.URL = "/calls?" + url.Values{"f": {row.Name}}.Encode()
	}
	return rows, nil
}

// readCall is an entry and its facts, or why it has none.
type readCall struct {
	memo.Entry
	facts
	err error
}

// readAll yields entries with their facts, in any order. Reading takes its turn.
func (s *Site) readAll(ctx context.Context, entries iter.Seq2[memo.Entry, error]) iter.Seq2[readCall, error] {
	return func(yield func(readCall, error) bool) {
		done, err := s.turn(ctx)
		if err != nil {
			yield(readCall{}, err)
			return
		}
		defer done()
		read := func(ctx context.Context, e memo.Entry) (readCall, error) {
			f, err := s.catalogue.of(ctx, s.config.Cache, e)
			return readCall{e, f, err}, ctx.Err()
		}
		for call, err := range parallel.Stream(ctx, &parallel.Options{Unordered: true}, entries, read) {
			if err == nil && errors.Is(call.err, memo.ErrNotFound) {
				continue // removed since it was listed
			}
			if !yield(call, err) {
				return
			}
		}
	}
}

// contains reports whether a text has another in it, whatever the case of the letters.
func contains(text, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// sorting makes the links of a table's head.
type sorting struct {
	by    string // the column it is sorted by
	path  string
	query url.Values
}

// By is the column that the table is sorted by.
func (s sorting) By() string { return s.by }

// URL is the same page sorted by a column, from its beginning.
func (s sorting) URL(column string) string {
	query := url.Values{}
	for name, values := range s.query {
		if name != "at" && name != "done" {
			query[name] = values
		}
	}
	query.Set("sort", column)
	return s.path + "?" + query.Encode()
}
