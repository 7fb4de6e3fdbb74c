package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func (p *program) verifyCommand() *cobra.Command {
	var asJSON bool
	var secretFile string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read everything, and put aside what is damaged",
		Long: `Read every record and object of the cache and compare it with its check or
digest. What is damaged is moved into the cache's folder quarantine; calls that
needed it are computed anew when they are next made.

Where the cache is used with a secret, --secret-file names the file that holds
it (or NUMCACHE_SECRET_FILE does). Then every record must be signed with it, and
have the arrays that were signed; a record that is not is told and left where it
is.

The exit status is 1 where something was damaged, not signed, or could not be
read. With --json one object: dir, records and objects that are intact, bytes
read, incomplete (records that miss a result), damaged, each with path, error
and whether it was put aside, and unsigned, likewise.`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if secretFile == "" {
				secretFile = os.Getenv("NUMCACHE_SECRET_FILE")
			}
			if secretFile != "" {
				if p.secret, err = memo.ReadSecret(secretFile); err != nil {
					return err
				}
			}
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
			damaged, unsigned := filesOf(c.Dir(), report.Damaged), filesOf(c.Dir(), report.Unsigned)
			if asJSON {
				err = jsonLines(cmd.OutOrStdout()).Encode(struct {
					Dir        string        `json:"dir"`
					Records    int           `json:"records"`
					Objects    int           `json:"objects"`
					Bytes      int64         `json:"bytes"`
					Incomplete int           `json:"incomplete"`
					Damaged    []badFileJSON `json:"damaged"`
					Unsigned   []badFileJSON `json:"unsigned"`
				}{c.Dir(), report.Records, report.Objects, report.Bytes, report.Incomplete, damaged, unsigned})
			} else {
				err = verifyText(cmd.OutOrStdout(), c.Dir(), report, damaged, unsigned)
			}
			if err == nil && (len(damaged) > 0 || len(unsigned) > 0 || p.repaired) {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&secretFile, "secret-file", "", "file of the secret that records must be signed with (default $NUMCACHE_SECRET_FILE)")
	return cmd
}

// badFileJSON is a file that Verify found wanting.
type badFileJSON struct {
	Path  string `json:"path"` // relative to the cache
	Error string `json:"error"`
	Aside bool   `json:"aside"`
}

// filesOf looks what became of the files that were found wanting.
func filesOf(dir string, found []error) []badFileJSON {
	bad := []badFileJSON{} // JSON's [], not null
	for _, err := range found {
		d := badFileJSON{Error: oneLine(reason(err))}
		var at *memo.Error
		if errors.As(err, &at) {
			d.Path = at.Path
			d.Error = oneLine(reason(at.Err))
			_, statErr := os.Lstat(filepath.Join(dir, filepath.FromSlash(at.Path)))
			d.Aside = errors.Is(statErr, os.ErrNotExist)
		}
		bad = append(bad, d)
	}
	return bad
}

func verifyText(w io.Writer, dir string, report memo.Report, damaged, unsigned []badFileJSON) error {
	for _, u := range unsigned {
		if _, err := fmt.Fprintf(w, "not signed: %s: %s\n", printable(u.Path), u.Error); err != nil {
			return err
		}
	}
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
	if len(unsigned) > 0 {
		state = "none damaged"
	}
	if len(damaged) > 0 {
		state = fmt.Sprintf("%d damaged (see %s)", len(damaged), filepath.Join(dir, "quarantine"))
	}
	if len(unsigned) > 0 {
		state += fmt.Sprintf("; %s not signed, to be computed anew", count(len(unsigned), "record"))
	}
	if report.Incomplete > 0 {
		state += fmt.Sprintf("; %s without its results, to be computed anew", count(report.Incomplete, "call"))
	}
	_, err := fmt.Fprintf(w, "%s: %s and %s intact, %s read; %s\n", dir,
		count(report.Records, "record"), count(report.Objects, "object"), bytesText(report.Bytes), state)
	return err
}
