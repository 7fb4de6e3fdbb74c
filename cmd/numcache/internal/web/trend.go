package web

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// sample is what had been counted at a moment.
type sample struct {
	at     time.Time
	counts counts
}

// maxSamples bounds a trend. When it is full every other sample goes, and from then on
// they are taken half as often.
const maxSamples = 360

// trend is how the counts went since the pages are served: the cache keeps their sums
// only. The zero trend is empty and ready.
type trend struct {
	mu      sync.Mutex
	samples []sample
	apart   time.Duration // the least time between two samples
}

func (t *trend) note(s sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.samples)
	if n > 0 && s.at.Sub(t.samples[n-1].at) < t.apart {
		return
	}
	if n == maxSamples {
		for i := range n / 2 {
			t.samples[i] = t.samples[2*i]
		}
		t.samples = t.samples[:n/2]
		t.apart = s.at.Sub(t.samples[0].at) / (maxSamples / 2)
	}
	t.samples = append(t.samples, s)
}

// Watch notes the counts now and at each tick, until ctx ends, for the page that shows
// how they go. Counts that cannot be read are left out: the page says why.
func (s *Site) Watch(ctx context.Context, ticks <-chan time.Time) {
	for {
		if h, err := s.config.History(ctx); err == nil {
			s.trend.note(sample{s.config.Now(), counts{h.Total()}})
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// trendPart is what a page shows of a trend.
type trendPart struct {
	Since time.Time
	Rate  string // points of the two lines
	Saved string
	Most  time.Duration // saved, at the top of its line
	Least time.Duration
}

// Pixels of a trend's lines.
const trendWidth, trendHeight = 600, 80

// part returns the lines, nil while there are no two moments to join.
func (t *trend) part() *trendPart {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.samples)
	if n < 2 {
		return nil
	}
	first, last := t.samples[0], t.samples[n-1]
	p := &trendPart{Since: first.at, Most: first.counts.Saved, Least: first.counts.Saved}
	for _, s := range t.samples {
		p.Most, p.Least = max(p.Most, s.counts.Saved), min(p.Least, s.counts.Saved)
	}
	span := max(1, last.at.Sub(first.at).Seconds())
	var rate, saved strings.Builder
	for _, s := range t.samples {
		x := s.at.Sub(first.at).Seconds() / span * trendWidth
		height := 0.5
		if p.Most > p.Least {
			height = float64(s.counts.Saved-p.Least) / float64(p.Most-p.Least)
		}
		fmt.Fprintf(&rate, "%.1f,%.1f ", x, (1-s.counts.Rate())*trendHeight)
		fmt.Fprintf(&saved, "%.1f,%.1f ", x, (1-height)*trendHeight)
	}
	p.Rate, p.Saved = strings.TrimSpace(rate.String()), strings.TrimSpace(saved.String())
	return p
}
