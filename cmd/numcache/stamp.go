package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/cmd/numcache/internal/stamp"
)

func (p *program) stampCommand() *cobra.Command {
	var o stamp.Options
	var check, asJSON bool
	cmd := &cobra.Command{
		Use:   "stamp [PACKAGE...]",
		Short: "Write versions of functions that change when their code does",
		Long: `Write a Go file with a constant for each function of the packages (./... if none is
given) that is marked with a comment above it:

  //numcache:stamp          named after the function: computePCA has ComputePCA
  //numcache:stamp PCA      named PCA

A mark stands above a function, a method, a variable with a function literal, or a
literal itself, which needs a name. Use the constant as version: memo.Spec{Name:
"pca", Version: stamp.PCA}. It changes exactly when the function could behave
differently: with its source, or with what it reaches in the module, with the versions
of other modules, or with that of Go (1.26 to 1.27). It does not change with comments,
formatting, names of local variables, or the place in a file.

A source that does not compile is an error, but for the constants that are still
missing. With --check nothing is written, and the exit status is 1 where the file is
stale or missing. With --json an object for each function: name, function, position,
stamp, and state: same, changed, new or removed.`,
		Example: "  numcache stamp ./...\n  numcache stamp --check ./...\n  //go:generate numcache stamp ./...",
		Args:    arguments(0, math.MaxInt, "PACKAGEs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Patterns = args
			s, err := stamp.Compute(cmd.Context(), o)
			if err != nil {
				return err
			}
			changes, current, err := s.Compare()
			if err != nil {
				return err
			}
			if !check && !current {
				if err := s.Write(); err != nil {
					return fmt.Errorf("%s: %w", relative(s.Path), err)
				}
			}
			if asJSON {
				lines := jsonLines(cmd.OutOrStdout())
				for _, c := range changes {
					if err := lines.Encode(newStampJSON(c)); err != nil {
						return err
					}
				}
			}
			path := relative(s.Path)
			switch {
			case check && !current:
				return fmt.Errorf("%s is stale: %s; run numcache stamp", path, changesText(changes))
			case asJSON:
				return nil
			case current:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is up to date: %s\n", path, count(len(s.Functions), "function"))
			default:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "Wrote %s: %s\n", path, changesText(changes))
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Out, "out", "stamp", "folder of the generated package, in which stamp.go is written")
	flags.StringVar(&o.Tags, "tags", "", "build tags, as for go build")
	flags.BoolVar(&check, "check", false, "write nothing, and fail where the file is stale")
	flags.BoolVar(&asJSON, "json", false, "print JSON, one function a line")
	return cmd
}

// stampJSON is a function as stamp --json prints it.
type stampJSON struct {
	Name     string      `json:"name"`
	Function string      `json:"function"`
	Position string      `json:"position"`
	Stamp    string      `json:"stamp"`
	State    stamp.State `json:"state"`
}

func newStampJSON(c stamp.Change) stampJSON {
	return stampJSON{c.Name, c.Function.Function, c.Position, c.Stamp, c.State}
}

// changesText names the functions whose stamps are not what they were.
func changesText(changes []stamp.Change) string {
	var parts []string
	for _, state := range []stamp.State{stamp.Changed, stamp.New, stamp.Removed} {
		var names []string
		for _, c := range changes {
			if c.State == state {
				names = append(names, c.Name)
			}
		}
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", state, strings.Join(names, " ")))
		}
	}
	if len(parts) == 0 {
		return "its stamps are right, its text is not"
	}
	return strings.Join(parts, ", ")
}

// relative returns a path as seen from here, where that is shorter.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
