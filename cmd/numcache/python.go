package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/memo/python"
)

func (p *program) pythonCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "python",
		Short: "Print numcache.py, which shares caches with Python",
		Long: `Print numcache.py, the Python module that memoizes functions of NumPy arrays in the
same caches: a call of the same name, version and arguments that one language
computed is a hit for the other. It needs Python 3.9, NumPy and xxhash, and says
itself how it is used.`,
		Example: "  numcache python > numcache.py",
		Args:    arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), python.Source)
			return err
		},
	}
}
