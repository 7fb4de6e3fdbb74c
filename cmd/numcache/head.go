package main

import (
	"slices"

	"github.com/spf13/cobra"
)

func (p *program) headCommand() *cobra.Command {
	var f form
	var rows int
	cmd := &cobra.Command{
		Use:   "head KEY|DIGEST|FILE",
		Short: "Print the first rows of a .npy file, or of a cached result",
		Long: `Print the first ten rows of an array, or as many as --rows says, in the forms of
numcache cat. A row is a part along the first axis: of a vector one value, of an array
of three dimensions a matrix. Of a file in C order no more than that is read; a result
of the cache is verified first, which reads all of it.`,
		Example: "  numcache head scores.npy\n  numcache head 3dbbec46 -n 3 --csv",
		Args:    arguments(1, 1, "one KEY, DIGEST or FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rows < 1 {
				return usage("--rows is %d; it begins with 1", rows)
			}
			return p.print(cmd, args[0], f, func(shape []int) []int {
				if shape = slices.Clone(shape); len(shape) > 0 {
					shape[0] = min(shape[0], rows)
				}
				return shape
			})
		},
	}
	cmd.Flags().IntVarP(&rows, "rows", "n", 10, "print `N` rows")
	f.flags(cmd)
	return cmd
}
