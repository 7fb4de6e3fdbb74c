package main

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// elementText returns a function that appends the i-th element of a as text, or as
// JSON.
func elementText(a array.Any, asJSON bool) func(dst []byte, i int) []byte {
	number, complexNumber := appendFloat, appendComplex
	if asJSON {
		number, complexNumber = appendJSONFloat, appendJSONComplex
	}
	switch a := a.(type) {
	case *array.Array[bool]:
		return func(dst []byte, i int) []byte { return strconv.AppendBool(dst, a.Data()[i]) }
	case *array.Array[int8]:
		return signed(a)
	case *array.Array[int16]:
		return signed(a)
	case *array.Array[int32]:
		return signed(a)
	case *array.Array[int64]:
		return signed(a)
	case *array.Array[uint8]:
		return unsigned(a)
	case *array.Array[uint16]:
		return unsigned(a)
	case *array.Array[uint32]:
		return unsigned(a)
	case *array.Array[uint64]:
		return unsigned(a)
	case *array.Array[array.Half]:
		return func(dst []byte, i int) []byte {
			f, _ := strconv.ParseFloat(a.Data()[i].String(), 64) // of as few digits as a float16 needs
			return number(dst, f, 64)
		}
	case *array.Array[float32]:
		return func(dst []byte, i int) []byte { return number(dst, float64(a.Data()[i]), 32) }
	case *array.Array[float64]:
		return func(dst []byte, i int) []byte { return number(dst, a.Data()[i], 64) }
	case *array.Array[complex64]:
		return func(dst []byte, i int) []byte { return complexNumber(dst, complex128(a.Data()[i]), 32) }
	case *array.Array[complex128]:
		return func(dst []byte, i int) []byte { return complexNumber(dst, a.Data()[i], 64) }
	}
	panic("numcache: an array of a type that package array does not have")
}

// stringText returns a function that appends the i-th string of s as text, or as
// JSON, in which bytes that are no UTF-8 are replaced.
func stringText(s *npy.Strings, asJSON bool) func(dst []byte, i int) []byte {
	return func(dst []byte, i int) []byte {
		if !asJSON {
			return append(dst, printable(s.Data[i])...)
		}
		quoted, _ := json.Marshal(s.Data[i]) // a string is always JSON
		return append(dst, quoted...)
	}
}

func signed[T int8 | int16 | int32 | int64](a *array.Array[T]) func([]byte, int) []byte {
	return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Data()[i]), 10) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](a *array.Array[T]) func([]byte, int) []byte {
	return func(dst []byte, i int) []byte { return strconv.AppendUint(dst, uint64(a.Data()[i]), 10) }
}

// appendFloat writes the shortest text that reads back as f, a float of the given
// bits, with the names that NumPy reads for what is no number.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func appendComplex(dst []byte, c complex128, bits int) []byte {
	dst = appendFloat(dst, real(c), bits)
	if im := imag(c); math.IsNaN(im) || !math.Signbit(im) {
		dst = append(dst, '+')
	}
	return append(appendFloat(dst, imag(c), bits), 'j')
}

func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func appendJSONComplex(dst []byte, c complex128, bits int) []byte {
	dst = appendJSONFloat(append(dst, '['), real(c), bits)
	dst = appendJSONFloat(append(dst, ','), imag(c), bits)
	return append(dst, ']')
}
