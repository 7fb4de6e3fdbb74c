package parallel

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
)

// Tiles give the bits of the plain products, whatever is left of a tile.
func TestTilesHaveTheSameBits(t *testing.T) {
	if !hasTiles {
		t.Skip("there are no tiles for this processor")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for c := tileCols; c < 4*tileCols; c++ {
		for _, rows := range []int{1, 2, 7, gramPanel} {
			m := blas64.General{Rows: rows, Cols: c, Stride: c + c%3, Data: make([]float64, rows*(c+c%3))}
			for i := range m.Data {
				m.Data[i] = rng.NormFloat64()
			}
			panel, want, got := make([]float64, tiled(c)*gramPanel), make([]float64, c*c), make([]float64, c*c)
			for i := range panel {
				panel[i] = rng.NormFloat64() // what another panel left
			}
			for range 2 {
				addTiles(m, panel, got)
			}
			for range 2 {
				pack(m, panel)
				addProducts(panel, rows, c, want)
			}
			for i := range c {
				for j := i; j < c; j++ {
					if got[i*c+j] != want[i*c+j] {
						t.Fatalf("%d×%d: element %d,%d is %v by tiles, %v without", rows, c, i, j, got[i*c+j], want[i*c+j])
					}
				}
			}
		}
	}
}
