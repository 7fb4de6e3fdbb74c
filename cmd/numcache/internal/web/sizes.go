package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// sizesPage is what templates/sizes.html shows.
type sizesPage struct {
	Entries   int
	Bytes     int64 // of the files
	Size      int64 // of the calls, each with its results
	Damaged   int
	Functions []sizeRow
	Found     int
	Largest   []callRow
}

// sizeRow is a function and its share of the sizes.
type sizeRow struct {
	functionRow
	Share float64
}

// maxLargest is how many single calls are named.
const maxLargest = 20

func (s *Site) sizes(r *http.Request) (any, error) {
	ctx := r.Context()
	p := &sizesPage{}
	var err error
	if p.Entries, p.Bytes, err = s.config.Cache.Usage(ctx); err != nil {
		return nil, err
	}
	byFunction := map[string]*sizeRow{}
	largest := window{limit: maxLargest, descending: true}
	for call, err := range s.readAll(ctx, s.config.Cache.Entries(ctx)) {
		if err != nil {
			return nil, err
		}
		if call.err != nil {
			p.Damaged++
			continue
		}
		name := call.function.Value()
		row := byFunction[name]
		if row == nil {
			row = &sizeRow{functionRow: functionRow{Name: name, URL: "/calls?" + url.Values{"f": {name}, "sort": {"size"}}.Encode()}}
			byFunction[name] = row
		}
		row.Calls++
		row.Size += call.size
		row.Compute += call.took
		p.Size += call.size
		largest.add(place{call.Entry, position{call.size, call.Key}})
	}
	for _, row := range byFunction {
		row.Share = float64(row.Size) / float64(max(1, p.Size))
		p.Functions = append(p.Functions, *row)
	}
	slices.SortFunc(p.Functions, func(a, b sizeRow) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.Name, b.Name))
	})
	p.Found = len(p.Functions)
	p.Functions = p.Functions[:min(p.Found, maxFunctions)]
	for _, place := range largest.places {
		p.Largest = append(p.Largest, s.callRow(ctx, place.Entry))
	}
	return p, ctx.Err()
}
