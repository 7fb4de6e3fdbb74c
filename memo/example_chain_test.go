package memo_test

import (
	"context"
	"fmt"
	"log"

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
