//go:build !purego

package parallel

import "golang.org/x/sys/cpu"

// hasTiles reports whether the processor can multiply by tiles.
var hasTiles = cpu.X86.HasAVX

// tile sets s to the sums, over n rows of a panel, of the products of four columns by
// eight: those at panel[i:] and panel[j:], which must be there in each row. A row is
// width long.
func tile(panel []float64, i, j, width, n int, s *[32]float64) {
	_ = panel[(n-1)*width+max(i+3, j+7)]
	tileAVX(&panel[i], &panel[j], width*8, n, s)
}

// tileAVX is tile for the rows that begin stride bytes apart.
//
//go:noescape
func tileAVX(a, b *float64, stride, n int, s *[32]float64)
