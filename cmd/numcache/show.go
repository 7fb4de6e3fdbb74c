package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

func (p *program) showCommand() *cobra.Command {
	var asJSON, why bool
	cmd := &cobra.Command{
		Use:   "show KEY|FILE",
		Short: "Tell everything about one call, or one .npy or .npz file",
		Long: `Tell everything that the cache knows of one call: its arguments, its results and
the files they are in, when and how long it was computed, by which program, and
when it was last used, which is noted at most hourly.
The first 4 or more hex digits of its key will do where no other key has them.
With --why also how it differs from the call of the function that is most like it:
which arguments are others, and in which rows, or which version.

What is not 4 to 32 hex digits is taken for a .npy file; ./abcd is one too. A file
of records shows their fields: name, type, shape and offset. A digest have only
arrays of numbers. A file whose name ends with .npz shows its members.

With --json one object. Of a call: what ls --json prints, and objects, the files
of the results, each with digest, dtype, shape, path, present, and the file's bytes.
With --why also why: cause, text, neighbour (a key), and changes, each with argument,
path, was, is, and rows, which are pairs of first and last.
Of a file: file, digest, dtype, shape, fortran, big_endian, fields. Each field has
name, title, dtype, shape, offset, and fields where it is a record itself. Of a .npz
file one object for each member: member, and the same without digest, or error where
it is no array.`,
		Example: "  numcache show 3dbbec46\n  numcache show scores.npy\n  numcache show model.npz\n  numcache show 3dbbec46 --why",
		Args:    arguments(1, 1, "one KEY or FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if !isKeyPrefix(args[0]) {
				if strings.HasSuffix(args[0], ".npz") {
					return showArchive(cmd, args[0], asJSON)
				}
				return showFile(cmd, args[0], asJSON)
			}
			c, err := p.openExisting(cmd)
			if err != nil {
				return err
			}
			defer closing(c, &err)
			found, err := findCalls(cmd.Context(), c, args[0])
			if err != nil {
				if _, statErr := os.Stat(args[0]); statErr == nil {
					err = fmt.Errorf("%s; the file of that name is ./%s", reason(err), args[0])
				}
				return err
			}
			if len(found) > 1 {
				return severalCalls(args[0], found)
			}
			r := found[0]
			var reasons *whyNeighbours
			if why {
				if reasons, err = compareCall(cmd.Context(), c, r); err != nil {
					return err
				}
			}
			if asJSON {
				return jsonLines(cmd.OutOrStdout()).Encode(struct {
					callJSON
					Objects []objectJSON `json:"objects"`
					Why     *whyJSON     `json:"why,omitempty"`
				}{newCallJSON(r), objectsOf(c, r.Results), reasons.json()})
			}
			return showCall(cmd.OutOrStdout(), c, r, reasons)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&why, "why", false, "compare with the most similar call of the function")
	return cmd
}

// minPrefix is how many digits of a key are asked for at least.
const minPrefix = 4

func isKeyPrefix(s string) bool {
	return len(s) >= minPrefix && len(s) <= 2*len(array.Digest{}) && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// findCalls returns the calls whose key begins with prefix, at least one.
func findCalls(ctx context.Context, c *memo.Cache, prefix string) (found []*memo.Record, err error) {
	for r, err := range c.Find(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if len(found) == 0 {
		return nil, &noKeyError{c.Dir(), prefix}
	}
	return found, nil
}

// errNoKey is a prefix that no key begins with.
var errNoKey = errors.New("no key")

// noKeyError says which prefix that is.
type noKeyError struct{ dir, prefix string }

func (e *noKeyError) Error() string {
	return fmt.Sprintf("no key in %s begins with %s; numcache ls lists them", e.dir, e.prefix)
}
func (e *noKeyError) Is(target error) bool { return target == errNoKey }

// maxCandidates is how many keys the error of an ambiguous prefix names.
const maxCandidates = 5

// severalCalls is the error of a prefix that should mean one call and means several.
func severalCalls(prefix string, found []*memo.Record) error {
	var names []string
	for _, r := range found {
		if len(names) == maxCandidates {
			names = append(names, "…")
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", r.Key, r.Function))
	}
	return fmt.Errorf("%s begins several keys: %s", prefix, strings.Join(names, ", "))
}

// objectJSON is an array of a result and where it is.
type objectJSON struct {
	Digest  array.Digest `json:"digest"`
	DType   string       `json:"dtype"`
	Shape   []int        `json:"shape"`
	Path    string       `json:"path"`
	Present bool         `json:"present"`
	Bytes   int64        `json:"bytes"` // of the file
}

func objectsOf(c *memo.Cache, values []memo.Value) []objectJSON {
	objects := []objectJSON{} // JSON's [], not null
	for _, v := range values {
		for _, a := range v.Arrays() {
			path := filepath.FromSlash(c.ObjectPath(a.Digest))
			o := objectJSON{Digest: a.Digest, DType: a.DType.Descr(), Shape: a.Shape, Path: path}
			if info, err := os.Stat(path); err == nil {
				o.Present, o.Bytes = true, info.Size()
			}
			objects = append(objects, o)
		}
	}
	return objects
}

func showCall(w io.Writer, c *memo.Cache, r *memo.Record, reasons *whyNeighbours) error {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-9s  %s\n", name, printable(value)) }
	line("key", r.Key.String())
	line("function", r.Function)
	line("version", r.Version)
	line("created", momentText(r.Created))
	line("used", momentText(r.Used()))
	line("duration", durationText(r.Duration))
	line("writer", r.Writer)
	line("size", bytesText(r.Size()))
	for i, v := range r.Args {
		line(numbered("argument", i), v.String())
		for _, a := range v.Arrays() {
			line("", "digest "+a.Digest.String())
		}
	}
	for i, v := range r.Results {
		line(numbered("result", i), v.String())
		for _, o := range objectsOf(c, []memo.Value{v}) {
			line("", "digest "+o.Digest.String())
			switch {
			case !o.Present:
				line("", o.Path+" (missing: the call will be computed anew)")
			case strings.HasSuffix(o.Path, ".npz"):
				line("", fmt.Sprintf("%s (compressed to %s, its member is data)", o.Path, bytesText(o.Bytes)))
			default:
				line("", o.Path)
			}
		}
	}
	for i, text := range reasons.lines() {
		name := ""
		if i == 0 {
			name = "why"
		}
		line(name, text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// numbered returns the name of the i-th value for the first column. Counting
// begins with 1, as people do.
func numbered(name string, i int) string {
	if name == "argument" {
		name = "arg"
	}
	return fmt.Sprintf("%s %d", name, i+1)
}
