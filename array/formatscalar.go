package array

import (
	"bytes"
	"math"
)

// appendScalar writes the only element of a as NumPy writes a scalar.
func appendScalar(dst []byte, a Any) []byte {
	switch a := a.(type) {
	case *Array[bool]:
		if a.data[0] {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case *Array[Half]:
		return appendReal(dst, float64(a.data[0].Float32()), 16, ".0", false)
	case *Array[float32]:
		return appendReal(dst, float64(a.data[0]), 32, ".0", false)
	case *Array[float64]:
		return appendReal(dst, a.data[0], 64, ".0", false)
	case *Array[complex64]:
		return appendComplex(dst, complex128(a.data[0]), 32)
	case *Array[complex128]:
		return appendComplex(dst, a.data[0], 64)
	}
	return columnOf(a)(dst, 0) // an integer
}

// appendReal writes x with all its digits, and whole behind it if it has neither
// point nor exponent.
func appendReal(dst []byte, x float64, bits int, whole string, plus bool) []byte {
	if math.IsInf(x, 0) || x != x {
		return appendNotFinite(dst, x, plus)
	}
	if plus && !math.Signbit(x) {
		dst = append(dst, '+')
	}
	if m := math.Abs(x); x != 0 && (m < 1e-4 || m >= 1e16) {
		return appendShortest(dst, x, 'e', bits)
	}
	start := len(dst)
	dst = appendShortest(dst, x, 'f', bits)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, whole...)
	}
	return dst
}

// appendComplex writes (re+imj), and imj alone where the real part is 0.
func appendComplex(dst []byte, c complex128, bits int) []byte {
	re, im := real(c), imag(c)
	if re == 0 && !math.Signbit(re) {
		return append(appendReal(dst, im, bits, "", false), 'j')
	}
	dst = appendReal(append(dst, '('), re, bits, "", false)
	return append(appendReal(dst, im, bits, "", true), "j)"...)
}
