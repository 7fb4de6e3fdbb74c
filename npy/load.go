package npy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/numcache/numcache/array"
)

// Load reads what [Dump] wrote to the file at path into the variable that v points
// to, of the type that was dumped or one with the same names. What it makes is the
// caller's, and shares no memory. After an error the variable is as it was.
//
// The variable's type says what to read. Types must fit, with this freedom: integers
// may have another size if the number fits, and a number of floating point may have
// more bits, but not fewer. The elements of arrays must have the array's type. A
// field that is tagged omitempty may be missing and is then zero; else what is
// missing is [ErrMissing]. Members that v has no place for are passed over, unless
// ArchiveOptions.Strict is set; fields tagged "-" stay as they are, but not those
// behind pointers or in slices and maps, which are made anew.
//
// Into a variable of type any, and wherever any stands in a type, come nil, bool,
// int64, uint64, float64, complex128, string, []string, [array.Any], *[Strings] of
// two or more dimensions, []any, and map[string]any for maps and structs. So any
// archive can be loaded, np.savez's too: dots in names then make maps in maps. Of
// other interfaces, such as mat.Matrix, it is not known what they should hold: Dump
// takes them, and Load wants a variable of a concrete type.
//
// A type that does not fit is [ErrType], with the path and both types, and a
// damaged or forged file [ErrFormat] or one of these. Every error is an [*Error].
// Options are those of [OpenArchive], whose [Archive.Load] takes them.
func Load(path string, v any) error {
	a, err := OpenArchive(path, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Load("", v)
}

// Load is the function [Load] for what stands at a path in the archive, as [Dump]
// names it: "Layers.0" for one layer. The empty path is the whole.
func (a *Archive) Load(at string, v any) error {
	return a.onFile("load", a.load(at, v))
}

func (a *Archive) load(at string, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("%w: Load wants a pointer to a variable, not %T", ErrType, v)
	}
	target = target.Elem()
	l := &loader{a: a, used: map[string]bool{}}
	for _, name := range a.names {
		l.sorted = append(l.sorted, sortable(name))
	}
	slices.Sort(l.sorted)
	loaded := reflect.New(target.Type()).Elem()
	loaded.Set(target)
	if err := l.value(at, loaded, 0); err != nil {
		return err
	}
	if a.options.Strict {
		for _, name := range a.names {
			if (at == "" || name == at || strings.HasPrefix(name, at+".")) && !l.used[name] {
				return fmt.Errorf("%w: %s has no place for member %.200q, and ArchiveOptions.Strict is set", ErrType, target.Type(), name)
			}
		}
	}
	target.Set(loaded)
	return nil
}

// loader makes a value of an archive's members.
type loader struct {
	a      *Archive
	sorted []string        // the sortable names
	used   map[string]bool // members that were read
	depth  int
	maps   int // that were made for an any
}

// sortable is a name so that what is below a path follows it at once. No name has
// a NUL.
func sortable(name string) string { return strings.ReplaceAll(name, ".", "\x00") }

// read reads a member.
func (l *loader) read(name string) (any, error) {
	v, err := l.a.value(name)
	l.used[name] = true
	return v, err
}

// has reports whether something stands at a path.
func (l *loader) has(path string) bool {
	if path == "" {
		return true // an empty archive is an empty map
	}
	if l.a.Has(path) || l.a.Has(noteOf(path)) {
		return true
	}
	below := sortable(path) + "\x00"
	i, _ := slices.BinarySearch(l.sorted, below)
	return i < len(l.sorted) && strings.HasPrefix(l.sorted[i], below)
}

// parts lists the names of what stands below a path.
func (l *loader) parts(path string) []string {
	below := ""
	if path != "" {
		below = sortable(path) + "\x00"
	}
	var names []string
	for i, _ := slices.BinarySearch(l.sorted, below); i < len(l.sorted); {
		rest, ok := strings.CutPrefix(l.sorted[i], below)
		if !ok {
			break
		}
		name, _, deeper := strings.Cut(rest, "\x00")
		if name != "" {
			names = append(names, name)
		}
		i++
		if deeper && name != "" { // past all that is below it
			i, _ = slices.BinarySearch(l.sorted, below+name+"\x01")
		}
	}
	return slices.Compact(names)
}

// describe says what stands at a path, for errors.
func (l *loader) describe(path string) string {
	if name := memberOf(path); l.a.Has(name) {
		h, err := l.a.header(name)
		switch {
		case err != nil:
			return "something unreadable"
		case h.Kind == Numeric:
			return h.DType.String() + " " + array.FormatShape(h.Shape)
		case h.Kind == Text || h.Kind == Bytes:
			return "strings " + array.FormatShape(h.Shape)
		}
		return h.Descr() + " " + array.FormatShape(h.Shape)
	}
	switch n, err := l.note(path); {
	case err != nil:
		return "a note that cannot be read"
	case n.kind == noteNil:
		return "nil"
	case n.kind == noteLength:
		return fmt.Sprintf("a list of %d", n.length)
	case n.kind == noteKeys:
		return fmt.Sprintf("a map of %d", len(n.keys))
	}
	return "named parts"
}

// missing says that nothing stands at a path, and what there is.
func (l *loader) missing(path string) error {
	return failAt(path, fmt.Errorf("%w%s", ErrMissing, l.a.nearest(memberOf(path))))
}

// mismatch says that what stands at a path, if anything does, does not fit t.
func (l *loader) mismatch(path string, t reflect.Type) error {
	if !l.has(path) || len(l.a.names) == 0 {
		return l.missing(path)
	}
	return failAt(path, fmt.Errorf("%w: the file holds %s, the variable is %s", ErrType, l.describe(path), t))
}
