package npy

import (
	"encoding"
	"fmt"
	"reflect"

	"github.com/numcache/numcache/array"
)

// Dump writes the whole of v to a .npz file at path, from which [Load] makes it
// again. It is in the place of joblib.dump, without pickle: each part of v is a
// member of its own, under a name that says where it is, so that Python reads
// np.load(path)["Model.Weights"], and [Archive] a single part without the others.
// ArchiveOptions.Level deflates. The file is written atomically, as [WriteFile]
// does; a v that is a pointer stands for what it points to.
//
// # What is stored, and how
//
// A member has the name of the path that leads to it, in field names, map keys and
// indices with dots between them: Layers.0.Bias, Scores.alpha. A v that is no
// struct, map or list is the member value. By type, the member is
//
//   - of [array.Array], [array.Any] and the matrices and vectors of gonum: the
//     array of the logical elements; gonum's views, such as a transpose, are
//     [ErrType], because Load could not make them again;
//   - of a slice or Go array of numbers: a 1-d array; of Go arrays of them, such as
//     [][3]float64: an n-d one;
//   - of a number or bool: a 0-d array; an int is an int64, a uint a uint64;
//   - of a string: a 0-d array of NumPy's U; of a slice or Go array of them: a 1-d
//     one;
//   - of a type with MarshalText and UnmarshalText, such as time.Time: that text, as
//     of a string.
//
// Structs, maps with keys of strings or integers, other slices and Go arrays, among
// them slices of slices, are made of members. Pointers and interfaces are as what
// they hold: two pointers to one value become two values. The name of a field is
// Go's, or that of its tag `npy:"name"`. A tag `npy:"-"` leaves the field out;
// `npy:",omitempty"` does if it is zero, and lets Load find nothing. An embedded
// struct is a field with the name of its type. An unexported field must be tagged
// "-", since it would be lost otherwise.
//
// # Notes
//
// A name that ends with a dot is no part of v but a note on the one before the dot
// (on v itself, the name "."), where the others do not tell everything:
//
//	Layers.  0-d int64      the length of a slice or Go array that is made of members
//	Scores.  1-d            the keys of a map, in order: U, int64 or uint64; none
//	                        where one is much longer than the others
//	Ptr.     0-d bool       False: nil, of a slice, map, pointer or interface.
//	                        True: a struct without members of its own
//	Ptr.     1-d bool       [True, False]: a pointer to something that is nil, and so on
//	M.       0-d U          the storage of a gonum matrix ("upper", "band 1 2"), or
//	                        "string" behind a uint8 array that is a string
//
// The latter are strings that NumPy cannot hold: with a NUL at the end, or not
// UTF-8. A slice with such a string, or one much longer than the others, is made of
// members.
//
// In field names and keys, and so in the note of a map, the dot, the slashes, the
// percent sign, control characters and bytes that are not UTF-8 are written as a
// percent sign and two hex digits; the empty key is a percent sign.
//
// # From Python
//
// np.savez writes what Load reads, under these names:
//
//	np.savez("model.npz", **{"Name": "iris", "Layers.0.Bias": b0, "Layers.1.Bias": b1, "Scores.a%2Eb": 0.5, "Parent.": False})
//
// The note may be left out of a list, whose elements are then those from 0 on, and
// of a map, whose keys are then those of the names. Wanted are the notes of what is
// nil, of what is empty ("Layers.": 0, "Scores.": np.array([], "U1")), and of bands
// ("M.": "band 1 1"). Elements have the type of the Go array or slice, float64 for
// gonum's; a time.Time is a string as "2024-05-06T07:08:09Z".
//
// # Errors
//
// [ErrType] names the path of what cannot be stored: functions, channels, unexported
// fields, maps with other keys, pointers that lead back to themselves, more than
// 1000 values inside each other. Every error is an [*Error], and leaves no file.
func Dump(path string, v any, options *ArchiveOptions) error {
	w, err := CreateArchive(path, options)
	if err != nil {
		return err
	}
	defer w.Abort()
	root := reflect.ValueOf(v)
	if root.Kind() == reflect.Pointer && !root.IsNil() && !leafType(root.Type()) {
		root = root.Elem()
	}
	d := &dumper{w: w, open: map[visit]bool{}}
	if err := d.value("", root, 0); err != nil {
		return onFile("dump", path, err)
	}
	if err := w.publish(); err != nil {
		return onFile("dump", path, err)
	}
	return nil
}

