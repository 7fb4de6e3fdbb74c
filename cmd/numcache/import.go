package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/npy/joblib"
)

func (p *program) importCommand() *cobra.Command {
	var o importing
	cmd := &cobra.Command{
		Use:   "import FILE...|JOBLIB_CACHE_DIR...",
		Short: "Turn what Python's joblib wrote into .npy and .npz files",
		Long: `Read files that joblib.dump or pickle.dump wrote, without executing anything in them,
and write what they hold as .npy, where that is one array, or else as .npz: its
members are named by the keys and indices that lead to them, layers.0.bias, and
numpy.load opens it. A file that holds more than arrays, numbers and text in lists
and dicts is refused, and told on standard error by the name of what it holds; the
others are done, and the exit status is 1 then.

A folder is a cache of joblib.Memory: every result in it is written to a file of its
own, in folders named by the function, and listed with the function, the arguments as
Python printed them, and the time that the call took. With --list nothing is
written, and no result read.

With --json an object for each file: source, file, arrays, bytes, and for calls also
function, id, args, duration, created.`,
		Example: "  numcache import model.pkl.gz\n  numcache import --list ~/joblib-cache\n  numcache import --out arrays ~/joblib-cache",
		Args:    arguments(1, math.MaxInt, "at least one FILE or JOBLIB_CACHE_DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cmd, o.out, o.errs = cmd, cmd.OutOrStdout(), cmd.ErrOrStderr()
			failed := false
			for _, path := range args {
				ok, err := o.source(path)
				if err != nil {
					return err
				}
				failed = failed || !ok
			}
			if failed {
				return errReported
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "out", ".", "write into the folder `DIR`")
	flags.BoolVar(&o.force, "force", false, "replace files that are there")
	flags.BoolVar(&o.list, "list", false, "of caches, list the calls and write nothing")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON, one file a line")
	return cmd
}

// importing is one run of the command.
type importing struct {
	cmd                 *cobra.Command
	out, errs           io.Writer
	dir                 string
	force, list, asJSON bool
}

// imported is what is told of a file.
type imported struct {
	Source string    `json:"source"`
	File   string    `json:"file,omitempty"`
	Arrays int       `json:"arrays"`
	Bytes  int64     `json:"bytes"` // of the arrays
	Call   *callInfo `json:",omitempty"`
}

// callInfo is what joblib noted of a call.
type callInfo struct {
	Function string            `json:"function"`
	ID       string            `json:"id"`
	Args     map[string]string `json:"args"`
	Duration float64           `json:"duration"`
	Created  time.Time         `json:"created"`
}

// source imports one argument, and reports whether all of it could be. An error ends the
// run.
func (o *importing) source(path string) (ok bool, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		target := filepath.Join(o.dir, stem(filepath.Base(path)))
		return o.report(&imported{Source: path}, o.file(path, target))
	}
	ok = true
	for c, err := range joblib.Calls(path) {
		if err := o.cmd.Context().Err(); err != nil {
			return false, err
		}
		if err != nil {
			ok = false
			o.complain(err)
		}
		if c == nil {
			continue
		}
		found := &imported{Source: c.Path, Call: &callInfo{c.Function, c.ID, c.Args, c.Duration.Seconds(), c.Created.UTC()}}
		do := func(*imported) error { return nil }
		if !o.list {
			do = o.file(c.Path, filepath.Join(o.dir, filepath.FromSlash(c.Function), c.ID))
		}
		done, err := o.report(found, do)
		if err != nil {
			return false, err
		}
		ok = ok && done
	}
	return ok, nil
}

func (o *importing) complain(err error) {
	fmt.Fprintf(o.errs, "numcache: %s\n", message(err))
}

// report does one file and tells of it. An error is one of writing what is told.
func (o *importing) report(f *imported, do func(*imported) error) (ok bool, err error) {
	if err := do(f); err != nil {
		o.complain(err)
		return false, o.cmd.Context().Err()
	}
	if o.asJSON {
		if f.Call == nil {
			return true, jsonLines(o.out).Encode(f)
		}
		return true, jsonLines(o.out).Encode(struct {
			*imported
			*callInfo
			Call *struct{} `json:",omitempty"` // hides the other one
		}{f, f.Call, nil})
	}
	var parts []string
	if c := f.Call; c != nil {
		var args []string
		for _, name := range slices.Sorted(maps.Keys(c.Args)) {
			args = append(args, name+"="+c.Args[name])
		}
		parts = append(parts, c.Function+"("+shorten(strings.Join(args, ", "), maxCallText)+")", durationText(time.Duration(c.Duration*float64(time.Second))))
	} else {
		parts = append(parts, f.Source)
	}
	if f.File != "" {
		parts = append(parts, "→ "+f.File, fmt.Sprintf("%s, %s", count(f.Arrays, "array"), bytesText(f.Bytes)))
	}
	_, err = fmt.Fprintln(o.out, printable(strings.Join(parts, "  ")))
	return true, err
}

// maxParts bounds how many values an imported file may have, a value that is several
// times in it counted each time: the same list may be in it very often.
const maxParts = 1 << 20

// file returns what turns the joblib file at path into a file named target and .npy or
// .npz.
func (o *importing) file(path, target string) func(*imported) error {
	return func(f *imported) error {
		v, err := joblib.Load(path)
		if err != nil {
			return err
		}
		left := maxParts
		if !f.count(v, &left) {
			return fmt.Errorf("%s: it has more than %d values, some of them more than once", path, maxParts)
		}
		write := func() error { return npy.Dump(f.File, v, nil) }
		switch v.(type) {
		case array.Any, *npy.Strings:
			f.File = target + ".npy"
			write = func() error { return npy.WriteFile(f.File, v) }
		default:
			f.File = target + ".npz"
		}
		if _, err := os.Lstat(f.File); !o.force && !errors.Is(err, fs.ErrNotExist) {
			if err == nil {
				err = errors.New("it is there already; --force replaces it")
			}
			return fmt.Errorf("%s: %w", f.File, err)
		}
		if err := os.MkdirAll(filepath.Dir(f.File), 0o777); err != nil {
			return err
		}
		return write()
	}
}

// count counts the arrays in v; false where there are more values than are left.
func (f *imported) count(v any, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	switch v := v.(type) {
	case array.Any:
		f.Arrays++
		f.Bytes += int64(v.Len()) * int64(v.DType().Size())
	case *npy.Strings:
		f.Arrays++
		for _, s := range v.Data {
			f.Bytes += int64(len(s))
		}
	case []any:
		for _, item := range v {
			if !f.count(item, left) {
				return false
			}
		}
	case map[string]any:
		for _, item := range v {
			if !f.count(item, left) {
				return false
			}
		}
	case []joblib.Pair:
		for _, item := range v {
			if !f.count(item.Key, left) || !f.count(item.Value, left) {
				return false
			}
		}
	}
	return true
}

// suffixes are those of joblib's and pickle's files, and of compressed ones.
var suffixes = []string{".pkl", ".pickle", ".joblib", ".p", ".sav", ".z", ".gz", ".bz2", ".xz", ".lzma", ".lz4"}

// stem is a file's name without them: model of model.pkl.gz.
func stem(name string) string {
	for {
		extension := strings.ToLower(filepath.Ext(name))
		if extension == "" || len(extension) == len(name) || !slices.Contains(suffixes, extension) {
			return name
		}
		name = name[:len(name)-len(extension)]
	}
}
