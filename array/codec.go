package array

import (
	"encoding/binary"
	"math"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// encode writes src into dst, little-endian; dst has room for exactly src.
func encode[T Element](dst []byte, src []T) {
	if b, ok := viewBytes(src); ok {
		copy(dst, b)
		return
	}
	switch src := any(src).(type) {
	case []bool:
		for i, v := range src {
			dst[i] = 0
			if v {
				dst[i] = 1
			}
		}
	case []int8:
		for i, v := range src {
			dst[i] = byte(v)
		}
	case []int16:
		for i, v := range src {
			le.PutUint16(dst[2*i:], uint16(v))
		}
	case []int32:
		for i, v := range src {
			le.PutUint32(dst[4*i:], uint32(v))
		}
	case []int64:
		for i, v := range src {
			le.PutUint64(dst[8*i:], uint64(v))
		}
	case []uint8:
		copy(dst, src)
	case []uint16:
		for i, v := range src {
			le.PutUint16(dst[2*i:], v)
		}
	case []uint32:
		for i, v := range src {
			le.PutUint32(dst[4*i:], v)
		}
	case []uint64:
		for i, v := range src {
			le.PutUint64(dst[8*i:], v)
		}
	case []Half:
		for i, v := range src {
			le.PutUint16(dst[2*i:], uint16(v))
		}
	case []float32:
		for i, v := range src {
			le.PutUint32(dst[4*i:], math.Float32bits(v))
		}
	case []float64:
		for i, v := range src {
			le.PutUint64(dst[8*i:], math.Float64bits(v))
		}
	case []complex64:
		for i, v := range src {
			le.PutUint32(dst[8*i:], math.Float32bits(real(v)))
			le.PutUint32(dst[8*i+4:], math.Float32bits(imag(v)))
		}
	case []complex128:
		for i, v := range src {
			putComplex128(dst[16*i:], v)
		}
	}
}

func putComplex128(dst []byte, v complex128) {
	le.PutUint64(dst, math.Float64bits(real(v)))
	le.PutUint64(dst[8:], math.Float64bits(imag(v)))
}

// decode reads the little-endian elements of src into dst; src holds exactly
// dst. A bool byte other than 0 is true, as NumPy takes it.
func decode[T Element](dst []T, src []byte) {
	if bools, ok := any(dst).([]bool); ok {
		for i, b := range src {
			bools[i] = b != 0
		}
		return
	}
	if b, ok := viewBytes(dst); ok {
		copy(b, src)
		return
	}
	switch dst := any(dst).(type) {
	case []int8:
		for i := range dst {
			dst[i] = int8(src[i])
		}
	case []int16:
		for i := range dst {
			dst[i] = int16(le.Uint16(src[2*i:]))
		}
	case []int32:
		for i := range dst {
			dst[i] = int32(le.Uint32(src[4*i:]))
		}
	case []int64:
		for i := range dst {
			dst[i] = int64(le.Uint64(src[8*i:]))
		}
	case []uint8:
		copy(dst, src)
	case []uint16:
		for i := range dst {
			dst[i] = le.Uint16(src[2*i:])
		}
	case []uint32:
		for i := range dst {
			dst[i] = le.Uint32(src[4*i:])
		}
	case []uint64:
		for i := range dst {
			dst[i] = le.Uint64(src[8*i:])
		}
	case []Half:
		for i := range dst {
			dst[i] = Half(le.Uint16(src[2*i:]))
		}
	case []float32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case []float64:
		for i := range dst {
			dst[i] = math.Float64frombits(le.Uint64(src[8*i:]))
		}
	case []complex64:
		for i := range dst {
			dst[i] = complex(math.Float32frombits(le.Uint32(src[8*i:])), math.Float32frombits(le.Uint32(src[8*i+4:])))
		}
	case []complex128:
		for i := range dst {
			dst[i] = complex(math.Float64frombits(le.Uint64(src[16*i:])), math.Float64frombits(le.Uint64(src[16*i+8:])))
		}
	}
}

// convert copies a slice of machine-sized integers to fixed-size ones.
func convert[To int64 | uint64, From int | uint](s []From) []To {
	out := make([]To, len(s))
	for i, v := range s {
		out[i] = To(v)
	}
	return out
}
