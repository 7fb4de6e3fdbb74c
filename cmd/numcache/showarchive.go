package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// memberJSON is what a .npz file says of one of its members.
type memberJSON struct {
	Member string `json:"member"`
	fileJSON
}

// showArchive lists the members of a .npz file. Their elements are not read.
func showArchive(cmd *cobra.Command, path string, asJSON bool) error {
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	lines := jsonLines(cmd.OutOrStdout())
	var b strings.Builder
	fmt.Fprintf(&b, "file    %s\nholds   %s\n", printable(path), count(len(a.Names()), "member"))
	for _, name := range a.Names() {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		h, err := a.Header(name)
		// A member that is no array, or one of Python objects, is listed as such.
		foreign := errors.Is(err, npy.ErrFormat) || errors.Is(err, npy.ErrUnsupported)
		switch {
		case err != nil && !foreign:
			return err
		case asJSON && foreign:
			err = lines.Encode(struct {
				Member string `json:"member"`
				File   string `json:"file"`
				Error  string `json:"error"`
			}{name, path, err.Error()})
		case asJSON:
			err = lines.Encode(memberJSON{name, fileJSON{
				File: path, DType: h.Descr(), Shape: h.Shape, Fortran: h.Fortran, BigEndian: h.BigEndian, Fields: fieldsJSON(h.Fields)}})
		case foreign:
			fmt.Fprintf(&b, "member  %s  no array\n", printable(name))
			err = nil
		default:
			fmt.Fprintf(&b, "member  %s  %s  %s\n", printable(name), dtypeText(h.Type), array.FormatShape(h.Shape))
		}
		if err != nil {
			return err
		}
	}
	if asJSON {
		return nil
	}
	_, err = cmd.OutOrStdout().Write([]byte(b.String()))
	return err
}
