package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func (p *program) statsCommand() *cobra.Command {
	var asJSON bool
	var limits memo.Limits
	cmd := &cobra.Command{
		Use:   "stats [FUNCTION]",
		Short: "Tell what the cache holds, how often it helped and what it saved",
		Long: `Tell how many entries and bytes are in the folder, and what all processes that
used it counted: calls, how many of them were hits, the compute time that those
saved, less what they took themselves, and what the others took to compute; faults,
which are things that went wrong without failing a call. Calls that waited for the
computation of another, and got its results, are shared. Below that the same for
each function, the one with most time saved first. With FUNCTION only that one's
counts.

A process tells its counts every ten seconds or so, and when it closes the cache. What
belongs to no function, or to one beyond the first thousand, is told of as (other).
Where the counts cannot be read, which is told on standard error, the exit status
is 1.

With limits, those of numcache trim, also what that would remove to keep them; nothing
is removed.

With --json one object: dir, entries, bytes, since (null where nothing was counted),
calls, hits, misses, shared, faults, hit_rate (null without calls), saved and
computed in seconds, and functions, a list of function and the same counts; there ""
is (other). With FUNCTION without entries and bytes, with limits also trim: what trim
--dry-run --json prints.`,
		Example: "  numcache stats\n  numcache stats demo/pca --json\n  numcache stats --max-bytes 2G --max-age 30d",
		Args:    arguments(0, 1, "at most one FUNCTION"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			limited := limits != memo.Limits{}
			if limited && len(args) == 1 {
				return usage("limits are those of the cache, and of no single function")
			}
			s := statistics{dir: c.Dir(), width: terminalWidth(cmd.OutOrStdout())}
			var historyErr error
			s.history, historyErr = historyOf(cmd.Context(), c)
			if len(args) == 1 {
				if historyErr != nil {
					return historyErr
				}
				counts, ok := s.history.Functions[args[0]]
				if !ok {
					return fmt.Errorf("nothing was counted of %q in %s", args[0], c.Dir())
				}
				s.history.Functions = map[string]memo.FunctionStats{args[0]: counts}
			} else {
				s.holds = new(holdings)
				if s.holds.Entries, s.holds.Bytes, err = c.Usage(cmd.Context()); err != nil {
					return err
				}
			}
			if limited {
				removed, err := c.Trim(cmd.Context(), limits, &memo.TrimOptions{DryRun: true})
				if err != nil {
					return err
				}
				s.trim = newTrimming(c.Dir(), true, removed)
			}
			if historyErr != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "numcache: %s\n", message(historyErr))
				historyErr = errReported
			}
			if asJSON {
				err = s.json(cmd.OutOrStdout())
			} else {
				err = s.text(cmd.OutOrStdout(), historyErr == nil)
			}
			return firstError(err, historyErr)
		},
	}
	limitFlags(cmd.Flags(), &limits)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// historyOf is Cache.History, but has an error for counts that are damaged: to the
// cache they are as good as none.
func historyOf(ctx context.Context, c *memo.Cache) (memo.History, error) {
	h, err := c.History(ctx)
	if err != nil || !h.Since.IsZero() {
		return h, err
	}
	const file = "stats.json"
	if _, statErr := os.Lstat(filepath.Join(c.Dir(), file)); statErr == nil {
		err = &memo.Error{Op: "read", Path: file, Err: fmt.Errorf("%w, what was counted is lost; the next calls are counted anew", memo.ErrDamaged)}
	}
	return h, err
}

// holdings is what a cache's folder holds.
type holdings struct {
	Entries int   `json:"entries"` // records
	Bytes   int64 `json:"bytes"`   // of records and objects
}

// statistics is what stats tells.
type statistics struct {
	dir     string
	width   int       // of a line, 0 without bound
	holds   *holdings // nil where only one function is asked for
	trim    *trimming // nil without limits
	history memo.History
}

// byTimeSaved returns the functions, the one that saved most first.
func (s *statistics) byTimeSaved() []string {
	names := make([]string, 0, len(s.history.Functions))
	for name := range s.history.Functions {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.history.Functions[b].Saved, s.history.Functions[a].Saved), strings.Compare(a, b))
	})
	return names
}

