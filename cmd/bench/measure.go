package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// measure does the works of the catalogue that are asked for, one after the other. It
// tells progress of how far it is.
func measure(ctx context.Context, progress io.Writer, o options) (r results, err error) {
	top, err := os.MkdirTemp(o.dir, "bench")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(top)
	if o.quick {
		o.rounds, o.records = 1, max(o.records/100, 100)
	}
	p := startPeers(ctx, top)
	defer p.close()
	r = results{Machine: thisMachine(top, p.versions), Quick: o.quick, Rounds: o.rounds, Skipped: p.missing}
	b := &bench{top: top, peers: p, quick: o.quick, records: o.records, sizes: sizes}
	if o.quick {
		b.sizes = quickSizes
	}
	for _, row := range catalogue {
		name := row.name(b)
		if !o.only.MatchString(name) {
			continue
		}
		fmt.Fprintf(progress, "%s …\n", name)
		m, err := b.measure(ctx, row, o.rounds)
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
		r.Skipped = append(r.Skipped, b.skipped...)
		b.skipped = nil
		if len(m.Contestants) > 0 {
			r.Works = append(r.Works, m)
		}
	}
	if len(r.Works) == 0 {
		return r, fmt.Errorf("no work was measured of those that match %q; skipped: %q", o.only, r.Skipped)
	}
	return r, nil
}

// measure prepares the work of a row in a folder of its own and does it.
func (b *bench) measure(ctx context.Context, row row, rounds int) (m measured, err error) {
	b.dir = filepath.Join(b.top, "work")
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return m, err
	}
	defer func() {
		closeErr := b.close()
		if removeErr := os.RemoveAll(b.dir); closeErr == nil {
			closeErr = removeErr
		}
		if err == nil {
			err = closeErr
		}
	}()
	w, err := row.prepare(ctx, b, row.size(b))
	if err != nil {
		return m, err
	}
	answers, err := w.agree(ctx)
	if err != nil {
		return m, err
	}
	if w.rounds > 0 {
		rounds = min(rounds, w.rounds)
	}
	turns, err := w.takeTurns(ctx, rounds)
	if err != nil {
		return m, err
	}
	return newMeasured(row.name(b), w, answers, turns, row.pairs), nil
}

// agree has everybody do the work once, so that memory and files are there when time
// counts, and returns the answers. It is an error if they are not the same.
func (w work) agree(ctx context.Context) ([]string, error) {
	answers, first := make([]string, len(w.contestants)), -1
	for i, c := range w.contestants {
		if c.answer == nil {
			if _, err := c.turn(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			continue
		}
		var err error
		if answers[i], err = c.answer(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if first < 0 {
			first = i
		}
		if answers[i] != answers[first] {
			return nil, fmt.Errorf("%s: the answer is %s, and that of %s is %s", c.name, answers[i], w.contestants[first].name, answers[first])
		}
	}
	return answers, nil
}

// takeTurns returns what the turns of each contestant took. They take them one after the
// other, so that what neighbours do to the machine they do to all, and another one begins
// each round, so that nobody always comes after the one who leaves most for the disk to do.
func (w work) takeTurns(ctx context.Context, rounds int) ([][]took, error) {
	turns := make([][]took, len(w.contestants))
	for round := range rounds {
		for k := range w.contestants {
			i := (round + k) % len(w.contestants)
			c := w.contestants[i]
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			t, err := c.turn(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			turns[i] = append(turns[i], t)
		}
	}
	return turns, nil
}

// ratios divides what the other took by what ours took, round by round, and returns the
// quartiles.
func ratios(ours, other []float64) (lower, median, upper float64) {
	all := make([]float64, len(ours))
	for i := range all {
		all[i] = other[i] / ours[i]
	}
	return quartiles(all)
}

func quartiles(xs []float64) (lower, median, upper float64) {
	sorted := slices.Sorted(slices.Values(xs))
	at := func(q float64) float64 {
		position := q * float64(len(sorted)-1)
		i := int(position)
		if i+1 == len(sorted) {
			return sorted[i]
		}
		return sorted[i] + (position-float64(i))*(sorted[i+1]-sorted[i])
	}
	return at(0.25), at(0.5), at(0.75)
}
