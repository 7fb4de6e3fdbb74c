package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/numcache/numcache/memo"
)

func (p *program) trimCommand() *cobra.Command {
	var limits memo.Limits
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "trim",
		Short: "Remove what is over given limits, and results that no call needs",
		Long: `Remove entries until the cache is within the limits that are given, those first
that --policy says: the least recently used (lru, the default), the least recently
inserted (lri), or those whose compute time is least for their bytes and the time
since they were used (least-cost). Objects that no call refers to any more go too,
if they are older than five minutes; without a limit only they do.

Programs that use the cache meanwhile go on, and compute what was removed when they
need it. With --json one object: dir, dry_run, entries, objects and bytes removed,
left_entries, left_bytes.`,
		Example: "  numcache trim --max-bytes 2G --dry-run\n  numcache trim --max-age 30d\n  numcache trim --max-entries 1000 --policy least-cost",
		Args:    arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			progress, finish := progressBar(cmd.ErrOrStderr(), "trim")
			removed, err := c.Trim(cmd.Context(), limits, &memo.TrimOptions{DryRun: dryRun, Progress: progress})
			finish()
			if err != nil && removed.Entries+removed.Objects == 0 {
				return err
			}
			// What went before an error is gone all the same.
			t := newTrimming(c.Dir(), dryRun, removed)
			if err != nil {
				t.leftovers = nil
			}
			if asJSON {
				return firstError(err, jsonLines(cmd.OutOrStdout()).Encode(t))
			}
			return firstError(err, t.text(cmd.OutOrStdout()))
		},
	}
	limitFlags(cmd.Flags(), &limits)
	flags := cmd.Flags()
	flags.BoolVar(&dryRun, "dry-run", false, "say what would be removed, and remove nothing")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// limitFlags adds the flags that say what the cache is to be trimmed to.
func limitFlags(flags *pflag.FlagSet, limits *memo.Limits) {
	flags.Func("max-bytes", "keep at most `SIZE`, such as 500M or 2G, of records and objects", parseTo(&limits.MaxBytes, parseSize))
	flags.Func("max-entries", "keep at most `N` entries", parseTo(&limits.MaxEntries, parseEntries))
	flags.Func("max-age", "keep what was used in the last `TIME`, such as 36h or 30d", parseTo(&limits.MaxAge, parseAge))
	flags.Func("policy", "`POLICY` says which entries go first: lru, lri or least-cost", parseTo(&limits.Policy, parsePolicy))
}

// parseTo makes of a function that reads a value one that sets it.
func parseTo[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(text string) (err error) {
		*to, err = parse(text)
		return err
	}
}

// errZero keeps a limit of zero, which to the cache is none, from meaning something
// else to a person.
var errZero = errors.New("it is no limit; numcache clear empties the cache")

func parseSize(text string) (int64, error) {
	n, err := memo.ParseSize(text)
	switch {
	case err != nil:
		return 0, errors.New("it is no size; give bytes, or a number with K, M, G, T or P such as 2G")
	case n == 0:
		return 0, errZero
	}
	return n, nil
}

func parseEntries(text string) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 0:
		return 0, errors.New("it is no number of entries")
	case n == 0:
		return 0, errZero
	}
	return n, nil
}

// parseAge reads a duration as Go writes it, or a number of days: 30d.
func parseAge(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	age, err := time.ParseDuration(text)
	if number, ok := strings.CutSuffix(text, "d"); ok {
		var days int64
		days, err = strconv.ParseInt(number, 10, 64)
		if days > int64(math.MaxInt64/day) {
			err = strconv.ErrRange
		}
		age = time.Duration(days) * day
	}
	switch {
	case err != nil || age < 0:
		return 0, errors.New("it is no time; give hours such as 36h, or days such as 30d")
	case age == 0:
		return 0, errZero
	}
	return age, nil
}

func parsePolicy(text string) (memo.Policy, error) {
	switch text {
	case "lru":
		return memo.LRU, nil
	case "lri":
		return memo.LRI, nil
	case "least-cost":
		return memo.LeastCost, nil
	}
	return 0, errors.New("it is no policy; choose lru, lri or least-cost")
}

// trimming is what trim tells.
type trimming struct {
	Dir     string `json:"dir"`
	DryRun  bool   `json:"dry_run"`
	Entries int    `json:"entries"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
	*leftovers
}

func newTrimming(dir string, dryRun bool, t memo.Trimmed) *trimming {
	return &trimming{dir, dryRun, t.Entries, t.Objects, t.Bytes, &leftovers{t.LeftEntries, t.LeftBytes}}
}

// leftovers is what stays in the cache, unknown where trimming ended with an error.
type leftovers struct {
	LeftEntries int   `json:"left_entries"`
	LeftBytes   int64 `json:"left_bytes"`
}

func (t *trimming) text(w io.Writer) error {
	removed, left := "Removed", "Left"
	if t.DryRun {
		removed, left = "Would remove", "Would leave"
	}
	_, err := fmt.Fprintf(w, "%s %s and %s, %s, from %s\n", removed,
		count(t.Entries, "entry"), count(t.Objects, "object"), bytesText(t.Bytes), t.Dir)
	if err == nil && t.leftovers != nil {
		_, err = fmt.Fprintf(w, "%s %s, %s\n", left, count(t.LeftEntries, "entry"), bytesText(t.LeftBytes))
	}
	return err
}
