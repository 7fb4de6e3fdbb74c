// Quickstart memoizes one function of a matrix in the folder "cache".
package main

import (
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

func inverse(a *mat.Dense) (*mat.Dense, error) { // imagine that it takes hours
	var inv mat.Dense
	err := inv.Inverse(a)
	return &inv, err
}

func main() {
	cache, err := memo.Open("cache", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	cached, err := memo.Func(cache, memo.Spec{Name: "inverse", Version: "1"}, inverse)
	if err != nil {
		log.Fatal(err)
	}
	inv, err := cached.Call(mat.NewDense(2, 2, []float64{4, 2, 1, 1})) // cached.Call has inverse's own type
	if err != nil {
		log.Fatal(err)
	}
	stats := cache.Stats()
	fmt.Println(inv.RawMatrix().Data, "hits:", stats.Hits, "misses:", stats.Misses)
}
