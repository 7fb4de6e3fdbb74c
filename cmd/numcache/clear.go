package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo"
)

func (p *program) clearCommand() *cobra.Command {
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "clear [FUNCTION]",
		Short: "Empty the cache, or forget one function's calls",
		Long: `Empty the cache: its records, its objects, and what was put aside. With FUNCTION
only the records of that one's calls go; results may be shared, and stay until
numcache trim removes what no call refers to any more.

Clear asks first where it talks to a person, and else needs --yes. Programs that
use the cache meanwhile go on, and compute. With --json one object: dir, files and
bytes removed; with FUNCTION function and calls instead of files and bytes.`,
		Example: "  numcache clear\n  numcache clear demo/pca --yes",
		Args:    arguments(0, 1, "at most one FUNCTION"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			question := "Empty the cache in " + c.Dir() + "?"
			if len(args) == 1 {
				question = fmt.Sprintf("Forget the calls of %q in %s?", args[0], c.Dir())
			}
			if !yes {
				if !isTerminal(cmd.InOrStdin()) {
					return usage("clear cannot ask, as its input is no terminal; say --yes")
				}
				if err := confirm(cmd.InOrStdin(), cmd.ErrOrStderr(), question); err != nil {
					return err
				}
			}
			if len(args) == 1 {
				return clearFunction(cmd, c, args[0], asJSON)
			}
			return clearAll(cmd, c, asJSON)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// confirm asks a person, and returns nil for a yes.
func confirm(in io.Reader, out io.Writer, question string) error {
	fmt.Fprintf(out, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	if err != nil { // the person has gone
		fmt.Fprintln(out)
	}
	return errors.New("nothing was removed")
}

func clearAll(cmd *cobra.Command, c *memo.Cache, asJSON bool) error {
	var last memo.Progress
	show, finish := progressBar(cmd.ErrOrStderr(), "clear")
	err := c.Clear(cmd.Context(), func(at memo.Progress) {
		last = at
		if show != nil {
			show(at)
		}
	})
	finish()
	// What went before an error is gone all the same.
	if asJSON {
		return firstError(err, jsonLines(cmd.OutOrStdout()).Encode(struct {
			Dir   string `json:"dir"`
			Files int    `json:"files"`
			Bytes int64  `json:"bytes"`
		}{c.Dir(), last.Done, last.BytesDone}))
	}
	_, writeErr := fmt.Fprintf(cmd.OutOrStdout(), "Removed %s, %s, from %s\n", count(last.Done, "file"), bytesText(last.BytesDone), c.Dir())
	return firstError(err, writeErr)
}

func clearFunction(cmd *cobra.Command, c *memo.Cache, function string, asJSON bool) error {
	removed, err := c.ClearFunction(cmd.Context(), function)
	if asJSON {
		return firstError(err, jsonLines(cmd.OutOrStdout()).Encode(struct {
			Dir      string `json:"dir"`
			Function string `json:"function"`
			Calls    int    `json:"calls"`
		}{c.Dir(), function, removed}))
	}
	_, writeErr := fmt.Fprintf(cmd.OutOrStdout(), "Removed %s of %s from %s\n", count(removed, "call"), printable(function), c.Dir())
	return firstError(err, writeErr)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