// countsJSON is what was counted as programs read it.
type countsJSON struct {
	Calls    int64    `json:"calls"`
	Hits     int64    `json:"hits"`
	Misses   int64    `json:"misses"`
	Shared   int64    `json:"shared"`
	Faults   int64    `json:"faults"`
	HitRate  *float64 `json:"hit_rate"`
	Saved    float64  `json:"saved"`
	Computed float64  `json:"computed"`
}

func newCountsJSON(s memo.FunctionStats) countsJSON {
	c := countsJSON{calls(s), s.Hits, s.Misses, s.Shared, s.Faults, nil, s.Saved.Seconds(), s.Computed.Seconds()}
	if c.Calls > 0 {
		rate := hitRate(s)
		c.HitRate = &rate
	}
	return c
}

func (s *statistics) json(w io.Writer) error {
	type functionJSON struct {
		Function string `json:"function"`
		countsJSON
	}
	functions := []functionJSON{} // JSON's [], not null
	for _, name := range s.byTimeSaved() {
		functions = append(functions, functionJSON{name, newCountsJSON(s.history.Functions[name])})
	}
	var since *time.Time
	if !s.history.Since.IsZero() {
		since = &s.history.Since
	}
	return jsonLines(w).Encode(struct {
		Dir string `json:"dir"`
		*holdings
		Since *time.Time `json:"since"`
		countsJSON
		Functions []functionJSON `json:"functions"`
		Trim      *trimming      `json:"trim,omitempty"`
	}{s.dir, s.holds, since, newCountsJSON(s.history.Total()), functions, s.trim})
}

// text writes the counts only where they could be read.
func (s *statistics) text(w io.Writer, readable bool) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s  "+format+"\n", append([]any{name}, args...)...)
	}
	line("folder", "%s", printable(s.dir))
	if s.holds != nil {
		line("holds", "%s, %s", count(s.holds.Entries, "entry"), bytesText(s.holds.Bytes))
	}
	if s.trim != nil {
		line("trim", "would free %s: %s and %s; would leave %s, %s", bytesText(s.trim.Bytes), count(s.trim.Entries, "entry"),
			count(s.trim.Objects, "object"), count(s.trim.LeftEntries, "entry"), bytesText(s.trim.LeftBytes))
	}
	names := s.byTimeSaved()
	switch {
	case !readable:
		line("counted", "unknown")
	case len(names) == 0:
		line("counted", "nothing yet")
	default:
		total := s.history.Total()
		line("since", "%s", momentText(s.history.Since))
		line("hit rate", "%s, %d hits in %d calls", rateText(total), total.Hits, calls(total))
		line("saved", "%s", durationText(total.Saved))
		line("computed", "%s", durationText(total.Computed))
		line("faults", "%d", total.Faults)
		s.table(&b, names)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes a line for each function.
func (s *statistics) table(b *strings.Builder, names []string) {
	width := len("FUNCTION")
	for _, name := range names {
		width = max(width, utf8.RuneCountInString(functionText(name)))
	}
	if s.width > 0 {
		const counts = 7*(8+2) + 6 + 2 // the other columns
		width = min(width, max(s.width-counts, len("FUNCTION")))
	}
	fmt.Fprintf(b, "\n%-*s  %8s  %8s  %8s  %8s  %8s  %8s  %8s  %6s\n", width, "FUNCTION",
		"CALLS", "HITS", "MISSES", "SHARED", "HIT RATE", "SAVED", "COMPUTED", "FAULTS")
	for _, name := range names {
		f := s.history.Functions[name]
		fmt.Fprintf(b, "%-*s  %8d  %8d  %8d  %8d  %8s  %8s  %8s  %6d\n", width, shorten(functionText(name), width),
			calls(f), f.Hits, f.Misses, f.Shared, rateText(f), durationText(f.Saved), durationText(f.Computed), f.Faults)
	}
}

// functionText returns a function's name; the counts under "" are not one function's.
func functionText(name string) string {
	if name == "" {
		return "(other)"
	}
	return printable(name)
}

func calls(s memo.FunctionStats) int64 { return s.Hits + s.Misses + s.Shared }

func hitRate(s memo.FunctionStats) float64 { return float64(s.Hits) / float64(calls(s)) }

func rateText(s memo.FunctionStats) string {
	if calls(s) <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*hitRate(s))
}
