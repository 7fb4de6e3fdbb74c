package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

func (p *program) hashCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "hash FILE...",
		Short: "Print the array digests of .npy files",
		Long: `Print the digest of the array in each .npy file, 32 hex digits, and the file's
name. The digest is that of type, shape and elements: the same for C and Fortran
order, for little-endian and big-endian. A result in a cache is named by it.

A file that cannot be read is told on standard error, and the others are done;
the exit status is 1 then. With --json an object for each file: file, digest,
dtype, shape.`,
		Example: "  numcache hash x.npy y.npy",
		Args:    arguments(1, math.MaxInt, "at least one FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines := jsonLines(cmd.OutOrStdout())
			var failed error
			for _, path := range args {
				digest, h, err := npy.HashFile(cmd.Context(), path)
				if cmd.Context().Err() != nil {
					return err
				}
				if err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "numcache: %s\n", message(err))
					failed = errReported
					continue
				}
				if asJSON {
					err = lines.Encode(struct {
						File   string       `json:"file"`
						Digest array.Digest `json:"digest"`
						DType  string       `json:"dtype"`
						Shape  []int        `json:"shape"`
					}{path, digest, h.DType.Descr(), h.Shape})
				} else {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", digest, printable(path))
				}
				if err != nil {
					return err
				}
			}
			return failed
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one file a line")
	return cmd
}
