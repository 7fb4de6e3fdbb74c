// Python is the Go half of a pipeline that a NumPy script shares: pipeline.py beside it
// memoizes functions of the same names and versions, in the same cache. What one has
// computed is a hit for the other.
//
//	go run ./examples/python            # computes the Gram matrix, unless Python has
//	numcache python > numcache.py
//	python3 examples/python/pipeline.py # a hit, and computes what the other does not know
package main

import (
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// samples returns the data of the pipeline, the same in both languages.
func samples(n, features int) *mat.Dense {
	x := mat.NewDense(n, features, nil)
	for i := range n {
		for j := range features {
			x.Set(i, j, float64((i*7+j*3)%11))
		}
	}
	return x
}

// gram returns the products of the columns of x, and their means.
func gram(x *mat.Dense) (*mat.Dense, []float64) {
	var g mat.Dense
	g.Mul(x.T(), x)
	n, features := x.Dims()
	means := make([]float64, features)
	for j := range features {
		means[j] = mat.Sum(x.ColView(j)) / float64(n)
	}
	return &g, means
}

// Fit is what the script's scale function returns, by the names of its fields there.
type Fit struct {
	Name  string    `memo:"name"`
	Scale []float64 `memo:"scale"`
}

// scale scales the diagonal to its largest element.
func scale(g *mat.Dense, name string) Fit {
	n, _ := g.Dims()
	fit := Fit{Name: name, Scale: make([]float64, n)}
	most := 0.0
	for i := range n {
		most = max(most, g.At(i, i))
	}
	for i := range n {
		fit.Scale[i] = g.At(i, i) / most
	}
	return fit
}

func main() {
	cache, err := memo.Open("cache", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cache.Close()
	cachedGram, err := memo.Func(cache, memo.Spec{Name: "example/gram", Version: "1"}, gram)
	if err != nil {
		log.Fatal(err)
	}
	cachedScale, err := memo.Func(cache, memo.Spec{Name: "example/scale", Version: "1"}, scale)
	if err != nil {
		log.Fatal(err)
	}
	g, means := cachedGram.Call(samples(1000, 3))
	fit := cachedScale.Call(g, "diagonal")
	stats := cache.Stats()
	fmt.Printf("means %.3f, scale %.3f; hits: %d misses: %d\n", means, fit.Scale, stats.Hits, stats.Misses)
}
