package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

func (p *program) demoCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a pipeline on real data, twice: computed, then cached",
		Long: `Recognise the UCI handwritten digits with a pipeline of memoized functions:
standardise the pixels, find principal components, measure all distances between
the images in them, and let each image's nearest neighbours say what it shows.

What the cache does not hold is computed; then the pipeline runs once more, from
the cache. Change --components or --neighbours and see what is computed anew.

With NUMCACHE_VERIFY=1 in the environment each call from the cache is computed
again and compared, bit by bit; so it is in every program that uses the cache.`,
		Example: "  numcache demo\n  numcache demo --components 20\n  NUMCACHE_VERIFY=1 numcache demo",
		Args:    arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.folder(cmd)
			if err != nil {
				return err
			}
			images, labels, err := loadDigits()
			if err != nil {
				return err
			}
			rows, pixels := images.Dims()
			if s.components < 1 || s.components > pixels {
				return usage("--components is %d; choose 1 to %d, the pixels of an image", s.components, pixels)
			}
			if s.neighbours < 1 || s.neighbours >= rows {
				return usage("--neighbours is %d; choose 1 to %d, one less than there are images", s.neighbours, rows-1)
			}
			d := &demo{out: cmd.OutOrStdout(), dir: dir, settings: s, images: images, labels: labels}
			return d.present(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&s.components, "components", 10, "how many principal components to keep")
	cmd.Flags().IntVar(&s.neighbours, "neighbours", 3, "how many neighbours decide")
	return cmd
}

// demo shows the pipeline to a newcomer.
type demo struct {
	out      io.Writer
	dir      string
	settings settings
	images   *mat.Dense
	labels   []int64
}

// present runs the pipeline, twice if there was anything to compute.
func (d *demo) present(ctx context.Context) error {
	first, err := d.run(ctx, d.introduction()+"\nFirst run")
	if err != nil {
		return err
	}
	last := first
	if first.hits() < len(first.calls) {
		if last, err = d.run(ctx, "\nSecond run, the same calls in a newly opened cache"); err != nil {
			return err
		}
	}
	d.summarise(first, last)
	return d.farewell(ctx, last)
}

// call is one step of a run: what the cache told of it, and its time from end to
// end, which the cache cannot know, since arguments are hashed before.
type call struct {
	memo.Event
	took time.Duration
}

// demoRun is one run of the pipeline.
type demoRun struct {
	calls   []call
	faults  []error
	outcome *outcome

	recomputed int64 // hits, to compare
}

func (r *demoRun) hits() (n int) {
	for _, c := range r.calls {
		if c.Kind == memo.Hit {
			n++
		}
	}
	return n
}

// total returns what the calls took, and what the functions took to compute.
func (r *demoRun) total() (took, compute time.Duration) {
	for _, c := range r.calls {
		took += c.took
		compute += c.Compute
	}
	return took, compute
}

// events collects what a cache tells. Faults come from other goroutines than the
// calls.
type events struct {
	mu     sync.Mutex
	last   memo.Event // hit or miss
	faults []error
}

func (e *events) add(event memo.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if event.Kind == memo.Fault {
		e.faults = append(e.faults, event.Err)
		return
	}
	e.last = event
}

// run opens the cache and runs the pipeline in it once, a line for each step. The
// title comes once the cache is open.
func (d *demo) run(ctx context.Context, title string) (_ *demoRun, err error) {
	var seen events
	c, err := memo.Open(d.dir, &memo.Options{Logger: slog.New(slog.DiscardHandler), OnEvent: seen.add})
	if err != nil {
		return nil, err
	}
	defer closing(c, &err)
	p, err := newPipeline(c, d.settings)
	if err != nil {
		return nil, err
	}
	d.head(title)
	var r demoRun
	r.outcome, err = p.run(ctx, d.images, d.labels, func(_ string, took time.Duration) {
		seen.mu.Lock()
		event := seen.last
		seen.mu.Unlock()
		r.calls = append(r.calls, call{event, took})
		d.row(r.calls[len(r.calls)-1])
	})
	if err != nil {
		return nil, err
	}
	r.faults, r.recomputed = seen.faults, c.Stats().Recomputed
	d.foot(&r)
	return &r, nil
}

// printf writes to the output. That nobody reads it is no reason to stop computing
// what the next caller wants, so the error is left.
func (d *demo) printf(format string, args ...any) {
	fmt.Fprintf(d.out, format, args...)
}
