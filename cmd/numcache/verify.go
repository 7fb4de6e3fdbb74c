package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func (p *program) verifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read everything, and put aside what is damaged",
		Long: `Read every record and object of the cache and compare it with its check or
digest. What is damaged is moved into the cache's folder quarantine; calls that
needed it are computed anew when they are next made.

The exit status is 1 where something was damaged or could not be read. With
--json one object: dir, records and objects that are intact, bytes read,
incomplete (records that miss a result), damaged, each with path, error and
whether it was put aside.`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			progress, finish := progressBar(cmd.ErrOrStderr(), "verify")
			report, err := c.Verify(cmd.Context(), progress)
			finish()
			if err != nil {
				return err
			}
			damaged := damagedFiles(c.Dir(), report.Damaged)
			if asJSON {
				err = jsonLines(cmd.OutOrStdout()).Encode(struct {
					Dir        string        `json:"dir"`
					Records    int           `json:"records"`
					Objects    int           `json:"objects"`
					Bytes      int64         `json:"bytes"`
					Incomplete int           `json:"incomplete"`
					Damaged    []damagedJSON `json:"damaged"`
				}{c.Dir(), report.Records, report.Objects, report.Bytes, report.Incomplete, damaged})
			} else {
				err = verifyText(cmd.OutOrStdout(), c.Dir(), report, damaged)
			}
			if err == nil && (len(damaged) > 0 || p.repaired) {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// damagedJSON is a file that Verify found wanting.
type damagedJSON struct {
	Path  string `json:"path"` // relative to the cache
	Error string `json:"error"`
	Aside bool   `json:"aside"`
}

// damagedFiles looks what became of the damaged files.
func damagedFiles(dir string, found []error) []damagedJSON {
	damaged := []damagedJSON{} // JSON's [], not null
	for _, err := range found {
		d := damagedJSON{Error: oneLine(reason(err))}
		var at *memo.Error
		if errors.As(err, &at) {
			d.Path = at.Path
			d.Error = oneLine(reason(at.Err))
			_, statErr := os.Lstat(filepath.Join(dir, filepath.FromSlash(at.Path)))
			d.Aside = errors.Is(statErr, os.ErrNotExist)
		}
		damaged = append(damaged, d)
	}
	return damaged
}

func verifyText(w io.Writer, dir string, report memo.Report, damaged []damagedJSON) error {
	for _, d := range damaged {
		where := "put aside"
		if !d.Aside {
			where = "left where it is"
		}
		if _, err := fmt.Fprintf(w, "damaged, %s: %s: %s\n", where, printable(d.Path), d.Error); err != nil {
			return err
		}
	}
	state := "all intact"
	if len(damaged) > 0 {
		state = fmt.Sprintf("%d damaged (see %s)", len(damaged), filepath.Join(dir, "quarantine"))
	}
	if report.Incomplete > 0 {
		state += fmt.Sprintf("; %s without its results, to be computed anew", count(report.Incomplete, "call"))
	}
	_, err := fmt.Fprintf(w, "%s: %s and %s intact, %s read; %s\n", dir,
		count(report.Records, "record"), count(report.Objects, "object"), bytesText(report.Bytes), state)
	return err
}

// progressBar returns a function that shows progress on one line of a terminal, and
// one that removes the line. Where w is no terminal they do nothing.
func progressBar(w io.Writer, name string) (progress func(memo.Progress), finish func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	return progressLine(w, name)
}

// progressLine is progressBar for a terminal.
func progressLine(w io.Writer, name string) (progress func(memo.Progress), finish func()) {
	var shown time.Time
	progress = func(p memo.Progress) {
		// A person reads ten numbers a second at most.
		if now := time.Now(); now.Sub(shown) >= 100*time.Millisecond {
			shown = now
			text := fmt.Sprintf("%d of %d files, %s of %s", p.Done, p.Total, bytesText(p.BytesDone), bytesText(p.BytesTotal))
			if p.Total == 0 { // not known, as with trim
				text = fmt.Sprintf("%d files, %s freed", p.Done, bytesText(p.BytesDone))
			}
			fmt.Fprintf(w, "\r%s: %s \x1b[K", name, text)
		}
	}
	return progress, func() {
		if !shown.IsZero() {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}
