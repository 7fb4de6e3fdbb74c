package array_test

import (
	"errors"
	"testing"

	"github.com/numcache/numcache/array"
)

// What Uninitialized returns is an array like any other once it is set, at sizes
// below and above each threshold.
func TestUninitialized(t *testing.T) {
	for d := array.Bool; d <= array.Complex128; d++ {
		for _, size := range []int{0, d.Size(), 1<<16 - 16, 1 << 16, 1<<22 - 16, 1 << 22, 5<<20 + 16} {
			a, err := array.Uninitialized(d, size/d.Size())
			if err != nil {
				t.Fatal(err)
			}
			want, err := array.Make(d, size/d.Size())
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, size)
			for i := range b {
				b[i] = byte(i) & 1
			}
			for _, a := range []array.Any{a, want} {
				if err := a.Decode(0, b); err != nil {
					t.Fatal(err)
				}
			}
			if a.DType() != d || a.Len() != size/d.Size() || a.Digest() != want.Digest() {
				t.Errorf("%v of %d bytes: %v %v", d, size, a.DType(), a.Shape())
			}
		}
	}
	if a, err := array.Uninitialized(0, 3); a != nil || !errors.Is(err, array.ErrDType) {
		t.Errorf("no type: %v, %v", a, err)
	}
	for _, shape := range [][]int{{-1}, {1 << 30, 1 << 30, 1 << 30}} {
		if a, err := array.Uninitialized(array.Float64, shape...); a != nil || !errors.Is(err, array.ErrShape) {
			t.Errorf("%v: %v, %v", shape, a, err)
		}
	}
}

// An array without defined elements is for who overwrites it; a bool must be one.
func TestUninitializedBools(t *testing.T) {
	a, err := array.Uninitialized(array.Bool, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range a.(*array.Array[bool]).Data() {
		if v {
			t.Fatalf("element %d is true", i)
		}
	}
}
