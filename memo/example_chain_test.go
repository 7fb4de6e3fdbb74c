package memo_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// A chain of calls hashes its first argument only, and reads what it computes with.
func ExampleResult() {
	c, remove := openTemporary()
	defer remove()
	ctx := context.Background()
	gram, err := memo.Func(c, memo.Spec{Name: "gram", Version: "1"}, func(x *mat.Dense) *mat.Dense {
		fmt.Println("computing a Gram matrix")
		var g mat.Dense
		g.Mul(x.T(), x)
		return &g
	})
	if err != nil {
		log.Fatal(err)
	}
	diagonal, err := memo.Func(c, memo.Spec{Name: "diagonal", Version: "1"}, func(g *mat.Dense) []float64 {
		fmt.Println("reading it")
		n, _ := g.Dims()
		d := make([]float64, n)
		for i := range d {
			d[i] = g.At(i, i)
		}
		return d
	})
	if err != nil {
		log.Fatal(err)
	}
	x := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	for range 2 {
		g, err := gram.Shelve(ctx, x)
		if err != nil {
			log.Fatal(err)
		}
		d, err := diagonal.Shelve(ctx, g.Result(0))
		if err != nil {
			log.Fatal(err)
		}
		var values []float64
		if err := d.Get(ctx, &values); err != nil {
			log.Fatal(err)
		}
		fmt.Println("trace", floats.Sum(values))
	}
	// Output:
	// computing a Gram matrix
	// reading it
	// trace 91
	// trace 91
}

// A function that draws random numbers is found when its hits are computed again.
func ExampleDifferenceError() {
	dir, err := os.MkdirTemp("", "numcache")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c, err := memo.Open(dir, &memo.Options{
		Recompute: 1, // every hit; 0.01 is enough in a program that runs often
		Logger:    slog.New(slog.DiscardHandler),
		OnEvent: func(e memo.Event) {
			var d *memo.DifferenceError
			if errors.As(e.Err, &d) {
				fmt.Printf("%s is not deterministic: result %d, rows %v\n", d.Function, d.Result, d.Rows)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	jitter, err := memo.Func(c, memo.Spec{Name: "jitter", Version: "1"}, func(x []float64) []float64 {
		y := slices.Clone(x)
		y[2] += rand.Float64()
		return y
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		jitter.Call([]float64{1, 2, 3, 4})
	}
	// Output:
	// jitter is not deterministic: result 0, rows [{2 3}]
}

// Beforehand, Explain says what a call would do; of a miss, Event.Why says the same.
func ExampleMemoized_Explain() {
	c, remove := openTemporary()
	defer remove()
	smooth, err := memo.Func(c, memo.Spec{Name: "smooth", Version: "1"}, func(x []float64, width int, method string) []float64 {
		return x
	})
	if err != nil {
		log.Fatal(err)
	}
	x := []float64{1, 2, 3}
	smooth.Call(x, 10, "median")
	for _, width := range []int{10, 20} {
		why, err := smooth.Explain(x, width, "median")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(why.Cause, "-", why)
	}
	// Output:
	// stored - it is in the cache
	// other arguments - since the most similar call that is in the cache, argument 1 changed from 10 to 20
}
