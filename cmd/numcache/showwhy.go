package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// whyNeighbours says how a call differs from the one that is most like it; nil where
// nobody asked.
type whyNeighbours struct{ memo.Explanation }

func compareCall(ctx context.Context, c *memo.Cache, r *memo.Record) (*whyNeighbours, error) {
	x, err := c.Compare(ctx, r)
	return &whyNeighbours{x}, err
}

// lines are what show prints of it.
func (w *whyNeighbours) lines() []string {
	if w == nil {
		return nil
	}
	if w.Neighbour == nil {
		return []string{"there is no other call of " + w.Function}
	}
	lines := []string{fmt.Sprintf("most like %s, used %s", w.Neighbour.Key, momentText(w.Neighbour.Used()))}
	if w.Neighbour.Version != w.Version {
		lines = append(lines, fmt.Sprintf("version %q is here, %q there", w.Version, w.Neighbour.Version))
	}
	for _, c := range w.Changes {
		name := numbered("argument", c.Argument) + c.Path
		is, was := c.Is.String(), c.Was.String()
		switch {
		case len(c.Rows) > 0:
			lines = append(lines, fmt.Sprintf("%s, %s, is another in rows %s", name, is, rowsText(c.Rows)))
		case is == was:
			lines = append(lines, fmt.Sprintf("%s, %s, is another", name, is))
		default:
			lines = append(lines, fmt.Sprintf("%s is %s here, %s there", name, is, was))
		}
	}
	return lines
}

// maxRanges is how many ranges of rows are shown.
const maxRanges = 8

func rowsText(rows []array.RowRange) string {
	var parts []string
	for _, r := range rows[:min(len(rows), maxRanges)] {
		parts = append(parts, fmt.Sprintf("%d–%d", r.Lo, r.Hi-1))
	}
	if len(rows) > maxRanges {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

type whyJSON struct {
	Cause     string       `json:"cause"`
	Text      string       `json:"text"`
	Neighbour string       `json:"neighbour,omitempty"`
	Changes   []changeJSON `json:"changes"`
}

type changeJSON struct {
	Argument int        `json:"argument"`
	Path     string     `json:"path"`
	Was      memo.Value `json:"was"`
	Is       memo.Value `json:"is"`
	Rows     [][2]int   `json:"rows,omitempty"`
}

func (w *whyNeighbours) json() *whyJSON {
	if w == nil {
		return nil
	}
	out := whyJSON{Cause: w.Cause.String(), Text: w.String(), Changes: []changeJSON{}}
	if w.Neighbour != nil {
		out.Neighbour = w.Neighbour.Key.String()
	}
	for _, c := range w.Changes {
		change := changeJSON{Argument: c.Argument, Path: c.Path, Was: c.Was, Is: c.Is}
		for _, r := range c.Rows {
			change.Rows = append(change.Rows, [2]int{r.Lo, r.Hi - 1})
		}
		out.Changes = append(out.Changes, change)
	}
	return &out
}
