package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func (p *program) lsCommand() *cobra.Command {
	var asJSON bool
	l := listing{order: orders["name"]}
	cmd := &cobra.Command{
		Use:   "ls [FUNCTION]",
		Short: "List the cached calls",
		Long: `List the functions in the cache with their calls, then every call: the first
digits of its key, its age, its size, which is the bytes of its record and of its
results before any compression, what it took to compute, its arguments and results.
With FUNCTION only that one's; with --filter those whose names match a pattern: * is
any text, ? any character, [a-c] one of these. On a terminal the lines are cut to fit.

--sort says what comes first: name (the default), size (the largest), age (the newest),
time (what took longest to compute), or hits (of the function that was hit most often:
hits are counted by function); --reverse turns that round. By name, calls are listed as
they are read; in another order all are read first, and some bytes of each kept in
memory, with --rows of no more than will be listed.

With --json the calls only, an object each: key, function, version, args, results,
created, used, writer, duration in seconds, size in bytes. Arguments and results have
the form of the record, see memo/FORMAT.md.

A record that cannot be read is told on standard error; the exit status is 1 then.`,
		Example: "  numcache ls\n  numcache ls demo/pca --json\n  numcache ls --filter 'demo/*' --sort time -n 10",
		Args:    arguments(0, 1, "at most one FUNCTION"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if cmd.Flags().Changed("rows") && l.rows < 1 {
				return usage("--rows is %d; it begins with 1", l.rows)
			}
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			l.cache, l.now = c, time.Now()
			l.out, l.warnings = bufio.NewWriter(cmd.OutOrStdout()), cmd.ErrOrStderr()
			l.width = terminalWidth(cmd.OutOrStdout())
			if len(args) == 1 {
				l.function, l.filtered = args[0], true
			}
			if asJSON {
				err = l.json(cmd.Context())
			} else {
				err = l.text(cmd.Context())
			}
			if flushErr := l.out.Flush(); err == nil {
				err = flushErr
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "print JSON, one call a line")
	flags.Func("sort", "list by `WHAT` first: name, size, age, time or hits", parseTo(&l.order, parseOrder))
	flags.BoolVarP(&l.reverse, "reverse", "r", false, "list the other way round")
	flags.Func("filter", "list functions whose names match `PATTERN` only", parseTo(&l.pattern, parsePattern))
	flags.IntVarP(&l.rows, "rows", "n", 0, "list the first `N` calls only")
	return cmd
}

// listing prints records as they are read, where the order lets it: a cache may hold more
// of them than memory would.
type listing struct {
	cache    *memo.Cache
	function string // the only one to list, if filtered
	filtered bool
	pattern  string // "" is none
	order    order
	reverse  bool
	rows     int // 0 is all
	now      time.Time
	width    int // of a line, 0 without bound
	out      *bufio.Writer
	warnings io.Writer
	hits     map[string]int64 // by function
}

// parsePattern checks a pattern of function names.
func parsePattern(text string) (string, error) {
	if _, err := path.Match(text, ""); err != nil || text == "" {
		return "", errors.New("it is no pattern; * is any text, ? any character, [a-c] one of these")
	}
	return text, nil
}

// lists reports whether a record is to be listed.
func (l *listing) lists(r *memo.Record) bool {
	if l.filtered && r.Function != l.function {
		return false
	}
	if l.pattern == "" {
		return true
	}
	// The slashes in names separate nothing, unlike those of paths.
	plain := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(plain.Replace(l.pattern), plain.Replace(r.Function))
	return err == nil && ok
}

// each calls f for the records to list, by name, and tells of those that cannot be read
// where report is set.
func (l *listing) each(ctx context.Context, report bool, f func(*memo.Record) error) error {
	failed := false
	for r, err := range l.cache.Records(ctx) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = true
			if report {
				fmt.Fprintf(l.warnings, "numcache: %s\n", message(err))
			}
		case l.lists(r):
			if err := f(r); err != nil {
				return err
			}
		}
	}
	if failed && report {
		return errReported
	}
	return nil
}

// errEnough ends a listing that is long enough.
var errEnough = errors.New("enough")

// eachInOrder is each in the order that is asked for, and of as many calls. By name it
// reads no more than it lists; else records that cannot be read are told of all the same.
func (l *listing) eachInOrder(ctx context.Context, f func(*memo.Record) error) error {
	if l.order.less == nil && !l.reverse {
		listed := 0
		err := l.each(ctx, true, func(r *memo.Record) error {
			if listed++; l.rows > 0 && listed > l.rows {
				return errEnough
			}
			return f(r)
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	}
	sorted, reported := l.sorted(ctx)
	if reported != nil && !errors.Is(reported, errReported) {
		return reported
	}
	for _, e := range sorted {
		r, err := l.cache.RefOf(e.record()).Record(ctx)
		if errors.Is(err, memo.ErrNotFound) {
			continue // forgotten since it was sorted
		}
		if err == nil {
			err = f(r)
		}
		if err != nil {
			return err
		}
	}
	return reported
}

// callJSON is a call as programs read it. Its own fields hide those of the record.
type callJSON struct {
	*memo.Record
	Used     time.Time `json:"used"`
	Duration float64   `json:"duration"`
	Size     int64     `json:"size"`
}

func newCallJSON(r *memo.Record) callJSON {
	return callJSON{r, r.Used().UTC(), r.Duration.Seconds(), r.Size()}
}

func (l *listing) json(ctx context.Context) error {
	lines := jsonLines(l.out)
	listed := 0
	l.countHits(ctx)
	err := l.eachInOrder(ctx, func(r *memo.Record) error {
		listed++
		return lines.Encode(newCallJSON(r))
	})
	if err == nil {
		err = l.missing(listed)
	}
	return err
}

// missing is the error of a FUNCTION that the cache does not know, or a pattern that
// matches none.
func (l *listing) missing(listed int) error {
	switch {
	case listed > 0:
	case l.filtered:
		return fmt.Errorf("there are no calls of %q in %s", l.function, l.cache.Dir())
	case l.pattern != "":
		return fmt.Errorf("there are no calls of functions that match %q in %s", l.pattern, l.cache.Dir())
	}
	return nil
}

// countHits learns how often functions were hit; what cannot be read counts as none.
func (l *listing) countHits(ctx context.Context) {
	l.hits = map[string]int64{}
	if h, err := l.cache.History(ctx); err == nil {
		for name, f := range h.Functions {
			l.hits[name] = f.Hits
		}
	}
}

// callText returns arguments and results in short form.
func callText(r *memo.Record) string {
	return shorten(printable("("+valuesText(r.Args)+") → "+valuesText(r.Results)), maxCallText)
}

// maxCallText bounds how long that is.
const maxCallText = 100

func valuesText(values []memo.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.String()
	}
	return strings.Join(parts, ", ")
}
