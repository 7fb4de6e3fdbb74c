package array

import (
	"bytes"
	"math"
	"strconv"
)

// columnOf returns a function that appends the i-th element of a as text, all of
// them of one width.
func columnOf(a Any) func(dst []byte, i int) []byte {
	switch a := a.(type) {
	case *Array[bool]:
		return func(dst []byte, i int) []byte {
			if a.data[i] {
				return append(dst, " True"...)
			}
			return append(dst, "False"...)
		}
	case *Array[int8]:
		return integers(a.data, appendSigned)
	case *Array[int16]:
		return integers(a.data, appendSigned)
	case *Array[int32]:
		return integers(a.data, appendSigned)
	case *Array[int64]:
		return integers(a.data, appendSigned)
	case *Array[uint8]:
		return integers(a.data, appendUnsigned)
	case *Array[uint16]:
		return integers(a.data, appendUnsigned)
	case *Array[uint32]:
		return integers(a.data, appendUnsigned)
	case *Array[uint64]:
		return integers(a.data, appendUnsigned)
	case *Array[Half]:
		return reals(a.data, func(h Half) float64 { return float64(h.Float32()) }, 16)
	case *Array[float32]:
		return reals(a.data, func(f float32) float64 { return float64(f) }, 32)
	case *Array[float64]:
		return reals(a.data, func(f float64) float64 { return f }, 64)
	case *Array[complex64]:
		return complexes(a.data, func(c complex64) complex128 { return complex128(c) }, 32)
	default:
		return complexes(a.(*Array[complex128]).data, func(c complex128) complex128 { return c }, 64)
	}
}

func appendSigned[T int8 | int16 | int32 | int64](dst []byte, v T) []byte {
	return strconv.AppendInt(dst, int64(v), 10)
}

func appendUnsigned[T uint8 | uint16 | uint32 | uint64](dst []byte, v T) []byte {
	return strconv.AppendUint(dst, uint64(v), 10)
}

// integers aligns them to the right.
func integers[T any](data []T, number func([]byte, T) []byte) func(dst []byte, i int) []byte {
	var buffer [20]byte
	width := 0
	for _, v := range data {
		width = max(width, len(number(buffer[:0], v)))
	}
	return func(dst []byte, i int) []byte {
		text := number(buffer[:0], data[i])
		return append(pad(dst, width-len(text)), text...)
	}
}

func reals[T any](data []T, float func(T) float64, bits int) func(dst []byte, i int) []byte {
	c := floatColumn{bits: bits}
	c.fit(len(data), func(i int) float64 { return float(data[i]) })
	return func(dst []byte, i int) []byte { return c.append(dst, float(data[i])) }
}

// complexes are two columns, with a j behind the imaginary part's last digit.
func complexes[T any](data []T, number func(T) complex128, bits int) func(dst []byte, i int) []byte {
	re, im := floatColumn{bits: bits}, floatColumn{bits: bits, plus: true}
	re.fit(len(data), func(i int) float64 { return real(number(data[i])) })
	im.fit(len(data), func(i int) float64 { return imag(number(data[i])) })
	return func(dst []byte, i int) []byte {
		dst = re.append(dst, real(number(data[i])))
		dst = im.append(dst, imag(number(data[i])))
		digits := len(bytes.TrimRight(dst, " "))
		return append(append(dst[:digits:digits], 'j'), dst[digits:]...)
	}
}

// floatColumn is how the floats of an array are written: with one place for the
// decimal point, or all with an exponent.
type floatColumn struct {
	bits int  // of the float type
	plus bool // in front of positive numbers

	exponent       bool
	left, right    int // places in front of the point and behind it
	exponentDigits int
}

// fit chooses the form for the n floats that at returns.
func (c *floatColumn) fit(n int, at func(i int) float64) {
	low, high := math.Inf(1), 0.0 // of the magnitudes that are neither 0 nor infinite
	finite, signed := 0, c.plus
	for i := range n {
		x := at(i)
		switch {
		case math.IsInf(x, 0):
			signed = signed || x < 0
			continue
		case x != x:
			continue
		case x != 0:
			low, high = min(low, math.Abs(x)), max(high, math.Abs(x))
		}
		finite++
	}
	c.exponent = high > 0 && (high >= 1e8 || low < 1e-4 || c.ratio(high, low) > 1000)
	for i := range n {
		x := at(i)
		if math.IsInf(x, 0) || x != x {
			continue
		}
		var buffer [64]byte
		text := c.number(buffer[:0], x, -1)
		if c.exponent {
			var exponent []byte
			text, exponent, _ = bytes.Cut(text, []byte("e"))
			c.exponentDigits = max(c.exponentDigits, len(exponent)-1) // without its sign
		}
		whole, fraction, _ := bytes.Cut(text, []byte("."))
		c.left, c.right = max(c.left, len(whole)), max(c.right, len(fraction))
	}
	if finite < n {
		width := len("nan")
		if signed {
			width = len("-inf")
		}
		c.left = max(c.left, width-c.tail()-1)
	}
}

