// Pipeline smooths a recording and takes the power of its channels, in two steps that
// are cached. What is computed says why. The second step takes the result of the first
// by reference, so that only the recording is hashed. The versions of the steps are
// stamps of their code: change smooth, run go generate, and both steps are computed
// anew, as power gets other values then. A comment changes nothing.
//
//	go run . -width 7     another width
//	go run . -touch 1234  a sample changes in this row of the recording
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/examples/pipeline/stamp"
	"github.com/numcache/numcache/memo"
)

//go:generate go run github.com/numcache/numcache/cmd/numcache stamp --out stamp .

// errWidth is a window that has no middle, or is none.
var errWidth = errors.New("the width of a window is an odd number from 1")

// smooth replaces each sample by the mean of its channel over the rows around it.
//
//numcache:stamp
func smooth(x *mat.Dense, width int) (*mat.Dense, error) {
	if width < 1 || width%2 == 0 {
		return nil, errWidth
	}
	rows, channels := x.Dims()
	y := mat.NewDense(rows, channels, nil)
	for i := range rows {
		lo, hi := max(i-width/2, 0), min(i+width/2+1, rows)
		for k := lo; k < hi; k++ {
			floats.Add(y.RawRowView(i), x.RawRowView(k))
		}
		floats.Scale(1/float64(hi-lo), y.RawRowView(i))
	}
	return y, nil
}

// power returns the mean of the squares of each channel.
//
//numcache:stamp
func power(x *mat.Dense) []float64 {
	rows, channels := x.Dims()
	p := make([]float64, channels)
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			p[j] += v * v / float64(rows)
		}
	}
	return p
}

func main() {
	log.SetFlags(0)
	width := flag.Int("width", 5, "rows that are averaged, an odd number")
	touch := flag.Int("touch", -1, "row of the recording in which a sample changes")
	flag.Parse()
	if err := run(context.Background(), recording(*touch), *width); err != nil {
		log.Fatal(err)
	}
}

// recording stands for hours of measurements: 24 MB of them.
func recording(touch int) *mat.Dense {
	x := mat.NewDense(3000, 1000, nil)
	for i := range 3000 {
		for j, row := 0, x.RawRowView(i); j < len(row); j++ {
			row[j] = float64(i*j%101) - 50
		}
		if i == touch {
			x.Set(i, 0, 1e3)
		}
	}
	return x
}

func run(ctx context.Context, x *mat.Dense, width int) error {
	cache, err := memo.Open("cache", &memo.Options{OnEvent: func(e memo.Event) {
		switch e.Kind {
		case memo.Hit:
			fmt.Println(e.Function, "is in the cache")
		case memo.Miss:
			fmt.Printf("computed %s: %v\n", e.Function, e.Why(ctx))
		}
	}})
	if err != nil {
		return err
	}
	defer cache.Close()
	smoothed, err := memo.Func(cache, memo.Spec{Name: "smooth", Version: stamp.Smooth}, smooth)
	if err != nil {
		return err
	}
	powers, err := memo.Func(cache, memo.Spec{Name: "power", Version: stamp.Power}, power)
	if err != nil {
		return err
	}
	step, err := smoothed.Shelve(ctx, x, width) // hashes x
	if err != nil {
		return err
	}
	last, err := powers.Shelve(ctx, step.Result(0)) // hashes nothing
	if err != nil {
		return err
	}
	var p []float64
	if err := last.Get(ctx, &p); err != nil {
		return err
	}
	fmt.Printf("mean power %.2f\n", floats.Sum(p)/float64(len(p)))
	return nil
}
