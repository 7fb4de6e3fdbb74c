// Bigfile works on an array that is larger than the memory it may use: a year of 16
// weather stations, a row a minute, 67 MB, with a heap of 32 MB at most.
//
// The file is written day by day. The extremes of the stations are taken in parallel
// over its blocks, a few at a time, and are memoized: a run that is interrupted goes on
// where it was. The hourly means are one result, of a function that is given the digest of
// the file in the place of its elements; that result is mapped, to look at some of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/parallel"
)

const (
	file     = "stations.npy"
	stations = 16
	day      = 24 * 60 // rows
	days     = 365
	heap     = 32 << 20
)

func main() {
	debug.SetMemoryLimit(heap)
	if err := errors.Join(record(), run(context.Background())); err != nil {
		log.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("%d MB of data, a heap within %d MB: %v\n", days*day*stations*8/1000000, heap>>20, m.HeapSys <= heap)
}

// record writes the days that the file lacks.
func record() error {
	a, err := npy.OpenAppend(file)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = npy.Create(file, array.Float64, stations)
	}
	if err != nil {
		return err
	}
	x := mat.NewDense(day, stations, nil)
	for d := a.Rows() / day; d < days && err == nil; d++ {
		random := rand.New(rand.NewPCG(1, uint64(d)))
		for i := range day {
			weather := 10 - 10*math.Cos(2*math.Pi*float64(d)/days) - 4*math.Cos(2*math.Pi*float64(i)/day)
			for j := range stations { // each one higher up than the one before
				x.Set(i, j, weather-0.5*float64(j)+2*random.NormFloat64())
			}
		}
		err = a.Append(x)
	}
	return errors.Join(err, a.Close())
}

// hourly returns the means of each hour. Its second argument is no part of the key: the
// digest stands for it.
func hourly(ctx context.Context, digest string, f *npy.File) (*mat.Dense, error) {
	means := mat.NewDense(days*24, stations, nil)
	for h := range days * 24 {
		x, err := f.ReadRowsDense(60*h, 60*h+60)
		if err != nil {
			return nil, err
		}
		m, err := parallel.ColumnMeans(ctx, nil, x)
		if err != nil {
			return nil, err
		}
		means.SetRow(h, m)
	}
	return means, nil
}

func run(ctx context.Context) error {
	cache, err := memo.Open("cache", nil)
	if err != nil {
		return err
	}
	defer cache.Close()
	cachedExtremes, err1 := memo.Func(cache, memo.Spec{Name: "stations/extremes", Version: "1", Ignore: []int{0}}, parallel.ColumnExtrema)
	cachedHourly, err2 := memo.Func(cache, memo.Spec{Name: "stations/hourly", Version: "1", Ignore: []int{1}}, hourly)
	f, err3 := npy.Open(file)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	defer f.Close()
	year, err := parallel.MapReduce(ctx, &parallel.Options{Window: 4}, f.Blocks(ctx, 5*day),
		func(ctx context.Context, b npy.Block) ([]parallel.Extrema, error) {
			x, err := b.Rows.Dense()
			if err != nil {
				return nil, err
			}
			return cachedExtremes.Call(ctx, nil, x)
		},
		func(a, b []parallel.Extrema) []parallel.Extrema {
			for j := range a {
				a[j] = a[j].Merge(b[j])
			}
			return a
		})
	if err != nil {
		return err
	}
	fmt.Printf("lowest station: from %.1f to %.1f degrees\n", year[0].Min, year[0].Max)

	digest, err := f.Hash(ctx) // chunk by chunk
	if err != nil {
		return err
	}
	ref, err := cachedHourly.Shelve(ctx, digest.String(), f)
	if err != nil {
		return err
	}
	noon, err := look(ctx, ref, 181*24+12, 0)
	stats := cache.Stats()
	fmt.Printf("noon of day 181: %.1f; %d computed, %d from the cache\n", noon, stats.Misses, stats.Hits)
	return err
}

// look returns an element of a stored matrix, of which it holds nothing else.
func look(ctx context.Context, ref memo.Ref, i, j int) (float64, error) {
	f, err := ref.Open(ctx, 0) // verified
	if err != nil {
		return 0, err
	}
	defer f.Close()
	m, err := f.Map(npy.ReadOnly)
	if err != nil { // on Windows; f.ReadRowsDense reads rows there
		return 0, err
	}
	defer m.Close()
	return m.Array().(*array.Array[float64]).At(i, j)
}