// tail is the number of characters behind the point.
func (c *floatColumn) tail() int {
	if c.exponent {
		return c.right + len("e+") + c.exponentDigits
	}
	return c.right
}

// ratio divides in the precision of the float type, as NumPy does.
func (c *floatColumn) ratio(a, b float64) float64 {
	switch c.bits {
	case 16:
		return float64(ToHalf(float32(a) / float32(b)).Float32())
	case 32:
		return float64(float32(a) / float32(b))
	}
	return a / b
}

// append writes x with blanks around it that make it as wide as all others.
func (c *floatColumn) append(dst []byte, x float64) []byte {
	var buffer [64]byte
	text := buffer[:0]
	if math.IsInf(x, 0) || x != x {
		text = appendNotFinite(text, x, c.plus)
		return append(pad(dst, c.left+1+c.tail()-len(text)), text...)
	}
	if c.exponent {
		text = c.number(text, x, c.right)
	} else {
		text = c.number(text, x, -1)
	}
	point := bytes.IndexByte(text, '.')
	dst = append(pad(dst, c.left-point), text[:point+1]...)
	text = text[point+1:]
	if c.exponent {
		fraction, exponent, _ := bytes.Cut(text, []byte("e"))
		dst = append(append(dst, fraction...), 'e', exponent[0])
		for range c.exponentDigits - len(exponent[1:]) {
			dst = append(dst, '0')
		}
		return append(dst, exponent[1:]...)
	}
	return pad(append(dst, text...), c.right-len(text))
}

// number writes a finite x, always with a point, with the fewest digits that tell
// it from other floats of its type, but no more than 8 behind the point, no zeros
// at their end, and all in front of it. If digits is not negative it is exactly so
// many behind the point instead. Those that are more than the fewest are digits of
// x's exact value.
func (c *floatColumn) number(dst []byte, x float64, digits int) []byte {
	if c.plus && !math.Signbit(x) {
		dst = append(dst, '+')
	}
	format := byte('f')
	if c.exponent {
		format = 'e'
	}
	var buffer [64]byte
	text := appendShortest(buffer[:0], x, format, c.bits)
	fraction, exponent := split(text)
	keep := digits
	if digits < 0 {
		keep = min(len(fraction), digitsKept)
	}
	if len(fraction) != keep || keep == 0 && !c.exponent {
		text = strconv.AppendFloat(buffer[:0], x, format, keep, 64)
		fraction, exponent = split(text)
	}
	whole := text[:len(text)-len(exponent)-len(fraction)]
	whole = bytes.TrimSuffix(whole, []byte("."))
	if digits < 0 {
		fraction = bytes.TrimRight(fraction, "0")
	}
	return append(append(append(append(dst, whole...), '.'), fraction...), exponent...)
}

// split returns what stands behind the point of a number, and its exponent with
// the e.
func split(text []byte) (fraction, exponent []byte) {
	end := len(text)
	if e := bytes.IndexByte(text, 'e'); e >= 0 {
		end = e
	}
	point := bytes.IndexByte(text, '.')
	if point < 0 {
		return nil, text[end:]
	}
	return text[point+1 : end], text[end:]
}

// appendShortest writes x, a float of the given bits, with the fewest digits that
// tell it from others.
func appendShortest(dst []byte, x float64, format byte, bits int) []byte {
	if bits == 16 {
		return strconv.AppendFloat(dst, ToHalf(float32(x)).shortest(), format, -1, 64)
	}
	return strconv.AppendFloat(dst, x, format, -1, bits)
}

func appendNotFinite(dst []byte, x float64, plus bool) []byte {
	switch {
	case x < 0:
		dst = append(dst, '-')
	case plus:
		dst = append(dst, '+')
	}
	if x != x {
		return append(dst, "nan"...)
	}
	return append(dst, "inf"...)
}

func pad(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}
