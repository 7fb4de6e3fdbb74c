package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/numcache/numcache/cmd/numcache/internal/text"
)

// historyPage is what templates/history.html shows.
type historyPage struct {
	historyNote
	Total     counts
	Functions []countedRow
	Found     int
	Trend     *trendPart
	Days      []day
	DaysOf    string // the first and last of them
}

// countedRow is a function, of which the cache need not hold any call now.
type countedRow struct {
	Name   string // "" is no function, or many
	URL    string
	Counts counts
	Saved  float64 // beside the one that saved most, 0 to 1
}

// day is what was computed on one, of what is stored.
type day struct {
	Date    string
	Calls   int
	Compute time.Duration
	Bar     int // pixels of barHeight
	X       int
	Y       int
}

const (
	// days is how many the page looks back.
	days = 60
	// barHeight and barWidth are of the chart, in pixels.
	barHeight, barWidth = 80, 12
)

// Words says a day, for whom its bar does not.
func (d day) Words() string {
	return d.Date + ": " + text.Count(d.Calls, "call") + ", computed in " + text.Duration(d.Compute)
}

func (s *Site) history(r *http.Request) (any, error) {
	ctx := r.Context()
	h, err := s.config.History(ctx)
	p := &historyPage{historyNote: s.historyNote(h, err), Total: counts{h.Total()}, Trend: s.trend.part()}
	most := time.Duration(1)
	for name, f := range h.Functions {
		row := countedRow{Name: name, Counts: counts{f}}
		if name != "" {
			row.URL = "/calls?" + url.Values{"f": {name}}.Encode()
		}
		p.Functions = append(p.Functions, row)
		most = max(most, f.Saved)
	}
	for i := range p.Functions {
		p.Functions[i].Saved = max(0, float64(p.Functions[i].Counts.Saved)/float64(most))
	}
	slices.SortFunc(p.Functions, func(a, b countedRow) int {
		return cmp.Or(cmp.Compare(b.Counts.Saved, a.Counts.Saved), strings.Compare(a.Name, b.Name))
	})
	p.Found = len(p.Functions)
	p.Functions = p.Functions[:min(p.Found, maxFunctions)]
	return p, s.days(r, p)
}

// days sorts what is stored by the day it was computed.
func (s *Site) days(r *http.Request, p *historyPage) error {
	now := s.config.Now().Local()
	today := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, time.UTC)
	p.Days = make([]day, days)
	for i := range p.Days {
		p.Days[i].Date = today.AddDate(0, 0, i-days+1).Format("2 January 2006")
		p.Days[i].X = i * barWidth
	}
	for call, err := range s.readAll(r.Context(), s.config.Cache.Entries(r.Context())) {
		if err != nil {
			return err
		}
		if call.err != nil {
			continue
		}
		at := time.Unix(0, call.created).Local()
		noon := time.Date(at.Year(), at.Month(), at.Day(), 12, 0, 0, 0, time.UTC)
		i := days - 1 - int(today.Sub(noon)/(24*time.Hour))
		if i >= 0 && i < days {
			p.Days[i].Calls++
			p.Days[i].Compute += call.took
		}
	}
	most := 1
	for _, d := range p.Days {
		most = max(most, d.Calls)
	}
	for i, d := range p.Days {
		p.Days[i].Bar = (d.Calls*barHeight + most - 1) / most
		p.Days[i].Y = barHeight - p.Days[i].Bar
	}
	p.DaysOf = p.Days[0].Date + " to " + p.Days[days-1].Date
	return nil
}
