package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func (p *program) lsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls [FUNCTION]",
		Short: "List the cached calls",
		Long: `List the functions in the cache with their calls, then every call: the first
digits of its key, its age, its size, which is the bytes of its record and of its
results before any compression, what it took to compute, its arguments and results.
With FUNCTION only that one's.

With --json the calls only, as they are read, an object each: key, function,
version, args, results, created, used, writer, duration in seconds, size in bytes.
Arguments and results have the form of the record, see memo/FORMAT.md.

A record that cannot be read is told on standard error; the exit status is 1 then.`,
		Example: "  numcache ls\n  numcache ls demo/pca --json",
		Args:    arguments(0, 1, "at most one FUNCTION"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			l := listing{cache: c, now: time.Now(), out: bufio.NewWriter(cmd.OutOrStdout()), warnings: cmd.ErrOrStderr()}
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
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one call a line")
	return cmd
}

// listing prints records as they are read: a cache may hold more of them than
// memory would.
type listing struct {
	cache    *memo.Cache
	function string // the only one to list, if filtered
	filtered bool
	now      time.Time
	out      *bufio.Writer
	warnings io.Writer
}

// each calls f for the records to list, and tells of those that cannot be read
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
		case !l.filtered || r.Function == l.function:
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
	err := l.each(ctx, true, func(r *memo.Record) error {
		listed++
		return lines.Encode(newCallJSON(r))
	})
	if err == nil {
		err = l.missing(listed)
	}
	return err
}

// missing is the error of a FUNCTION that the cache does not know.
func (l *listing) missing(listed int) error {
	if l.filtered && listed == 0 {
		return fmt.Errorf("there are no calls of %q in %s", l.function, l.cache.Dir())
	}
	return nil
}

// functionSum is what the cache holds of one version of a function.
type functionSum struct {
	function, version string
	calls             int
	size              int64
	compute           time.Duration
}

// text reads the records twice, first to count and then to list.
func (l *listing) text(ctx context.Context) error {
	var sums []*functionSum
	err := l.each(ctx, false, func(r *memo.Record) error {
		// Records come by function and version.
		if n := len(sums); n == 0 || sums[n-1].function != r.Function || sums[n-1].version != r.Version {
			sums = append(sums, &functionSum{function: r.Function, version: r.Version})
		}
		sum := sums[len(sums)-1]
		sum.calls++
		sum.size += r.Size()
		sum.compute += r.Duration
		return nil
	})
	if err == nil {
		err = l.missing(len(sums))
	}
	if err != nil {
		return err
	}
	names, versions := len("FUNCTION"), len("VERSION")
	for _, s := range sums {
		names = max(names, utf8.RuneCountInString(printable(s.function)))
		versions = max(versions, utf8.RuneCountInString(printable(s.version)))
	}
	if len(sums) > 0 {
		fmt.Fprintf(l.out, "%-*s  %-*s  %7s  %8s  %8s\n", names, "FUNCTION", versions, "VERSION", "CALLS", "SIZE", "COMPUTE")
		for _, s := range sums {
			fmt.Fprintf(l.out, "%-*s  %-*s  %7d  %8s  %8s\n", names, printable(s.function), versions, printable(s.version),
				s.calls, bytesText(s.size), durationText(s.compute))
		}
		fmt.Fprintf(l.out, "\n%-8s  %-*s  %-*s  %4s  %8s  %8s  %s\n", "KEY", names, "FUNCTION", versions, "VERSION",
			"AGE", "SIZE", "COMPUTE", "ARGUMENTS → RESULTS")
	} else {
		fmt.Fprintf(l.out, "The cache in %s holds no calls.\n", l.cache.Dir())
	}
	return l.each(ctx, true, func(r *memo.Record) error {
		_, err := fmt.Fprintf(l.out, "%-8s  %-*s  %-*s  %4s  %8s  %8s  %s\n", r.Key.String()[:8],
			names, printable(r.Function), versions, printable(r.Version), ageText(l.now.Sub(r.Created)),
			bytesText(r.Size()), durationText(r.Duration), callText(r))
		return err
	})
}

// maxCallText bounds the last column of the listing.
const maxCallText = 100

// callText returns arguments and results in short form.
func callText(r *memo.Record) string {
	return shorten(printable("("+valuesText(r.Args)+") → "+valuesText(r.Results)), maxCallText)
}

func valuesText(values []memo.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.String()
	}
	return strings.Join(parts, ", ")
}
