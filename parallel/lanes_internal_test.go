package parallel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Vector instructions give the bits of the plain loops, of any length that a sum has,
// wherever it begins, and of numbers whose sums are rounded, overflow or are none.
func TestLanesHaveTheSameBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	same := func(what string, n int, got, want [8]float64) {
		t.Helper()
		for i := range got {
			if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
				t.Fatalf("%s of %d: lane %d is %v, not %v", what, n, i, got[i], want[i])
			}
		}
	}
	x, y := make([]float64, pairwiseBase+8), make([]float64, pairwiseBase+8)
	for round := range 20 {
		for i := range x {
			x[i], y[i] = rng.NormFloat64()*math.Exp(40*rng.NormFloat64()), rng.NormFloat64()
		}
		if round%4 == 3 {
			x[rng.IntN(len(x))], y[rng.IntN(len(y))] = math.Inf(1), math.MaxFloat64
			x[rng.IntN(len(x))] = math.Copysign(0, -1)
		}
		for n := 0; n <= pairwiseBase; n += 8 {
			from := rng.IntN(8)
			x, y := x[from:from+n], y[from:from+n]
			var got, want [8]float64
			dotLanes(x, y, &got)
			multiplyLanes(x, y, &want)
			same("products", n, got, want)
			if n%16 == 0 {
				sumLanes(x, &got)
				addLanes(x, &want)
				same("sums", n, got, want)
			}
		}
	}
}
