package main

import (
	"context"
	"fmt"

	"github.com/numcache/numcache/cmd/numcache/internal/text"
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
		lines = append(lines, text.Change(numbered("argument", c.Argument)+c.Path, c))
	}
	return lines
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
