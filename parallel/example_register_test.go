package parallel_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

type power struct{ Exponent int }

var powers = parallel.RegisterMap("example/powers", "1", func(_ context.Context, p power, b parallel.RowBlock, dst *mat.Dense) error {
	dst.Apply(func(_, _ int, v float64) float64 {
		y := 1.0
		for range p.Exponent {
			y *= v
		}
		return y
	}, b.Rows)
	return nil
})

var columnSums = parallel.RegisterReduce("example/columns", "1", func(_ context.Context, p struct{}, b parallel.RowBlock) (*mat.Dense, error) {
	r, c := b.Rows.Dims()
	sum := mat.NewDense(1, c, nil)
	for i := range r {
		for j := range c {
			sum.Set(0, j, sum.At(0, j)+b.Rows.At(i, j))
		}
	}
	return sum, nil
}, func(a, b *mat.Dense) *mat.Dense { a.Add(a, b); return a })

// Without Options.Executor the function runs in this process.
func ExampleRegisterMap() {
	x := mat.NewDense(3, 1, []float64{1, 2, 3})
	y, err := powers.Map(context.Background(), nil, x, 1, power{Exponent: 3})
	fmt.Println(y.RawMatrix().Data, err)
	// Output: [1 8 27] <nil>
}

func ExampleRegisterReduce() {
	x := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	s, err := columnSums.Reduce(context.Background(), nil, x, struct{}{})
	fmt.Println(s.RawMatrix().Data, err)
	// Output: [9 12] <nil>
}

// By name, as an interpreter calls it that skips generic functions.
func ExampleMapNamed() {
	x := mat.NewDense(3, 1, []float64{1, 2, 3})
	y, err := parallel.MapNamed(context.Background(), nil, "example/powers", "1", x, 1, map[string]int{"Exponent": 2})
	fmt.Println(y.RawMatrix().Data, err)
	_, err = parallel.MapNamed(context.Background(), nil, "example/powers", "2", x, 1, nil)
	fmt.Println(err)
	// Output:
	// [1 4 9] <nil>
	// parallel: invalid argument: example/powers (version 2) is not registered in this program; call RegisterMap or RegisterReduce for a variable at package level, and import that package
}
