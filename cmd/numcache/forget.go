package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

func (p *program) forgetCommand() *cobra.Command {
	var all, yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "forget KEY...",
		Short: "Remove single calls, by their keys",
		Long: `Remove calls, so that they are computed when they are next made, and say which.
The first 4 or more hex digits of a key will do where no other key has them; with
--all-matching all keys that begin with them are meant. Where one KEY is unknown, or
begins several keys, nothing is removed.

Where it talks to a person it asks before it removes several calls, unless --yes says
that it need not. Results may be shared, and stay: numcache trim removes those that no call refers to
any more. With --json an object for each call that was removed: what ls --json
prints.`,
		Example: "  numcache forget 3dbbec46\n  numcache forget --all-matching 3dbb 01ab",
		Args:    arguments(1, math.MaxInt, "at least one KEY"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			for _, prefix := range args {
				if !isKeyPrefix(prefix) {
					return usage("%q is no key; give %d to %d of its hex digits", prefix, minPrefix, 2*len(array.Digest{}))
				}
			}
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			found, err := findAll(cmd.Context(), c, args, all)
			if err != nil {
				return err
			}
			if len(found) > 1 && !yes && isTerminal(cmd.InOrStdin()) {
				question := fmt.Sprintf("Forget %s in %s?", callsOf(found), c.Dir())
				if err := confirm(cmd.InOrStdin(), cmd.ErrOrStderr(), question); err != nil {
					return err
				}
			}
			lines := jsonLines(cmd.OutOrStdout())
			for _, r := range found {
				if err := c.RefOf(r).Forget(cmd.Context()); err != nil {
					return err
				}
				if asJSON {
					err = lines.Encode(newCallJSON(r))
				} else {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "Removed %s  %s  %s  %s\n", r.Key, printable(r.Function), printable(r.Version), callText(r))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all-matching", false, "remove every call whose key begins with a KEY")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one call a line")
	return cmd
}

// callsOf says how many calls these are, and of what.
func callsOf(found []*memo.Record) string {
	text := count(len(found), "call")
	for _, r := range found[1:] {
		if r.Function != found[0].Function {
			return text + " of several functions"
		}
	}
	return text + " of " + printable(found[0].Function)
}

// findAll returns the calls that the prefixes mean, each once. Unless all is set a
// prefix means one.
func findAll(ctx context.Context, c *memo.Cache, prefixes []string, all bool) (found []*memo.Record, err error) {
	seen := map[array.Digest]bool{}
	for _, prefix := range prefixes {
		calls, err := findCalls(ctx, c, prefix)
		if err != nil {
			return nil, err
		}
		if len(calls) > 1 && !all {
			return nil, fmt.Errorf("%w; --all-matching removes them all", severalCalls(prefix, calls))
		}
		for _, r := range calls {
			if !seen[r.Key] {
				seen[r.Key] = true
				found = append(found, r)
			}
		}
	}
	return found, nil
}
