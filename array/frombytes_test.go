package array_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/numcache/numcache/array"
)

// aligned returns more than n bytes that begin where an element of any type may.
func aligned(n int) []byte {
	a, err := array.New[complex128](n/16 + 1)
	if err != nil {
		panic(err)
	}
	if b, ok := a.Bytes(); ok {
		return b
	}
	return make([]byte, n+16)
}

// shares reports whether this build can show an array's memory.
func shares() bool {
	a, _ := array.Make(array.Int16, 1)
	_, ok := a.Bytes()
	return ok
}

func TestFromBytesShares(t *testing.T) {
	for _, d := range allDTypes {
		b := aligned(6 * d.Size())[:6*d.Size()]
		for i := range b {
			b[i] = byte(i * 37)
			if d == array.Bool {
				b[i] &= 1
			}
		}
		shape := []int{2, 3}
		a, err := array.FromBytes(d, b, shape...)
		if !shares() {
			if a != nil || !errors.Is(err, array.ErrNotShared) {
				t.Errorf("%v: %v, %v; want ErrNotShared", d, a, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", d, err)
			continue
		}
		shape[0] = 9 // the caller's own
		if a.DType() != d || array.FormatShape(a.Shape()) != "(2, 3)" || !bytes.Equal(encoded(t, a), b) {
			t.Errorf("%v: %v%v %v, want %v", d, a.DType(), a.Shape(), encoded(t, a), b)
		}
		if err := a.Decode(5, bytes.Repeat([]byte{1}, d.Size())); err != nil || b[len(b)-1] != 1 {
			t.Errorf("%v: a write to the array does not show in the bytes, %v", d, err)
		}
		b[0] ^= 1
		if encoded(t, a)[0] != b[0] {
			t.Errorf("%v: a write to the bytes does not show in the array", d)
		}
	}
}

func TestFromBytesRefuses(t *testing.T) {
	for _, d := range allDTypes {
		whole := aligned(4 * d.Size())
		b := whole[:4*d.Size()]
		for _, tt := range []struct {
			b     []byte
			shape []int
			want  error
		}{
			{b, []int{3}, array.ErrShape}, {b, []int{5}, array.ErrShape}, {b, nil, array.ErrShape}, {b, []int{0}, array.ErrShape},
			{b[:len(b)-1], []int{4}, array.ErrShape}, {nil, []int{4}, array.ErrShape}, {b, []int{-4}, array.ErrShape},
			{b, []int{-2, -2}, array.ErrShape}, {b, []int{math.MaxInt, math.MaxInt}, array.ErrShape}, {b, make([]int, 65), array.ErrShape},
		} {
			if a, err := array.FromBytes(d, tt.b, tt.shape...); a != nil || !errors.Is(err, tt.want) {
				t.Errorf("%v of %d bytes as %v: %v, %v; want %v", d, len(tt.b), tt.shape, a, err, tt.want)
			}
		}
		odd := whole[1 : 1+len(b)]
		a, err := array.FromBytes(d, odd, 4)
		if misaligned := d.Size() > 1; (misaligned || !shares()) != errors.Is(err, array.ErrNotShared) || (a == nil) != (err != nil) {
			t.Errorf("misaligned %v: %v, %v", d, a, err)
		}
		if a, err := array.FromBytes(d, nil, 0, 7); shares() && (err != nil || a.Len() != 0 || array.FormatShape(a.Shape()) != "(0, 7)") {
			t.Errorf("empty %v: %v, %v", d, a, err)
		}
	}
	for _, b := range [][]byte{{2}, {255}} {
		if a, err := array.FromBytes(array.Bool, append([]byte{0, 1}, b...), 3); a != nil || !errors.Is(err, array.ErrNotShared) {
			t.Errorf("a bool of %d: %v, %v", b[0], a, err)
		}
	}
	for _, d := range []array.DType{0, array.Complex128 + 1} {
		if a, err := array.FromBytes(d, nil, 0); a != nil || !errors.Is(err, array.ErrDType) {
			t.Errorf("%v: %v, %v", d, a, err)
		}
	}
}