// maxNesting bounds how many values can stand inside each other.
const maxNesting = 1000

// dumper writes a value, part by part.
type dumper struct {
	w     *ArchiveWriter
	depth int
	open  map[visit]bool // what the current part is inside of
}

// visit is a value that can lead back to itself.
type visit struct {
	at     uintptr
	length int // of a slice
	t      reflect.Type
}

// value writes v, to which that many pointers led from the last field, key or
// index.
func (d *dumper) value(path string, v reflect.Value, pointers int) error {
	if !v.IsValid() {
		return d.null(path, pointers)
	}
	if d.depth++; d.depth > maxNesting {
		return failAt(path, fmt.Errorf("%w: more than %d values inside each other", ErrType, maxNesting))
	}
	defer func() { d.depth-- }()

	t := v.Type()
	switch {
	case isNil(v):
		return d.null(path, pointers)
	case leafType(t):
		return d.array(path, v)
	case leafType(reflect.PointerTo(t)):
		return d.array(path, addressable(v).Addr())
	case viewType(t):
		return failAt(path, fmt.Errorf("%w: Load cannot make a %s again; store a copy of it, as a *mat.Dense for instance", ErrType, t))
	case isText(t):
		text, err := marshal(v)
		if err != nil {
			return failAt(path, err)
		}
		return d.text(path, text)
	}
	switch t.Kind() {
	case reflect.Interface:
		return d.value(path, v.Elem(), pointers)
	case reflect.Pointer:
		return d.inside(path, visit{at: v.Pointer(), t: t}, func() error { return d.value(path, v.Elem(), pointers+1) })
	case reflect.String:
		return d.text(path, v.String())
	case reflect.Slice:
		return d.inside(path, visit{at: v.Pointer(), length: v.Len(), t: t}, func() error { return d.list(path, v) })
	case reflect.Array:
		return d.list(path, v)
	case reflect.Map:
		return d.inside(path, visit{at: v.Pointer(), t: t}, func() error { return d.mapping(path, v) })
	case reflect.Struct:
		return d.fields(path, v)
	}
	if _, ok := codecOf(t); ok {
		return d.numbers(path, v, nil, t)
	}
	return failAt(path, fmt.Errorf("%w: a value of type %s cannot be stored", ErrType, t))
}

// isNil reports whether v is a nil of a type that is stored.
func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return false
}

// inside runs f for the parts of a value, unless the value is a part of itself.
func (d *dumper) inside(path string, at visit, f func() error) error {
	if at.t.Kind() == reflect.Slice && at.length == 0 {
		return f() // all empty slices may lie at one place
	}
	if d.open[at] {
		return failAt(path, fmt.Errorf("%w: the %s leads back to itself", ErrType, at.t))
	}
	d.open[at] = true
	defer delete(d.open, at)
	return f()
}

// write writes a member.
func (d *dumper) write(name string, v any) error {
	if err := d.w.write(name+".npy", v); err != nil {
		return failAt(name, err)
	}
	return nil
}

// null notes that a value is nil, behind that many pointers that are not.
func (d *dumper) null(path string, pointers int) error {
	if pointers == 0 {
		return d.write(noteOf(path), scalar(false))
	}
	there := make([]bool, pointers+1)
	for i := range pointers {
		there[i] = true
	}
	return d.write(noteOf(path), there)
}

// array writes what has array's or gonum's type.
func (d *dumper) array(path string, v reflect.Value) error {
	value := v.Interface()
	if err := d.write(memberOf(path), value); err != nil {
		return err
	}
	if !array.IsMatrix(v.Type()) {
		return nil
	}
	if layout := array.Layout(value); layout != "" {
		return d.write(noteOf(path), layout)
	}
	return nil
}

// text writes a string.
func (d *dumper) text(path, s string) error {
	if holdsText(s) {
		return d.write(memberOf(path), s)
	}
	if err := d.write(memberOf(path), []byte(s)); err != nil {
		return err
	}
	return d.write(noteOf(path), noteString)
}

// marshal returns the text of a value for which isText holds.
func marshal(v reflect.Value) (string, error) {
	text, err := addressable(v).Addr().Interface().(encoding.TextMarshaler).MarshalText()
	return string(text), err
}

// addressable returns v, or a copy of it that can be pointed to.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
