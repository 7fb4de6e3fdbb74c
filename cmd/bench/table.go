package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// options are those of the command line.
type options struct {
	quick  bool
	rounds int
	only   string
	dir    string // in which what is stored is put
}

// banner says what the figures are of.
func banner(w io.Writer) {
	fmt.Fprintf(w, "%s, %d CPUs, %s; times are of one turn; figures and ratios of the least ones\n",
		runtime.Version(), runtime.GOMAXPROCS(0), runtime.GOARCH)
}

// A contestant does the work of a part once.
type contestant struct {
	name string
	peer bool // another program
	run  func(ctx context.Context) (took, error)
}

// took is what a piece of work took. The time of the CPUs, 0 where it is not known, says
// what it costs even where neighbours have most of the machine.
type took struct{ wall, cpu time.Duration }

// timed is a contestant of this process.
func timed(name string, f func(ctx context.Context) error) contestant {
	return contestant{name, false, func(ctx context.Context) (took, error) {
		start, before := time.Now(), cpuTime()
		err := f(ctx)
		return took{time.Since(start), cpuTime() - before}, err
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
	walls := make([][]time.Duration, len(p.contestants))
	cpus := make([][]time.Duration, len(p.contestants))
	for range rounds {
		for i, c := range p.contestants {
			if err := ctx.Err(); err != nil {
				return err
			}
			d, err := c.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", p.name, c.name, err)
			}
			walls[i] = append(walls[i], d.wall)
			cpus[i] = append(cpus[i], d.cpu)
		}
	}
	var base, baseCPU time.Duration
	for i, c := range p.contestants {
		slices.Sort(walls[i])
		slices.Sort(cpus[i])
		if c.name == p.reference {
			base, baseCPU = walls[i][0], cpus[i][0]
		}
	}
	fmt.Fprintf(w, "\n%s: %s; ratios are to %s\n", p.name, p.what, p.reference)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tmedian\tleast\t%s\tratio\tCPU time\t%s\tratio\n", p.unit, p.unit)
	for i, c := range p.contestants {
		median, least, cpu := walls[i][rounds/2], walls[i][0], cpus[i][0]
		fmt.Fprintf(t, "%s\t%s\t%s\t%.4g\t%.2f", c.name, short(median), short(least), p.figure(least), float64(least)/float64(base))
		if cpu > 0 && baseCPU > 0 {
			fmt.Fprintf(t, "\t%s\t%.4g\t%.2f", short(cpu), p.figure(cpu), float64(cpu)/float64(baseCPU))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func short(d time.Duration) string {
	return d.Round(max(d/1000, 1)).String()
}
