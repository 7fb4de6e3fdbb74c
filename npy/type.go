package npy

import (
	"fmt"
	"strings"

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

// Descr returns the type as np.save writes it into a header, for instance <f8,
// |S5, <U3, or for a Struct a list such as [('x', '<f4'), ('id', '<i8', (2,))].
func (t Type) Descr() string {
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
	case Struct:
		var b strings.Builder
		return b.String()
	}
	return order + t.other
}
