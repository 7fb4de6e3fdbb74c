package array

import (
	"fmt"
	"strings"
)

// Element lists the Go types an array can hold. They are NumPy's fixed-size
// numeric types; int and uint are left out because their size depends on the
// machine.
type Element interface {
	bool |
		int8 | int16 | int32 | int64 |
		uint8 | uint16 | uint32 | uint64 |
		Half | float32 | float64 |
		complex64 | complex128
}

// DType names the element type of an array, as NumPy's dtype does. The zero
// value is not a type.
type DType uint8

// The element types of format 1.
const (
	Bool DType = iota + 1
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float16 // Go's type is Half
	Float32
	Float64
	Complex64
	Complex128
)

// dtypes holds, by DType, the name NumPy gives a type, its two-character code
// and its size in bytes.
var dtypes = [...]struct {
	name, code string
	size       int
}{
	Bool:       {"bool", "b1", 1},
	Int8:       {"int8", "i1", 1},
	Int16:      {"int16", "i2", 2},
	Int32:      {"int32", "i4", 4},
	Int64:      {"int64", "i8", 8},
	Uint8:      {"uint8", "u1", 1},
	Uint16:     {"uint16", "u2", 2},
	Uint32:     {"uint32", "u4", 4},
	Uint64:     {"uint64", "u8", 8},
	Float16:    {"float16", "f2", 2},
	Float32:    {"float32", "f4", 4},
	Float64:    {"float64", "f8", 8},
	Complex64:  {"complex64", "c8", 8},
	Complex128: {"complex128", "c16", 16},
}

// Valid reports whether d is one of the constants above.
func (d DType) Valid() bool { return d >= Bool && d <= Complex128 }

// Size returns the bytes of one element, 0 for an invalid d.
func (d DType) Size() int {
	if !d.Valid() {
		return 0
	}
	return dtypes[d].size
}

// String returns NumPy's name of the type, such as "float64".
func (d DType) String() string {
	if !d.Valid() {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Descr returns the type as a .npy header and an array digest spell it:
// little-endian, such as "<f8", or "|u1" where one byte has no order. An
// invalid d gives "".
func (d DType) Descr() string {
	if !d.Valid() {
		return ""
	}
	if dtypes[d].size == 1 {
		return "|" + dtypes[d].code
	}
	return "<" + dtypes[d].code
}

// swapUnit returns the bytes that change places together between byte orders:
// a complex number is two floats.
func (d DType) swapUnit() int {
	if d == Complex64 || d == Complex128 {
		return d.Size() / 2
	}
	return d.Size()
}

// ParseDType reads a type string of the array interface protocol
// (numpy.org/doc/stable/reference/arrays.interface.html), such as "<f8", ">i4"
// "=c16" (the machine's order) or "|u1". It returns the type and whether its bytes
// are big-endian, false where one byte has no order. A string that names no
// element type is [ErrDType].
func ParseDType(descr string) (d DType, bigEndian bool, err error) {
	order, code := byte('='), descr
	if descr != "" && strings.IndexByte("<>=|", descr[0]) >= 0 {
		order, code = descr[0], descr[1:]
	}
	if code == "?" {
		code = "b1"
	}
	for d := Bool; d <= Complex128; d++ {
		if dtypes[d].code != code {
			continue
		}
		if order == '|' && d.Size() > 1 {
			break // NumPy itself writes '|' only where order means nothing
		}
		big := order == '>' || order == '=' && !hostLittleEndian
		return d, big && d.Size() > 1, nil
	}
	return 0, false, fmt.Errorf("%w: %q is not a bool, integer, float16/32/64 or complex type", ErrDType, descr)
}

// SwapBytes reverses the byte order of the elements in b, which are of type d,
// in place. Bytes behind the last whole element are left alone, and all of them
// where d is invalid.
func SwapBytes(b []byte, d DType) {
	b = b[:len(b)-len(b)%max(d.Size(), 1)]
	switch d.swapUnit() {
	case 2:
		for ; len(b) >= 2; b = b[2:] {
			le.PutUint16(b, be.Uint16(b))
		}
	case 4:
		for ; len(b) >= 4; b = b[4:] {
			le.PutUint32(b, be.Uint32(b))
		}
	case 8:
		for ; len(b) >= 8; b = b[8:] {
			le.PutUint64(b, be.Uint64(b))
		}
	}
}

// dtypeOf returns the DType of T.
func dtypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case bool:
		return Bool
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case Half:
		return Float16
	case float32:
		return Float32
	case float64:
		return Float64
	case complex64:
		return Complex64
	default:
		return Complex128
	}
}
