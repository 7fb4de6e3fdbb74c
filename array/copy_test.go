package array_test

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// TestCopyOfManyChunks copies what is large enough for several goroutines, from
// every kind of memory.
func TestCopyOfManyChunks(t *testing.T) {
	const n = 500 // n×n float64s are 7.6 chunks
	dense := mat.NewDense(n, n+3, arange(n*(n+3)))
	bools := make([]bool, 5*array.ChunkSize+1)
	for i := range bools {
		bools[i] = i%3 == 0
	}
	for name, v := range map[string]any{
		"array":          arange(n * n),
		"view":           dense.Slice(0, n, 1, n+1),
		"transposed":     dense.T(),
		"symmetric":      mat.NewSymDense(n, arange(n*n)),
		"band":           mat.NewBandDense(n, n, 1, 2, arange(4*n)),
		"lower triangle": mat.NewTriDense(n, mat.Lower, arange(n*n)),
		"conjugates":     mat.NewCDense(n, n, make([]complex128, n*n)).H(),
		"foreign":        foreign{dense},
		"bools":          bools,
	} {
		src, err := array.Of(v)
		if err != nil {
			t.Fatal(name, err)
		}
		want, err := array.Hash(t.Context(), src)
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := array.Copy(src)
		if err != nil || got.Digest() != want || array.FormatShape(got.Shape()) != array.FormatShape(src.Shape()) {
			t.Errorf("%s: %v, not the elements that were copied", name, err)
		}
	}
}
