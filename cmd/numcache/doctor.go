package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (p *program) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the cache's folder and what it needs, and say what to do",
		Long: `Check whether the folder is a cache, who owns it and who may read and write it; the
file system, its free space, and whether links, locks and mapped files work there; the
clock; what killed programs and damaged files left behind; what went wrong in calls; and
the versions of numcache, Go and Python. Each line is ok, a warning or a problem, and of
the latter two the next one says what to do.

Nothing in the cache is changed: some files whose names begin with doctor- are written
to its folder tmp, and removed again. Whether the entries are intact is for numcache
verify. The exit status is 1 where there are problems.

With --json an object for each line: check, state, text, and advice.`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.folder(cmd)
			if err != nil {
				return err
			}
			d := doctor{dir: dir, now: time.Now}
			d.tell = findingText(cmd.OutOrStdout())
			if asJSON {
				lines := jsonLines(cmd.OutOrStdout())
				d.tell = func(f finding) error { return lines.Encode(f) }
			}
			d.examine(cmd.Context())
			switch {
			case cmd.Context().Err() != nil:
				return cmd.Context().Err()
			case d.err != nil:
				return d.err
			case d.problems > 0:
				return errReported
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one finding a line")
	return cmd
}

// The states of what was checked.
const (
	stateOK      = "ok"
	stateWarning = "warning" // works, but not as well as it could
	stateProblem = "problem" // does not work
)

// finding is what a check found.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"` // what to do, unless it is ok
}

// doctor checks one cache. Its findings are told as they come.
type doctor struct {
	dir      string
	now      func() time.Time
	tell     func(finding) error
	problems int
	err      error // of tell
}

func (d *doctor) found(check, state, advice, format string, args ...any) {
	if state == stateProblem {
		d.problems++
	}
	f := finding{check, state, oneLine(fmt.Sprintf(format, args...)), oneLine(advice)}
	if d.err == nil {
		d.err = d.tell(f)
	}
}

func (d *doctor) ok(check, format string, args ...any) {
	d.found(check, stateOK, "", format, args...)
}

func (d *doctor) warning(check, advice, format string, args ...any) {
	d.found(check, stateWarning, advice, format, args...)
}

func (d *doctor) problem(check, advice, format string, args ...any) {
	d.found(check, stateProblem, advice, format, args...)
}

// examine makes all checks that make sense.
func (d *doctor) examine(ctx context.Context) {
	if d.checkFolder() {
		usable := d.checkCache(ctx)
		mine := d.checkOwner()
		d.checkDisk()
		if usable && mine {
			d.checkTrials()
		}
		if usable {
			d.checkLeftovers()
		}
	}
	d.checkVersions(ctx)
}

// findingText returns what writes findings for a person.
func findingText(w io.Writer) func(finding) error {
	return func(f finding) error {
		var b strings.Builder
		fmt.Fprintf(&b, "%-7s  %-11s  %s\n", f.State, f.Check, f.Text)
		if f.Advice != "" {
			fmt.Fprintf(&b, "%20s  → %s\n", "", f.Advice)
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
}
