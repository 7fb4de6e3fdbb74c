package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

func (p *program) catCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "cat FILE|DIGEST",
		Short: "Print the values of a .npy file, or of a cached result",
		Long: `Print the values of a .npy file, of a .npz file with one member, or of the result
in the cache that has the given digest of 32 hex digits (a file of such a name is
./NAME). A row along the last axis is one line, its values separated by tabs. Floats
have the fewest digits that give the same bits back, and nan, inf, -inf; a complex
number is 1+2j.

With --json one line: nested lists, or a single value for a 0-d array. JSON has no
NaN and no infinities: they are the strings "NaN", "Infinity", "-Infinity". A
complex number is the list of its real and imaginary part.

Strings are printed as they are, except that what a terminal would obey is replaced;
a file of records has fields, which numcache show lists, and no values to print.`,
		Example: "  numcache cat scores.npy | head -3\n  numcache cat 3dbbec467ceba150bd0e18328cc3a754 --json",
		Args:    arguments(1, 1, "one FILE or DIGEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, s, err := p.load(cmd, args[0])
			if err != nil {
				return err
			}
			var v *values
			if s != nil {
				v = newStringValues(cmd.Context(), cmd.OutOrStdout(), s, asJSON)
			} else {
				v = newValues(cmd.Context(), cmd.OutOrStdout(), a, asJSON)
			}
			if asJSON {
				return v.nested()
			}
			return v.rows()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// load reads what a digest or a file name stands for: an array or, with a file,
// strings.
func (p *program) load(cmd *cobra.Command, name string) (a array.Any, s *npy.Strings, err error) {
	digest, err := array.ParseDigest(name)
	switch {
	case err == nil:
		a, err = p.loadResult(cmd, digest)
	case strings.HasSuffix(name, ".npz"):
		return loadMember(name)
	default:
		if a, err = npy.ReadFile(name); errors.Is(err, npy.ErrUnsupported) {
			if s, stringsErr := npy.ReadStrings(name); stringsErr == nil {
				return nil, s, nil
			}
		}
	}
	return a, nil, err
}

// loadResult reads an array that the cache holds.
func (p *program) loadResult(cmd *cobra.Command, digest array.Digest) (a array.Any, err error) {
	c, err := p.openExisting(cmd)
	if err != nil {
		return nil, err
	}
	defer closing(c, &err)
	if a, err = c.Object(cmd.Context(), digest); err != nil {
		return nil, fmt.Errorf("%s in %s: %s", digest, c.Dir(), reason(err))
	}
	return a, nil
}

// loadMember reads the one member of a .npz file, such as a compressed result.
func loadMember(path string) (a array.Any, s *npy.Strings, err error) {
	z, err := npy.OpenArchive(path, nil)
	if err != nil {
		return nil, nil, err
	}
	defer z.Close()
	names := z.Names()
	if len(names) != 1 {
		return nil, nil, fmt.Errorf("%s: it holds %s, and cat prints a file that holds one; numcache show lists them", path, count(len(names), "member"))
	}
	if a, err = z.Read(names[0]); errors.Is(err, array.ErrDType) {
		s, err = z.Strings(names[0])
	}
	return a, s, err
}

// values writes the elements of an array as text.
type values struct {
	out    *bufio.Writer
	shape  []int
	append func(dst []byte, i int) []byte
	buffer []byte
}

// newValues makes sure that a long output ends with ctx.
func newValues(ctx context.Context, w io.Writer, a array.Any, asJSON bool) *values {
	return &values{
		out:    bufio.NewWriterSize(contextWriter{ctx, w}, 1<<16),
		shape:  a.Shape(),
		append: elementText(a, asJSON),
	}
}

// newStringValues is newValues of strings.
func newStringValues(ctx context.Context, w io.Writer, s *npy.Strings, asJSON bool) *values {
	return &values{
		out:    bufio.NewWriterSize(contextWriter{ctx, w}, 1<<16),
		shape:  s.Shape,
		append: stringText(s, asJSON),
	}
}

// element writes the i-th element and what separates it from the next. An error
// comes back once the buffer is full, early enough to stop.
func (v *values) element(i int, separator string) error {
	v.buffer = append(v.append(v.buffer[:0], i), separator...)
	_, err := v.out.Write(v.buffer)
	return err
}

// rows writes a line for each row along the last axis.
func (v *values) rows() error {
	lines, length := 1, 1
	if n := len(v.shape); n > 0 {
		length = v.shape[n-1]
		for _, extent := range v.shape[:n-1] {
			lines *= extent
		}
	}
	for line := range lines {
		for i := range length {
			separator := "\t"
			if i == length-1 {
				separator = "\n"
			}
			if err := v.element(line*length+i, separator); err != nil {
				return err
			}
		}
		if length == 0 {
			if err := v.out.WriteByte('\n'); err != nil {
				return err
			}
		}
	}
	return v.out.Flush()
}

// nested writes all elements as nested JSON lists on one line.
func (v *values) nested() error {
	if _, err := v.list(0, 0); err != nil {
		return err
	}
	if err := v.out.WriteByte('\n'); err != nil {
		return err
	}
	return v.out.Flush()
}

// list writes the part of the array at the given axis that begins with element i,
// and returns the element that follows it.
func (v *values) list(axis, i int) (next int, err error) {
	if axis == len(v.shape) {
		return i + 1, v.element(i, "")
	}
	if err := v.out.WriteByte('['); err != nil {
		return i, err
	}
	for k := range v.shape[axis] {
		if k > 0 {
			if err := v.out.WriteByte(','); err != nil {
				return i, err
			}
		}
		if i, err = v.list(axis+1, i); err != nil {
			return i, err
		}
	}
	return i, v.out.WriteByte(']')
}

// contextWriter fails once its context has ended.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
