package npy

import (
	"fmt"
	"slices"

	"github.com/numcache/numcache/array"
)

// Kind says what the elements of a file are.
type Kind uint8

// The kinds of elements.
const (
	Numeric Kind = iota + 1 // bools and numbers, which [array] holds
	Bytes                   // strings of bytes, NumPy's S
	Text                    // strings of Unicode, NumPy's U
	Void                    // bytes without a meaning, NumPy's V
	Struct                  // records of named fields
	Other                   // legal, and not read here: times, long doubles
)

// Type is the element type of a .npy file, NumPy's dtype.
type Type struct {
	Kind      Kind
	DType     array.DType // of Numeric, else 0
	BigEndian bool        // most significant byte first; of Numeric, Text and Other
	ItemSize  int         // bytes of one element; 0 for strings of no characters
	Fields    []Field     // of Struct, in the order of their offsets
	other     string      // of Other: the type string without byte order
}

// Field is one field of a Struct.
type Field struct {
	Name   string
	Title  string // a second name, usually ""
	Type   Type   // of one element
	Shape  []int  // of the array that the field holds; empty for a single element
	Offset int    // of the field within the record, in bytes
}

// numeric is the Type of an array's elements.
func numeric(d array.DType, bigEndian bool) Type {
	return Type{Kind: Numeric, DType: d, BigEndian: bigEndian, ItemSize: d.Size()}
}

// Descr returns the type as np.save writes it into a header: a type string such as
// <f8, |S5 or <U3, or for a Struct a list in Python's notation, such as
// [('x', '<f4'), (”, '|V4'), ('id', '<i8', (2,))], where bytes between fields are
// a field without a name.
func (t Type) Descr() string {
	if t.Kind == Struct {
		return string(t.appendDescr(nil))
	}
	order := "<"
	if t.BigEndian {
		order = ">"
	}
	switch t.Kind {
	case Numeric:
		if t.DType.Size() > 1 {
			return order + t.DType.Descr()[1:]
		}
		return t.DType.Descr()
	case Bytes:
		return fmt.Sprintf("|S%d", t.ItemSize)
	case Text:
		return fmt.Sprintf("%sU%d", order, t.ItemSize/4)
	case Void:
		return fmt.Sprintf("|V%d", t.ItemSize)
	}
	return order + t.other
}

// appendDescr appends the type as Python's literal, type strings in quotes.
func (t Type) appendDescr(dst []byte) []byte {
	if t.Kind != Struct {
		return appendQuoted(dst, t.Descr())
	}
	separator, end := "[", 0
	padding := func(to int) {
		if to > end {
			dst = fmt.Appendf(dst, "%s('', '|V%d')", separator, to-end)
			separator = ", "
		}
	}
	for _, f := range t.Fields {
		padding(f.Offset)
		dst = append(append(dst, separator...), '(')
		if f.Title != "" {
			dst = appendQuoted(append(dst, '('), f.Title)
			dst = append(appendQuoted(append(dst, ", "...), f.Name), ')')
		} else {
			dst = appendQuoted(dst, f.Name)
		}
		dst = f.Type.appendDescr(append(dst, ", "...))
		if len(f.Shape) > 0 {
			dst = append(append(dst, ", "...), array.FormatShape(f.Shape)...)
		}
		dst = append(dst, ')')
		separator, end = ", ", f.Offset+f.size()
	}
	padding(t.ItemSize)
	if separator == "[" {
		dst = append(dst, '[')
	}
	return append(dst, ']')
}

// len returns how many elements the field holds. A type that was read from a header
// holds no more than 2³¹ bytes of them.
func (f Field) len() int {
	n := 1
	for _, extent := range f.Shape {
		n *= extent
	}
	return n
}

func (f Field) size() int { return f.len() * f.Type.ItemSize }

// equal reports whether t and u are the same, field by field.
func (t Type) equal(u Type) bool {
	return t.Kind == u.Kind && t.DType == u.DType && t.BigEndian == u.BigEndian && t.ItemSize == u.ItemSize && t.other == u.other &&
		slices.EqualFunc(t.Fields, u.Fields, func(f, g Field) bool {
			return f.Name == g.Name && f.Title == g.Title && f.Offset == g.Offset && slices.Equal(f.Shape, g.Shape) && f.Type.equal(g.Type)
		})
}
