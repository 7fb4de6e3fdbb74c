package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// options are those of the command line.
type options struct {
	quick  bool
	rounds int
	only   string
}

// A contestant does the work of a part once. It returns how long that took itself if it
// knows better than the clock around it: another process does, which takes time to
// start.
type contestant struct {
	name string
	run  func(ctx context.Context) (time.Duration, error)
}

// timed is a contestant of this process.
func timed(name string, f func(ctx context.Context) error) contestant {
	return contestant{name, func(ctx context.Context) (time.Duration, error) {
		start := time.Now()
		err := f(ctx)
		return time.Since(start), err
	}}
}

// part is a piece of work with all who do it. Ratios are to the first of them that is
// named as the reference.
type part struct {
	name        string
	what        string
	contestants []contestant
	reference   string
	unit        string // of the figure
	figure      func(d time.Duration) float64
}

// measure runs the contestants turn by turn, so that what neighbours do to the machine
// they do to all, and prints least and median times.
func (p part) measure(ctx context.Context, w io.Writer, rounds int) error {
	times := make([][]time.Duration, len(p.contestants))
	for range rounds {
		for i, c := range p.contestants {
			if err := ctx.Err(); err != nil {
				return err
			}
			d, err := c.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", p.name, c.name, err)
			}
			times[i] = append(times[i], d)
		}
	}
	var base time.Duration
	for i, c := range p.contestants {
		if slices.Sort(times[i]); c.name == p.reference {
			base = times[i][0]
		}
	}
	fmt.Fprintf(w, "\n%s: %s\n", p.name, p.what)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tmedian\tleast\t%s\tby %s\n", p.unit, p.reference)
	for i, c := range p.contestants {
		median, least := times[i][rounds/2], times[i][0]
		fmt.Fprintf(t, "%s\t%s\t%s\t%.4g\t%.2f\n", c.name, short(median), short(least), p.figure(least), float64(least)/float64(base))
	}
	return t.Flush()
}

func short(d time.Duration) string {
	return strings.TrimSuffix(d.Round(max(d/1000, 1)).String(), "0s")
}
