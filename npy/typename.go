package npy

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/numcache/numcache/array"
)

// typeNames are the names that NumPy has for types besides a letter and a size, on
// linux with 64 bits: of one character, which may follow a byte order, and longer,
// which may not. Those of C and Python mean what they mean there.
var typeNames = map[string]string{
	"?": "b1", "b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4",
	"l": "i8", "L": "u8", "q": "i8", "Q": "u8", "p": "i8", "P": "u8",
	"e": "f2", "f": "f4", "d": "f8", "g": "f16", "F": "c8", "D": "c16", "G": "c32",
	"S": "S0", "a": "S0", "c": "S1", "U": "U0", "V": "V0", "M": "M8", "m": "m8", "O": "O8",

	"bool": "b1", "bool_": "b1", "bool8": "b1",
	"int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8",
	"byte": "i1", "short": "i2", "intc": "i4", "int_": "i8", "int": "i8", "int0": "i8", "intp": "i8", "long": "i8", "longlong": "i8",
	"ubyte": "u1", "ushort": "u2", "uintc": "u4", "uint": "u8", "uint0": "u8", "uintp": "u8", "ulong": "u8", "ulonglong": "u8",
	"float16": "f2", "float32": "f4", "float64": "f8", "float128": "f16",
	"half": "f2", "single": "f4", "double": "f8", "float": "f8", "float_": "f8", "longdouble": "f16", "longfloat": "f16",
	"complex64": "c8", "complex128": "c16", "complex256": "c32", "csingle": "c8", "singlecomplex": "c8",
	"cdouble": "c16", "cfloat": "c16", "complex": "c16", "complex_": "c16",
	"clongdouble": "c32", "clongfloat": "c32", "longcomplex": "c32",
	"bytes": "S0", "bytes_": "S0", "bytes0": "S0", "string_": "S0",
	"str": "U0", "str_": "U0", "str0": "U0", "unicode": "U0", "unicode_": "U0",
	"void": "V0", "void0": "V0", "object": "O8", "object_": "O8", "object0": "O8",
}

// parseTypeName reads a type string as numpy.dtype does: <f8, |S3, >M8[ns], float64.
func parseTypeName(name string) (Type, error) {
	// Nearly every file has one of these.
	if d, big, err := array.ParseDType(name); err == nil {
		return numeric(d, big), nil
	}
	order, code := byte('='), name
	if name != "" && strings.IndexByte("<>=|", name[0]) >= 0 {
		order, code = name[0], name[1:]
		if order == '|' {
			order = '='
		}
	}
	if code == "" {
		return Type{}, badName(name)
	}
	if strings.Contains(name, ",") || code[0] >= '0' && code[0] <= '9' {
		return Type{}, fmt.Errorf("%w: element type %.100q is a list in a string; np.save writes a list of fields", ErrUnsupported, name)
	}
	if full, ok := typeNames[code]; ok && (len(code) == 1 || code == name) {
		code = full
	}
	if of, unit, ok := cutTime(code); ok {
		if unit, ok = parseUnit(unit); !ok {
			return Type{}, badName(name)
		}
		return Type{Kind: Other, BigEndian: bigEndian(order), ItemSize: 8, other: of + unit}, nil
	}
	size, err := strconv.ParseInt(strings.TrimLeft(code[1:], " \t\n\v\f\r"), 10, 32)
	if err != nil || size < 0 {
		return Type{}, badName(name)
	}
	switch kind := code[0]; kind {
	case 'S', 'a':
		return Type{Kind: Bytes, ItemSize: int(size)}, nil
	case 'V':
		return Type{Kind: Void, ItemSize: int(size)}, nil
	case 'U':
		if size > math.MaxInt32/4 {
			return Type{}, badName(name)
		}
		return Type{Kind: Text, BigEndian: bigEndian(order), ItemSize: int(size) * 4}, nil
	case 'O':
		if size != 4 && size != 8 {
			return Type{}, badName(name)
		}
		return Type{}, fmt.Errorf("%w: element type %.100q is Python objects, which are pickled, and unpickling runs code; save a numeric array instead", ErrUnsupported, name)
	default:
		code = fmt.Sprintf("%c%d", kind, size)
		if code == "f16" || code == "c32" {
			return Type{Kind: Other, BigEndian: bigEndian(order), ItemSize: int(size), other: code}, nil
		}
		d, big, err := array.ParseDType(string(order) + code)
		if err != nil {
			return Type{}, badName(name)
		}
		return numeric(d, big), nil
	}
}

func badName(name string) error { return fmt.Errorf("%w: %.100q", errDescr, name) }

// bigEndian says what a byte order of <, > or = is on this machine.
func bigEndian(order byte) bool {
	_, big, _ := array.ParseDType(string(order) + "u2")
	return big
}
