package main

import (
	"github.com/spf13/cobra"
)

func (p *program) catCommand() *cobra.Command {
	var f form
	cmd := &cobra.Command{
		Use:   "cat KEY|DIGEST|FILE",
		Short: "Print the values of a .npy file, or of a cached result",
		Long: `Print the values of a .npy file, of a .npz file with one member, of the result
in the cache that has the given digest of 32 hex digits, or of the call that has a key,
which stands for the first array among its results (a file of such a name is ./NAME). A
row along the last axis is one line, its values separated by tabs. Floats have the
fewest digits that give the same bits back, and nan, inf, -inf; a complex number is
1+2j.

With --csv the values of a line are separated by commas, and a vector is a column; an
array of more than two dimensions has no such form.

With --json one line: nested lists, or a single value for a 0-d array. JSON has no
NaN and no infinities: they are the strings "NaN", "Infinity", "-Infinity". A
complex number is the list of its real and imaginary part.

Strings are printed as they are, except that what a terminal would obey is replaced;
with --csv only on a terminal. A file of records has fields, which numcache show lists,
and no values to print.`,
		Example: "  numcache cat scores.npy | tail -3\n  numcache cat 3dbbec467ceba150bd0e18328cc3a754 --json\n  numcache cat 3dbbec46 --csv > scores.csv",
		Args:    arguments(1, 1, "one KEY, DIGEST or FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.print(cmd, args[0], f, func(shape []int) []int { return shape })
		},
	}
	f.flags(cmd)
	return cmd
}

// form is how values are printed.
type form struct{ asJSON, asCSV bool }

func (f *form) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&f.asCSV, "csv", false, "print CSV")
}

// print prints the values of what an argument names, as many as the shape has that
// shorten makes of its own.
func (p *program) print(cmd *cobra.Command, name string, f form, shorten func(shape []int) []int) (err error) {
	if f.asJSON && f.asCSV {
		return usage("--csv and --json are two forms; choose one")
	}
	o, err := p.operand(cmd, name, 0)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, o.Close()) }()
	out := cmd.OutOrStdout()
	var v *values
	switch {
	case o.strings != nil && f.asCSV:
		v = newValues(cmd.Context(), out, o.strings.Shape, csvText(o.strings, isTerminal(out)))
	case o.strings != nil:
		v = newValues(cmd.Context(), out, o.strings.Shape, stringText(o.strings, f.asJSON))
	default:
		v = newArrayValues(cmd.Context(), out, o, f.asJSON)
	}
	v.shape = shorten(v.shape)
	switch {
	case f.asJSON:
		return v.nested()
	case f.asCSV:
		return v.csv()
	}
	return v.rows()
}
