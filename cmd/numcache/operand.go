package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// operand is the array that an argument names: a file, an array of the cache by its
// digest, or a result of a call by its key. It is read where and when it is needed, as
// far as its form lets it, so that it may be larger than memory.
type operand struct {
	array.Source              // nil where it is strings
	strings      *npy.Strings // nil where it is an array
	name         string       // as a person knows it, printable
	file         *npy.File    // nil where all is in memory
}

// Close gives back what the operand holds. It may be closed twice.
func (o *operand) Close() error {
	if o == nil || o.file == nil {
		return nil
	}
	err := o.file.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return err
}

// shape returns the extents of either form.
func (o *operand) shape() []int {
	if o.strings != nil {
		return o.strings.Shape
	}
	return o.Shape()
}

// operand opens what an argument names. Of a call it is the result of the given number,
// counted from 1, or with 0 the first one that is an array. What is 4 to 32 hex digits
// is no file, as with show.
func (p *program) operand(cmd *cobra.Command, name string, result int) (o *operand, err error) {
	if !isKeyPrefix(name) {
		if result != 0 {
			return nil, usage("--result is for a call, and %s is a file", printable(name))
		}
		return openFile(name)
	}
	c, err := p.openExisting(cmd)
	if err != nil {
		return nil, err
	}
	defer closing(c, &err)
	if digest, parseErr := array.ParseDigest(name); parseErr == nil && result == 0 {
		o, err := openObject(cmd.Context(), c, digest)
		if !errors.Is(err, memo.ErrNotFound) {
			return o, err
		}
	}
	found, err := findCalls(cmd.Context(), c, name)
	if err != nil {
		if errors.Is(err, errNoKey) && len(name) == 2*len(array.Digest{}) {
			err = fmt.Errorf("%s in %s: not found; it is neither the digest of a result nor the key of a call", name, c.Dir())
		}
		if _, statErr := os.Stat(name); statErr == nil {
			err = fmt.Errorf("%s; the file of that name is ./%s", reason(err), name)
		}
		return nil, err
	}
	if len(found) > 1 {
		return nil, severalCalls(name, found)
	}
	digest, err := resultArray(found[0], result)
	if err != nil {
		return nil, err
	}
	return openObject(cmd.Context(), c, digest)
}

// resultArray returns the array that is a result of a call.
func resultArray(r *memo.Record, result int) (array.Digest, error) {
	if result < 0 || result > len(r.Results) {
		return array.Digest{}, usage("--result %d: the call has %s", result, count(len(r.Results), "result"))
	}
	if result > 0 {
		arrays := r.Results[result-1].Arrays()
		switch len(arrays) {
		case 0:
			return array.Digest{}, fmt.Errorf("result %d of %s is no array: %s", result, r.Key, shorten(printable(r.Results[result-1].String()), maxCallText))
		case 1:
			return arrays[0].Digest, nil
		}
		return array.Digest{}, fmt.Errorf("result %d of %s holds %s; numcache show %s lists them, name one by its digest", result, r.Key, count(len(arrays), "array"), r.Key.String()[:8])
	}
	for _, v := range r.Results {
		if arrays := v.Arrays(); len(arrays) > 0 {
			return arrays[0].Digest, nil
		}
	}
	return array.Digest{}, fmt.Errorf("no result of %s is an array; numcache show %s shows them", r.Key, r.Key.String()[:8])
}

// openObject opens an array of the cache, verified.
func openObject(ctx context.Context, c *memo.Cache, digest array.Digest) (*operand, error) {
	o := &operand{name: digest.String()}
	// A file that is as it should be need not be held in memory; of any other one
	// Object says what is wrong, or reads what is compressed.
	if path := c.ObjectPath(digest); strings.HasSuffix(path, ".npy") {
		if f, err := npy.Open(path); err == nil {
			o.file = f
			if got, err := f.Hash(ctx); err == nil && got == digest {
				if o.Source, err = f.Source(); err == nil {
					return o, nil
				}
			}
			if err := o.Close(); err != nil {
				return nil, err
			}
			o.file = nil
		}
	}
	a, err := c.Object(ctx, digest)
	if err != nil {
		return nil, &objectError{digest, c.Dir(), err}
	}
	o.Source = a
	return o, nil
}

// objectError is an array that the cache cannot give.
type objectError struct {
	digest array.Digest
	dir    string
	err    error
}

func (e *objectError) Error() string {
	return fmt.Sprintf("%s in %s: %s", e.digest, e.dir, reason(e.err))
}
func (e *objectError) Unwrap() error { return e.err }

// openFile opens a .npy file, or reads a .npz file with one member.
func openFile(path string) (*operand, error) {
	o := &operand{name: printable(path)}
	if strings.HasSuffix(path, ".npz") {
		a, s, err := loadMember(path)
		if err != nil {
			return nil, err
		}
		if o.strings = s; s == nil {
			o.Source = a
		}
		return o, nil
	}
	f, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	o.file = f
	switch f.Header().Kind {
	case npy.Bytes, npy.Text:
		o.strings, err = f.Strings()
	default:
		if o.Source, err = f.Source(); errors.Is(err, npy.ErrUnsupported) {
			o.Source, err = f.Read() // in Fortran order, or nothing to read at all
		}
	}
	if err != nil {
		_ = o.Close() // it was only read
		return nil, err
	}
	return o, nil
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
		return nil, nil, fmt.Errorf("%s: it holds %s, and only a file that holds one will do; numcache show lists them", path, count(len(names), "member"))
	}
	if a, err = z.Read(names[0]); errors.Is(err, array.ErrDType) {
		s, err = z.Strings(names[0])
	}
	return a, s, err
}

// isMissing reports whether nothing is at a path.
func isMissing(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}
