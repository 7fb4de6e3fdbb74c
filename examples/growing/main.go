// Growing adds rows to a file and computes the mean and the standard deviation of
// its columns, block by block, in parallel. The moments of each block are in a cache:
// a run that was interrupted goes on where it was, and rows that were added cost no
// more than themselves, however many there are before them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/parallel"
)

const (
	file         = "measurements.npy"
	columns      = 3
	rowsPerBlock = 1000
)

func main() {
	rows, err := grow(2 * rowsPerBlock)
	if err != nil {
		log.Fatal(err)
	}
	cache, err := memo.Open("cache", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	if err := describe(context.Background(), cache); err != nil {
		log.Fatal(err)
	}
	stats := cache.Stats()
	fmt.Printf("%d rows: %d blocks from the cache, %d computed\n", rows, stats.Hits, stats.Misses)
}

// grow adds rows to the file, which it makes if there is none, and returns how many
// it has then.
func grow(rows int) (total int, err error) {
	a, err := npy.OpenAppend(file)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = npy.Create(file, array.Float64, columns)
	}
	if err != nil {
		return 0, err
	}
	more := mat.NewDense(rows, columns, nil)
	random := rand.New(rand.NewPCG(1, uint64(a.Rows())))
	more.Apply(func(_, j int, _ float64) float64 { return float64(10*j) + random.NormFloat64() }, more)
	err = errors.Join(a.Append(more), a.Close())
	return a.Rows(), err
}

// moments is what is cached of a block.
func moments(ctx context.Context, x *mat.Dense) ([]parallel.Moments, error) {
	return parallel.ColumnMoments(ctx, nil, x)
}

// describe prints the moments of all columns. At no time are more than a few blocks in
// memory.
func describe(ctx context.Context, cache *memo.Cache) error {
	cached, err := memo.Func(cache, memo.Spec{Name: "moments", Version: "1"}, moments)
	if err != nil {
		return err
	}
	f, err := npy.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := parallel.MapReduce(ctx, nil, f.Blocks(ctx, rowsPerBlock),
		func(ctx context.Context, b npy.Block) ([]parallel.Moments, error) {
			x, err := b.Rows.Dense()
			if err != nil {
				return nil, err
			}
			return cached.Call(ctx, x)
		},
		func(a, b []parallel.Moments) []parallel.Moments {
			for j := range a {
				a[j] = a[j].Merge(b[j])
			}
			return a
		})
	if err != nil {
		return err
	}
	for j, m := range all {
		fmt.Printf("column %d: mean %.1f, deviation %.1f\n", j, m.Mean, m.StdDev(1))
	}
	return nil
}
