package npy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/parallel"
)

// The blocks of a file are a source of package parallel: a reduction over a file that
// may be larger than memory holds a few blocks at a time, and has the same bits for any
// number of workers.
func TestBlocksInParallel(t *testing.T) {
	const r, c = 5000, 7
	rng := rand.New(rand.NewPCG(1, 1))
	m := mat.NewDense(r, c, nil)
	m.Apply(func(int, int, float64) float64 { return rng.NormFloat64() * math.Exp(10*rng.Float64()) }, m)
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := npy.WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sums := func(ctx context.Context, b npy.Block) ([]float64, error) {
		x, err := b.Rows.Dense()
		if err != nil {
			return nil, err
		}
		return parallel.ColumnSums(ctx, nil, x)
	}
	plus := func(a, b []float64) []float64 {
		for j := range a {
			a[j] += b[j]
		}
		return a
	}
	var want []float64
	for _, workers := range []int{1, 2, 7} {
		o := &parallel.Options{Workers: workers}
		got, err := parallel.MapReduce(t.Context(), o, f.Blocks(t.Context(), 100), sums, plus)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		for j := range c {
			if math.Float64bits(got[j]) != math.Float64bits(want[j]) || math.Abs(got[j]-mat.Sum(m.ColView(j))) > 1e-6 {
				t.Errorf("%d workers, column %d: %v, want %v", workers, j, got[j], want[j])
			}
		}
		first := 0
		for b, err := range parallel.Stream(t.Context(), o, f.Blocks(t.Context(), 100), func(_ context.Context, b npy.Block) (npy.Block, error) { return b, nil }) {
			if err != nil || b.First != first {
				t.Fatalf("%d workers: block at %d, want %d, %v", workers, b.First, first, err)
			}
			first += 100
		}
	}

	// Rows that are gone are the file's error, which comes back as it is.
	if err := os.Truncate(path, 100_000); err != nil {
		t.Fatal(err)
	}
	var of *npy.Error
	if _, err := parallel.MapReduce(t.Context(), nil, f.Blocks(t.Context(), 100), sums, plus); !errors.Is(err, npy.ErrFormat) || !errors.As(err, &of) || of.Path != path {
		t.Errorf("a file that was cut: %v", err)
	}
}

// The Gram matrix of a file, of which a few blocks are in memory at a time.
func ExampleFile_Blocks_parallel() {
	ctx := context.Background()
	f, err := npy.Open("../testdata/digits/digits.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	gram, err := parallel.MapReduce(ctx, nil, f.Blocks(ctx, 200),
		func(ctx context.Context, b npy.Block) (*mat.SymDense, error) {
			x, err := b.Rows.Dense()
			if err != nil {
				return nil, err
			}
			return parallel.Gram(ctx, nil, x)
		},
		func(a, b *mat.SymDense) *mat.SymDense {
			a.AddSym(a, b)
			return a
		})
	if err != nil {
		log.Fatal(err)
	}
	n := gram.SymmetricDim()
	fmt.Printf("%d×%d, trace %.0f\n", n, n, mat.Trace(gram))
	// Output: 64×64, trace 6907012
}
