package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo"
)

// TestTrend: the page shows how the counts went, at the moments that they were noted.
func TestTrend(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var n int64
	f := newFixture(t, func(c *Config, _ *memo.Cache) {
		c.Now = func() time.Time { return began.Add(time.Duration(n) * time.Minute) }
		c.History = func(context.Context) (memo.History, error) {
			n++
			return memo.History{Functions: map[string]memo.FunctionStats{"f": {Hits: n - 1, Misses: 1, Saved: time.Duration(n) * time.Second}}}, nil
		}
	})
	says(t, f.page(t, 200, "/history"), "How the counts go is noted every ten seconds.")
	n = 0
	ticks := make(chan time.Time)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.site.Watch(ctx, ticks)
	}()
	ticks <- began
	ticks <- began // received when the second sample is noted; a third follows
	cancel()
	<-done
	page := f.page(t, 200, "/history")
	says(t, page, `points="0.0,80.0 300.0,40.0 600.0,26.7"`, `points="0.0,80.0 300.0,40.0 600.0,0.0"`, "time saved, 1.00 s to 3.00 s")
}

// TestTrendIsBounded: however long it is noted, all of the time is in it.
func TestTrendIsBounded(t *testing.T) {
	var tr trend
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const noted = 20 * maxSamples
	for i := range noted {
		tr.note(sample{at: began.Add(time.Duration(i) * time.Second)})
	}
	first, last := tr.samples[0].at, tr.samples[len(tr.samples)-1].at
	if n := len(tr.samples); n > maxSamples || n < maxSamples/3 || !first.Equal(began) || last.Before(began.Add(noted*time.Second*9/10)) {
		t.Errorf("%d samples from %v to %v", n, first, last)
	}
	for i := 1; i < len(tr.samples); i++ {
		if d := tr.samples[i].at.Sub(tr.samples[i-1].at); d > 120*time.Second {
			t.Errorf("%v between two samples", d)
		}
	}
	if p := tr.part(); strings.Contains(p.Rate, "NaN") || strings.Contains(p.Saved, "NaN") || !strings.HasSuffix(p.Saved, "600.0,40.0") {
		t.Errorf("%+v", p)
	}
}
