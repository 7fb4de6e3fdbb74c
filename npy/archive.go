package npy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/numcache/numcache/array"
)

// Archive is an open .npz file: a zip of .npy files, by name. It is np.load's
// NpzFile. [OpenArchive] and [NewArchive] make one.
//
// Its methods may be called from several goroutines at once; Close only when the
// others have returned.
type Archive struct {
	path    string // "" for NewArchive
	r       io.ReaderAt
	close   func() error
	names   []string // without .npy, in the order of the file
	members map[string]*member
	options ArchiveOptions
}

// ArchiveOptions are settings of archives. nil and the zero value are the
// defaults.
type ArchiveOptions struct {
	// Level says how new members are written: 0, the default, stores them as
	// they are, so that they can be read at full speed; 1 (fastest) to 9
	// (smallest) deflate them.
	Level int
	// MaxInflated is how many bytes a deflated member may have once inflated; one
	// that has more is ErrTooLarge before memory for it is allocated. 0 is the
	// default, 16 GiB. Independently of it, a member that claims more than its
	// deflated bytes can hold (1032 times as many) is ErrFormat.
	MaxInflated int64
	// Strict makes Load refuse a file with members that its target has no place
	// for, with ErrType. By default they are passed over.
	Strict bool
}

// defaultMaxInflated is what MaxInflated 0 stands for.
const defaultMaxInflated = 16 << 30

// resolve returns the options with their defaults filled in.
func (o *ArchiveOptions) resolve() (ArchiveOptions, error) {
	var resolved ArchiveOptions
	if o != nil {
		resolved = *o
	}
	switch {
	case resolved.Level < 0 || resolved.Level > 9:
		return resolved, fmt.Errorf("npy: ArchiveOptions.Level %d is not in 0 to 9", resolved.Level)
	case resolved.MaxInflated < 0:
		return resolved, fmt.Errorf("npy: ArchiveOptions.MaxInflated %d is negative", resolved.MaxInflated)
	case resolved.MaxInflated == 0:
		resolved.MaxInflated = defaultMaxInflated
	}
	return resolved, nil
}

// OpenArchive opens the .npz file at path. It reads the list of members and
// checks that their names are safe and their bytes apart; the members are read
// when they are asked for. The caller must Close it.
//
// A file that is no zip, or has a member whose name is absolute, holds "..", a
// backslash or NUL, or is another's, or whose members share bytes, is [ErrFormat].
// Only a regular file is read, after symbolic links. Every error, of the archive's
// methods too, is an [*Error].
func OpenArchive(path string, options *ArchiveOptions) (*Archive, error) {
	a, err := openArchive(path, options)
	return a, onFile("read", path, err)
}

func openArchive(path string, options *ArchiveOptions) (*Archive, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var a *Archive
	if err == nil {
		a, err = NewArchive(f, info.Size(), options)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	a.path, a.close = path, f.Close
	return a, nil
}

// NewArchive is [OpenArchive] for size bytes of r, which must allow reads from
// several goroutines at once. Close does not close r. No error is an [*Error], as
// there is no path to name.
func NewArchive(r io.ReaderAt, size int64, options *ArchiveOptions) (*Archive, error) {
	resolved, err := options.resolve()
	if err != nil {
		return nil, err
	}
	a := &Archive{r: r, close: func() error { return nil }, options: resolved}
	if err := a.readDirectory(size); err != nil {
		return nil, err
	}
	return a, nil
}

// Close closes the file. What was read from it stays.
func (a *Archive) Close() error { return a.onFile("read", a.close()) }

// Names returns the names of all members as np.load's files attribute has them: in
// the order of the file, without the .npy at the end. Members that are no arrays
// are among them, but not the folders that other tools list.
func (a *Archive) Names() []string { return slices.Clone(a.names) }

// Has reports whether there is a member of this name, with or without .npy.
func (a *Archive) Has(name string) bool { return a.members[name] != nil }

// find returns a member by its name, with or without .npy.
func (a *Archive) find(name string) (*member, error) {
	if m := a.members[name]; m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("%w: %.200q%s", ErrMissing, name, a.nearest(name))
}

// nearest names, for errors, up to three members whose names begin most like one
// that is missing: a typing error is seldom in the first letter.
func (a *Archive) nearest(name string) string {
	best, names := 0, []string(nil)
	for _, member := range a.names {
		if strings.HasSuffix(member, ".") { // a note of Dump's
			continue
		}
		n := alike(name, member)
		if n > best || names == nil {
			best, names = n, nil
		}
		if n == best && len(names) < 3 {
			names = append(names, fmt.Sprintf("%.200q", member))
		}
	}
	if names == nil {
		return ""
	}
	return "; the nearest name is " + strings.Join(names, " or ")
}

// alike is how many bytes two names begin with that differ in case at most. It
// looks at no more than an error shows.
func alike(a, b string) int {
	n := 0
	for n < min(len(a), len(b), 200) && (a[n] == b[n] || a[n]|0x20 == b[n]|0x20) {
		n++
	}
	return n
}

// fail says which member of which archive an operation failed on.
func (a *Archive) fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrMissing) {
		err = fmt.Errorf("member %.200q: %w", name, err)
	}
	return a.onFile(op, err)
}

// onFile names the file of a failed operation, where it is known.
func (a *Archive) onFile(op string, err error) error {
	if a.path == "" {
		return err
	}
	return onFile(op, a.path, err)
}

// checkName refuses what is no name of a member, given with its .npy.
func checkName(full string) error {
	reason := ""
	switch {
	case full == "":
		reason = "is empty"
	case len(full) > 1<<16-1:
		reason = "has more than 65535 bytes"
	case !utf8.ValidString(full):
		reason = "is not UTF-8"
	case strings.ContainsAny(full, "\\\x00"):
		reason = "has a backslash or a NUL"
	case full[0] == '/':
		reason = "is an absolute path"
	case slices.Contains(strings.Split(full, "/"), ".."):
		reason = "leads out of its folder"
	}
	if reason != "" {
		return fmt.Errorf("%w: %.200q %s", ErrName, full, reason)
	}
	return nil
}

// bareName is a member's name without its .npy.
func bareName(full string) string { return strings.TrimSuffix(full, ".npy") }

// ReadArchive reads every member of the .npz file at path, by name, as
// [Archive.Read] does. One that is no numeric array is an error.
func ReadArchive(path string) (map[string]array.Any, error) {
	a, err := OpenArchive(path, nil)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	arrays := make(map[string]array.Any, len(a.names))
	for _, name := range a.names {
		if arrays[name], err = a.Read(name); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}
