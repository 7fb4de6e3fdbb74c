package array

import (
	"math"
	"math/bits"
	"strconv"
)

// Half is a float16, the half-precision number of IEEE 754 (binary16), by its
// bits: a sign, five bits of exponent and ten of significand. Go has no such
// type, so a Half is for keeping: [Half.Float32] gives the number, exactly, and
// [ToHalf] the Half that is nearest to a number. Conversions to and from other Go
// integers, which the language allows, convert the bits.
type Half uint16

// Float32 returns the number that h is; every Half is a float32. A NaN keeps its
// sign and payload, in the upper bits of the float32's, and stays signalling if
// it was.
func (h Half) Float32() float32 {
	sign := uint32(h&0x8000) << 16
	exponent, significand := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exponent == 0x1f: // infinity, NaN
		return math.Float32frombits(sign | 0xff<<23 | significand<<13)
	case exponent == 0 && significand == 0:
		return math.Float32frombits(sign)
	case exponent == 0: // subnormal here, normal as a float32
		shift := uint32(bits.LeadingZeros32(significand)) - 21
		exponent, significand = 1-shift, significand<<shift&0x3ff
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | significand<<13)
}

// ToHalf returns the Half nearest to f, of two equally near ones that whose last
// bit is 0, as NumPy's astype(float16) does. From 65520 on it is an infinity. A
// NaN keeps its sign and the upper ten bits of its payload; where these are all 0
// it becomes the NaN of payload 1.
func ToHalf(f float32) Half {
	b := math.Float32bits(f)
	sign := Half(b >> 16 & 0x8000)
	b &= 1<<31 - 1
	switch {
	case b > 0xff<<23: // NaN
		return sign | 0x7c00 | max(Half(b>>13&0x3ff), 1)
	case b >= 0x477ff000: // 65520 and infinity
		return sign | 0x7c00
	case b < 113<<23: // subnormal, or 0: below 2⁻¹⁴
		// The sum has 2⁻²⁴, the unit of subnormals, as its last bit; adding
		// rounds as it should.
		magic := math.Float32frombits(126 << 23) // 0.5
		return sign | Half(math.Float32bits(math.Float32frombits(b)+magic)-126<<23)
	}
	b += 0xfff + b>>13&1 // round to nearest, ties to even
	return sign | Half((b-112<<23)>>13)
}

// String formats the number with the fewest digits that tell it from other
// float16s, as NumPy does, in the form of Go's format 'g'.
func (h Half) String() string { return strconv.FormatFloat(h.shortest(), 'g', -1, 64) }

// shortest returns the float64 with the fewest decimal digits of those that round
// to h: 0.1 for the Half that is 0.0999755859375.
func (h Half) shortest() float64 {
	f := float64(h.Float32())
	if h&0x7c00 == 0x7c00 || f == 0 {
		return f
	}
	// Five digits tell all Halfs apart. The second try rounds up what lies in
	// the middle between two decimals, of which the lower may be a smaller Half:
	// below a power of two they are closer.
	for digits := range 5 {
		for _, near := range []float64{f, f * (1 + 0x1p-50)} {
			decimal, _ := strconv.ParseFloat(strconv.FormatFloat(near, 'e', digits, 64), 64)
			if ToHalf(float32(decimal)) == h {
				return decimal
			}
		}
	}
	return f
}
