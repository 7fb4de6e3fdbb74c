//go:build !purego

package parallel

import "golang.org/x/sys/cpu"

// sumLanes sets s to the sums of x in its lanes; len(x) is a multiple of 16.
func sumLanes(x []float64, s *[8]float64) {
	if len(x) == 0 || !cpu.X86.HasAVX {
		addLanes(x, s)
		return
	}
	addAVX(&x[0], len(x), s)
}

// dotLanes sets s to the sums of products in its lanes, of x and a y as long; len(x) is a
// multiple of 8.
func dotLanes(x, y []float64, s *[8]float64) {
	if len(x) == 0 || !cpu.X86.HasAVX {
		multiplyLanes(x, y, s)
		return
	}
	_ = y[len(x)-1]
	multiplyAVX(&x[0], &y[0], len(x), s)
}

// addAVX is addLanes for n > 0 elements.
//
//go:noescape
func addAVX(x *float64, n int, s *[8]float64)

// multiplyAVX is multiplyLanes for n > 0 elements.
//
//go:noescape
func multiplyAVX(x, y *float64, n int, s *[8]float64)
