package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/parallel"
)

func ExampleMap() {
	ctx := context.Background()
	words := []string{"chunk", "key", "record", "object"}

	lengths, err := parallel.Map(ctx, nil, words, func(_ context.Context, w string) (int, error) {
		return len(w), nil
	})
	fmt.Println(lengths, err)
	// Output: [5 3 6 6] <nil>
}

// The first item that fails stops the call and is named by its index.
func ExampleMap_error() {
	ctx := context.Background()
	errNegative := errors.New("negative")

	roots, err := parallel.Map(ctx, nil, []float64{4, 9, -1, 16}, func(_ context.Context, x float64) (float64, error) {
		if x < 0 {
			return 0, errNegative
		}
		return math.Sqrt(x), nil
	})
	fmt.Println(roots, err)

	var e *parallel.Error
	fmt.Println(errors.As(err, &e) && e.Index == 2, errors.Is(err, errNegative))
	// Output:
	// [] parallel: item 2: negative
	// true true
}

// A panic is an error like any other, and brings its stack.
func ExamplePanicError() {
	ctx := context.Background()
	tables := [][]int{{1, 2}, {}, {3}}

	_, err := parallel.Map(ctx, nil, tables, func(_ context.Context, t []int) (int, error) {
		return t[0], nil
	})
	fmt.Println(err)

	var p *parallel.PanicError
	fmt.Println(errors.As(err, &p) && len(p.Stack) > 0)
	// Output:
	// parallel: item 1: panic: runtime error: index out of range [0] with length 0
	// true
}

func ExampleForEach() {
	ctx := context.Background()
	rows := [][]float64{{1, 3}, {2, 2}, {1, 7}}

	// Each item writes its own memory, so no lock is needed.
	err := parallel.ForEach(ctx, nil, rows, func(_ context.Context, row []float64) error {
		floats.Scale(1/floats.Sum(row), row)
		return nil
	})
	fmt.Println(rows, err)
	// Output: [[0.25 0.75] [0.5 0.5] [0.125 0.875]] <nil>
}

func ExampleForRange() {
	ctx := context.Background()
	x, y := []float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}

	err := parallel.ForRange(ctx, nil, len(x), func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			y[i] += 2 * x[i]
		}
		return nil
	})
	fmt.Println(y, err)
	// Output: [12 24 36 48] <nil>
}

// A function over a range can say which of its items has failed.
func ExampleError() {
	ctx := context.Background()
	x := []float64{1, 2, math.NaN(), 4}

	err := parallel.ForRange(ctx, nil, len(x), func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			if math.IsNaN(x[i]) {
				return &parallel.Error{Index: i, Err: errors.New("not a number")}
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output: parallel: item 2: not a number
}

func ExampleReduce() {
	ctx := context.Background()
	xs := make([]float64, 1000)
	for i := range xs {
		xs[i] = 1 / float64(i+1)
	}
	plus := func(a, b float64) float64 { return a + b }

	one, _ := parallel.Reduce(ctx, &parallel.Options{Workers: 1}, xs, 0, plus, plus)
	many, _ := parallel.Reduce(ctx, &parallel.Options{Workers: 64}, xs, 0, plus, plus)
	fmt.Printf("%.6f, same bits: %t\n", one, one == many)
	// Output: 7.485471, same bits: true
}

// An accumulator that holds references starts as nil, and fold makes a fresh
// one for each grain.
func ExampleReduce_histogram() {
	ctx := context.Background()
	labels := []int{0, 2, 1, 2, 2, 0}

	counts, err := parallel.Reduce(ctx, nil, labels, nil,
		func(acc []int, label int) []int {
			if acc == nil {
				acc = make([]int, 3)
			}
			acc[label]++
			return acc
		},
		func(a, b []int) []int {
			for i := range a {
				a[i] += b[i]
			}
			return a
		})
	fmt.Println(counts, err)
	// Output: [2 1 3] <nil>
}

// The Gram matrix of a tall matrix, block by block, with the same bits on any
// number of workers.
func ExampleRowBlocks() {
	ctx := context.Background()
	x := mat.NewDense(4, 2, []float64{
		1, 0,
		0, 1,
		2, 1,
		1, 2,
	})
	blocks, err := parallel.RowBlocks(x, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	gram, err := parallel.Reduce(ctx, nil, blocks, nil,
		func(acc *mat.Dense, b parallel.RowBlock) *mat.Dense {
			var g mat.Dense
			g.Mul(b.Rows.T(), b.Rows)
			if acc != nil {
				g.Add(acc, &g)
			}
			return &g
		},
		func(a, b *mat.Dense) *mat.Dense {
			a.Add(a, b)
			return a
		})
	fmt.Println(mat.Formatted(gram), err)
	// Output:
	// ⎡6  4⎤
	// ⎣4  6⎦ <nil>
}

func ExampleForEachBlock() {
	ctx := context.Background()
	x := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})

	err := parallel.ForEachBlock(ctx, nil, x, func(_ context.Context, b parallel.RowBlock) error {
		b.Rows.Scale(10, b.Rows) // a view: this changes x
		return nil
	})
	fmt.Println(mat.Formatted(x), err)
	// Output:
	// ⎡10  20⎤
	// ⎢30  40⎥
	// ⎣50  60⎦ <nil>
}

func ExampleMapRows() {
	ctx := context.Background()
	x := mat.NewDense(3, 3, []float64{
		1, 2, 3,
		4, 4, 4,
		9, 0, 3,
	})
	// The least, the mean and the largest element of each row.
	y, err := parallel.MapRows(ctx, nil, x, 3, func(_ context.Context, _ int, row, dst []float64) error {
		dst[0], dst[1], dst[2] = floats.Min(row), floats.Sum(row)/float64(len(row)), floats.Max(row)
		return nil
	})
	fmt.Println(mat.Formatted(y), err)
	// Output:
	// ⎡1  2  3⎤
	// ⎢4  4  4⎥
	// ⎣0  4  9⎦ <nil>
}

func ExampleProtect() {
	err := parallel.Protect(func() error {
		a, b := mat.NewDense(2, 3, nil), mat.NewDense(2, 3, nil)
		var c mat.Dense
		c.Mul(a, b)
		return nil
	})
	fmt.Println(err, errors.Is(err, mat.ErrShape))
	// Output: parallel: panic: mat: dimension mismatch true
}

// A deadline reaches the functions through their context.
func ExampleOptions() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()

	o := &parallel.Options{Workers: -2, Grain: 1} // leave one CPU to others
	err := parallel.ForEach(ctx, o, make([]struct{}, 1000), func(ctx context.Context, _ struct{}) error {
		<-ctx.Done() // stands for work that looks at its context
		return ctx.Err()
	})
	fmt.Println(err)
	// Output: context deadline exceeded
}
