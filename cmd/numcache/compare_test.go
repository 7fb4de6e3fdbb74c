package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/numcache/numcache/array"
)

func TestCompare(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	payload := math.Float64frombits(math.Float64bits(nan) ^ 1)
	const big = 1 << 53
	type want struct {
		bits                      bool
		different, oneNaN, beyond int
		absolute, relative        string // difference@element
	}
	for i, tc := range []struct {
		a, b array.Any
		want want
	}{
		{filled(t, []float64{1, 2, nan}, 3), filled(t, []float64{1, 2, nan}, 3), want{bits: true}},
		{filled[float64](t, nil, 0), filled[float64](t, nil, 0), want{bits: true}},
		{filled(t, []float64{0, nan, inf}, 3), filled(t, []float64{math.Copysign(0, -1), payload, inf}, 3), want{}},
		{filled(t, []float64{1, 2, 4}, 3), filled(t, []float64{1, 2.25, 3}, 3), want{different: 2, beyond: 1, absolute: "1@2", relative: "0.25@2"}},
		{filled(t, []float64{100, 0.5}, 2), filled(t, []float64{101, 0.25}, 2), want{different: 2, beyond: 1, absolute: "1@0", relative: "0.5@1"}},
		{filled(t, []float64{nan, 1, inf, -inf}, 4), filled(t, []float64{1, nan, nan, inf}, 4), want{different: 4, oneNaN: 3, beyond: 4, absolute: "+Inf@3", relative: "+Inf@3"}},
		{filled(t, []float64{1.7e308, 1}, 2), filled(t, []float64{-1.7e308, 1}, 2), want{different: 1, beyond: 1, absolute: "+Inf@0", relative: "2@0"}},
		// Whole numbers beyond what a float64 can tell apart.
		{filled(t, []int64{big, math.MinInt64}, 2), filled(t, []int64{big + 1, math.MaxInt64}, 2), want{different: 2, beyond: 2, absolute: "1.8446744073709552e+19@1", relative: "2@1"}},
		{filled(t, []uint64{math.MaxUint64, 5}, 2), filled(t, []int64{-1, 5}, 2), want{different: 1, beyond: 1, absolute: "1.8446744073709552e+19@0", relative: "1@0"}},
		{filled(t, []uint64{math.MaxUint64}, 1), filled(t, []uint64{math.MaxUint64 - 1}, 1), want{different: 1, beyond: 1, absolute: "1@0", relative: "5.421010862427522e-20@0"}},
		// Other types of the same numbers have other bits.
		{filled(t, []float32{0.5, 2}, 2), filled(t, []float64{0.5, 2}, 2), want{}},
		{filled(t, []bool{true, false}, 2), filled(t, []int8{1, 0}, 2), want{}},
		{filled(t, []array.Half{array.ToHalf(0.5)}, 1), filled(t, []float32{1}, 1), want{different: 1, absolute: "0.5@0", relative: "0.5@0"}},
		{filled(t, []int16{-3}, 1), filled(t, []float64{-3.5}, 1), want{different: 1, absolute: "0.5@0", relative: "0.14285714285714285@0"}},
		{filled(t, []complex128{3 + 4i, complex(nan, 1)}, 2), filled(t, []complex128{0, complex(nan, 1)}, 2), want{different: 1, beyond: 1, absolute: "5@0", relative: "1@0"}},
		{filled(t, []complex64{complex64(complex(inf, nan))}, 1), filled(t, []complex64{1}, 1), want{different: 1, oneNaN: 1, beyond: 1}},
	} {
		for turn, operands := range [][2]array.Any{{tc.a, tc.b}, {tc.b, tc.a}} {
			c, err := compareArrays(t.Context(), operands[0], operands[1], 0.5)
			if err != nil {
				t.Fatal(err)
			}
			got := want{c.equalBits, c.different, c.oneNaN, c.beyond, worstText(c.absolute), worstText(c.relative)}
			if got != tc.want {
				t.Errorf("%d, turn %d: %+v, want %+v", i, turn, got, tc.want)
			}
		}
	}
}

func worstText(w worst) string {
	if w.difference == 0 {
		return ""
	}
	return fmt.Sprintf("%v@%d", w.difference, w.at)
}

// TestCompareInPieces finds what differs in each piece of arrays of several.
func TestCompareInPieces(t *testing.T) {
	const n = 5*compareElements/2 + 3
	a, b := filled[int32](t, nil, n), filled[int32](t, nil, n)
	at := []int{7, compareElements - 1, compareElements, n - 1}
	for k, i := range at {
		b.(*array.Array[int32]).Data()[i] = int32(k + 1)
	}
	c, err := compareArrays(t.Context(), a, b, 2)
	if err != nil || c.different != len(at) || c.first != 7 || c.beyond != 2 || c.absolute != (worst{4, n - 1}) || c.relative != (worst{1, 7}) {
		t.Errorf("%+v, %v", c, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := compareArrays(ended, a, b, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestIndexOf(t *testing.T) {
	if got := fmt.Sprint(indexOf([]int{2, 3, 4}, 23), indexOf([]int{2, 3, 4}, 4), indexOf(nil, 0)); got != "[1 2 3] [0 1 0] []" {
		t.Error(got)
	}
}
