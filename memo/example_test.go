package memo_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/numcache/numcache/memo"
)

// openTemporary opens a cache in a folder that goes with the example.
func openTemporary() (c *memo.Cache, remove func()) {
	dir, err := os.MkdirTemp("", "numcache-example-")
	if err != nil {
		log.Fatal(err)
	}
	c, err = memo.Open(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	return c, func() {
		c.Close()
		os.RemoveAll(dir)
	}
}

func ExampleFunc() {
	c, remove := openTemporary()
	defer remove()

	covariance, err := memo.Func(c, memo.Spec{Name: "covariance", Version: "1"},
		func(x *mat.Dense) (*mat.SymDense, error) {
			fmt.Println("computing")
			var cov mat.SymDense
			stat.CovarianceMatrix(&cov, x, nil)
			return &cov, nil
		})
	if err != nil {
		log.Fatal(err)
	}
	x := mat.NewDense(3, 2, []float64{1, 2, 2, 4, 3, 6})
	for range 2 {
		cov, err := covariance.Call(x)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(cov.At(0, 0), cov.At(0, 1), cov.At(1, 1))
	}
	// Output:
	// computing
	// 1 2 4
	// 1 2 4
}

func ExampleFunction_Has() {
	c, remove := openTemporary()
	defer remove()
	scale, err := memo.Func(c, memo.Spec{Name: "scale", Version: "1"},
		func(ctx context.Context, x []float64, by float64) ([]float64, error) {
			y := make([]float64, len(x))
			for i := range x {
				y[i] = by * x[i]
			}
			return y, nil
		})
	if err != nil {
		log.Fatal(err)
	}
	x := []float64{1, 2, 3}
	y, err := scale.Call(context.Background(), x, 2)
	fmt.Println(y, err)
	fmt.Println(scale.Has(x, 2)) // the context is optional, 2 is taken as 2.0
	fmt.Println(scale.Has(x, 3))
	fmt.Println(scale.Forget(x, 2))
	fmt.Println(scale.Has(x, 2))
	// Output:
	// [2 4 6] <nil>
	// true <nil>
	// false <nil>
	// <nil>
	// false <nil>
}

func ExampleDo() {
	c, remove := openTemporary()
	defer remove()

	x := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
	k := memo.NewKey("gram", "2").Add(x).Add(0.5)
	g, err := memo.Do(context.Background(), c, k, func(ctx context.Context) (*mat.Dense, error) {
		var g mat.Dense
		g.Mul(x.T(), x)
		g.Scale(0.5, &g)
		return &g, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mat.Formatted(g))
	// Output:
	// ⎡ 5   7⎤
	// ⎣ 7  10⎦
}

func ExampleCache_Wrap() {
	c, remove := openTemporary()
	defer remove()

	f, err := c.Wrap(memo.Spec{Name: "trace", Version: "1"}, func(m *mat.Dense) float64 { return mat.Trace(m) })
	if err != nil {
		log.Fatal(err)
	}
	trace := f.(func(*mat.Dense) float64)
	fmt.Println(trace(mat.NewDense(2, 2, []float64{1, 2, 3, 4})))
	// Output: 5
}

func ExampleCache_Dense() {
	c, remove := openTemporary()
	defer remove()

	m, err := c.Dense(context.Background(), memo.NewKey("ones", "1").Add(2), func(context.Context) (*mat.Dense, error) {
		return mat.NewDense(2, 2, []float64{1, 1, 1, 1}), nil
	})
	fmt.Println(m.RawMatrix().Data, err)
	// Output: [1 1 1 1] <nil>
}

func ExampleNewKey() {
	k := memo.NewKey("pca", "1").Add(mat.NewDense(3, 4, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})).Add(10)
	fmt.Println(k)
	fmt.Println(k.Add(func() {}).Err())
	// Output:
	// b30d6feae2f6851eb81e27a09f2f6eee
	// argument 2: memo: unsupported type func(): a func has no value to compare; use a number, a string, or a type with a MemoKey method
}

// Grid is a parameter type with a field that no result depends on.
type Grid struct {
	Rows, Cols int
	Spacing    float64 `memo:"h"`
	Verbose    bool    `memo:"-"`
}

func ExampleSpec_structArguments() {
	c, remove := openTemporary()
	defer remove()
	area, err := memo.Func(c, memo.Spec{Name: "area", Version: "1"}, func(g Grid) float64 {
		return float64(g.Rows*g.Cols) * g.Spacing * g.Spacing
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(area.Call(Grid{3, 4, 0.5, false}))
	fmt.Println(area.Has(Grid{3, 4, 0.5, true}))
	fmt.Println(area.Has(Grid{3, 4, 0.25, false}))
	// Output:
	// 3
	// true <nil>
	// false <nil>
}

// Poly is a polynomial that says itself what it is in a key: trailing zeros do
// not matter.
type Poly struct{ coefficients []float64 }

// MemoKey implements memo.Keyer.
func (p Poly) MemoKey() any {
	n := len(p.coefficients)
	for n > 0 && p.coefficients[n-1] == 0 {
		n--
	}
	return p.coefficients[:n]
}

func ExampleKeyer() {
	a := memo.NewKey("roots", "1").Add(Poly{[]float64{1, 2}})
	b := memo.NewKey("roots", "1").Add(Poly{[]float64{1, 2, 0}})
	fmt.Println(a.Digest() == b.Digest())
	// Output: true
}

func ExampleCache_Records() {
	c, remove := openTemporary()
	defer remove()
	mean, err := memo.Func(c, memo.Spec{Name: "mean", Version: "1"}, func(x []float64, what string) float64 {
		return stat.Mean(x, nil)
	})
	if err != nil {
		log.Fatal(err)
	}
	mean.Call([]float64{1, 2, 3}, "height")
	for r, err := range c.Records(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Function, r.Version, r.Args, r.Results)
	}
	// Output: mean 1 [float64(3,) "height"] [2.0]
}

func ExampleCache_Verify() {
	c, remove := openTemporary()
	defer remove()
	_, err := memo.Do(context.Background(), c, memo.NewKey("zeros", "1"), func(context.Context) ([]float64, error) {
		return make([]float64, 1000), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	report, err := c.Verify(context.Background(), nil)
	fmt.Println(report.Records, report.Objects, len(report.Damaged), err)
	// Output: 1 1 0 <nil>
}

func ExampleCache_Stats() {
	c, remove := openTemporary()
	defer remove()
	square, err := memo.Func(c, memo.Spec{Name: "square", Version: "1"}, func(x float64) float64 { return x * x })
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range []float64{2, 3, 2} {
		square.Call(x)
	}
	s := c.Stats()
	fmt.Println(s.Hits, s.Misses, s.Faults)
	// Output: 1 2 0
}
