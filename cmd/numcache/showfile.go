package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// fileJSON is what a .npy file says of its array, and the array's digest.
type fileJSON struct {
	File      string        `json:"file"`
	Digest    *array.Digest `json:"digest,omitempty"`
	DType     string        `json:"dtype"`
	Shape     []int         `json:"shape"`
	Fortran   bool          `json:"fortran"`
	BigEndian bool          `json:"big_endian"`
	Fields    []fieldJSON   `json:"fields,omitempty"`
}

// fieldJSON is a field of the records in a file.
type fieldJSON struct {
	Name   string      `json:"name"`
	Title  string      `json:"title,omitempty"`
	DType  string      `json:"dtype"`
	Shape  []int       `json:"shape"`
	Offset int         `json:"offset"`
	Fields []fieldJSON `json:"fields,omitempty"`
}

func fieldsJSON(fields []npy.Field) (list []fieldJSON) {
	for _, f := range fields {
		shape := append([]int{}, f.Shape...) // JSON's [], not null
		list = append(list, fieldJSON{f.Name, f.Title, f.Type.Descr(), shape, f.Offset, fieldsJSON(f.Type.Fields)})
	}
	return list
}

func showFile(cmd *cobra.Command, path string, asJSON bool) error {
	digest, h, err := npy.HashFile(cmd.Context(), path)
	// A file that is no array of numbers has no digest, but a header to show.
	if err != nil && (!errors.Is(err, npy.ErrUnsupported) || h.Kind == 0) {
		return err
	}
	hashed := err == nil
	if asJSON {
		f := fileJSON{File: path, DType: h.Descr(), Shape: h.Shape, Fortran: h.Fortran, BigEndian: h.BigEndian, Fields: fieldsJSON(h.Fields)}
		if hashed {
			f.Digest, f.DType = &digest, h.DType.Descr()
		}
		return jsonLines(cmd.OutOrStdout()).Encode(f)
	}
	size, err := h.DataSize()
	if err != nil {
		return err
	}
	order := "C"
	if h.Fortran {
		order = "Fortran"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "file    %s\ndtype   %s\nshape   %s\norder   %s\nsize    %s\n",
		printable(path), dtypeText(h.Type), array.FormatShape(h.Shape), order, bytesText(size))
	if hashed {
		fmt.Fprintf(&b, "digest  %s\n", digest)
	}
	showFields(&b, "", h.Fields)
	_, err = cmd.OutOrStdout().Write([]byte(b.String()))
	return err
}

// dtypeText says in words what the elements of a file are.
func dtypeText(t npy.Type) string {
	endian := "little-endian"
	if t.BigEndian {
		endian = "big-endian"
	}
	switch t.Kind {
	case npy.Numeric:
		return fmt.Sprintf("%s, %s", t.DType, endian)
	case npy.Bytes:
		return fmt.Sprintf("strings of up to %s (%s)", count(t.ItemSize, "byte"), t.Descr())
	case npy.Text:
		return fmt.Sprintf("strings of up to %s (%s), %s", count(t.ItemSize/4, "character"), t.Descr(), endian)
	case npy.Void:
		return fmt.Sprintf("%s without a meaning (%s)", count(t.ItemSize, "byte"), t.Descr())
	case npy.Struct:
		return fmt.Sprintf("records of %s, %s each", count(len(t.Fields), "field"), bytesText(int64(t.ItemSize)))
	}
	return fmt.Sprintf("%s, %s", t.Descr(), endian)
}

// showFields writes a line for each field, and for those in it, with their names
// as ReadField takes them and their offsets in the record that holds them.
func showFields(b *strings.Builder, prefix string, fields []npy.Field) {
	for _, f := range fields {
		descr := f.Type.Descr()
		if f.Type.Kind == npy.Struct {
			descr = "record"
		}
		fmt.Fprintf(b, "field   %s  %s  %s  at byte %d", printable(prefix+f.Name), descr, array.FormatShape(f.Shape), f.Offset)
		if f.Title != "" {
			fmt.Fprintf(b, "  (%s)", printable(f.Title))
		}
		b.WriteByte('\n')
		showFields(b, prefix+f.Name+".", f.Type.Fields)
	}
}
