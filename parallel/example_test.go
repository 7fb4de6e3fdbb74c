package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
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

// Results are consumed as they come, in the order of the items. No more are held
// than the window says, however many there are.
func ExampleStream() {
	ctx := context.Background()
	lines := strings.Lines("4\n9\n16\nmany\n25\n") // a sequence of any length

	for root, err := range parallel.Stream(ctx, nil, lines, func(_ context.Context, line string) (float64, error) {
		x, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		return math.Sqrt(x), err
	}) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(root)
	}
	// Output:
	// 2
	// 3
	// 4
	// parallel: item 3: strconv.ParseFloat: parsing "many": invalid syntax
}

// As they are completed: the slow one comes last, and no other waits for it.
func ExampleStream_unordered() {
	ctx := context.Background()
	others := make(chan struct{})

	o := &parallel.Options{Workers: 2, Grain: 1, Unordered: true}
	for name, err := range parallel.Stream(ctx, o, []string{"slow", "quick"}, func(_ context.Context, name string) (string, error) {
		if name == "slow" {
			<-others
		}
		return name, nil
	}) {
		fmt.Println(name, err)
		if name == "quick" {
			close(others)
		}
	}
	// Output:
	// quick <nil>
	// slow <nil>
}

// One stream feeds another: both run at once, and the second holds the first back.
func ExampleSource() {
	ctx := context.Background()
	evens := func(yield func(int) bool) { // no end
		for i := 0; yield(i); i += 2 {
		}
	}
	square := func(_ context.Context, x int) (int, error) { return x * x, nil }
	halve := func(_ context.Context, x int) (int, error) { return x / 2, nil }

	for x := range parallel.Stream(ctx, nil, parallel.Stream(ctx, nil, evens, square), halve) {
		if x > 60 {
			break
		}
		fmt.Print(x, " ")
	}
	// Output: 0 2 8 18 32 50
}

// All items run, and the results of those that succeed are kept.
func ExampleOptions_collectErrors() {
	ctx := context.Background()
	o := &parallel.Options{CollectErrors: true}
	ys, err := parallel.Map(ctx, o, []string{"1", "two", "3", "four"}, func(_ context.Context, s string) (int, error) {
		return strconv.Atoi(s)
	})
	fmt.Println(ys)
	fmt.Println(err)
	// Output:
	// [1 0 3 0]
	// parallel: item 1: strconv.Atoi: parsing "two": invalid syntax
	// parallel: item 3: strconv.Atoi: parsing "four": invalid syntax
}

// An item that takes too long ends with its context; the others go on.
func ExampleOptions_timeout() {
	ctx := context.Background()
	o := &parallel.Options{Timeout: time.Millisecond, CollectErrors: true}
	ys, err := parallel.Map(ctx, o, []string{"a", "stuck", "c"}, func(ctx context.Context, s string) (string, error) {
		if s == "stuck" {
			<-ctx.Done()
			return "", ctx.Err()
		}
		return s, nil
	})
	fmt.Printf("%q %v\n", ys, errors.Is(err, context.DeadlineExceeded))
	// Output: ["a" "" "c"] true
}

func ExampleOptions_progress() {
	ctx := context.Background()
	o := &parallel.Options{Progress: func(p parallel.Progress) {
		fmt.Printf("%d of %d\n", p.Done, p.Total) // p.Rate and p.ETA say how it goes on
	}}
	if err := parallel.ForEach(ctx, o, make([]int, 1000), func(context.Context, int) error { return nil }); err != nil {
		fmt.Println(err)
	}
	// Output: 1000 of 1000
}

// Everything below this context has two workers, calls inside calls together.
func ExampleWithWorkers() {
	ctx := parallel.WithWorkers(context.Background(), 2)
	table, err := parallel.Map(ctx, nil, []int{1, 2, 3}, func(ctx context.Context, x int) ([]int, error) {
		return parallel.Map(ctx, nil, []int{1, 10, 100}, func(_ context.Context, y int) (int, error) { return x * y, nil })
	})
	fmt.Println(table, err)
	// Output: [[1 10 100] [2 20 200] [3 30 300]] <nil>
}

// The largest product of a row with itself, of blocks whose function may fail.
func ExampleMapReduce() {
	ctx := context.Background()
	x := mat.NewDense(4, 2, []float64{1, 0, 0, 3, 2, 1, 1, 2})
	blocks, err := parallel.RowBlocks(x, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	most, err := parallel.MapReduce(ctx, nil, blocks, func(_ context.Context, b parallel.RowBlock) (float64, error) {
		var products mat.Dense
		products.Mul(b.Rows, b.Rows.T())
		return mat.Max(&products), nil
	}, math.Max)
	fmt.Println(most, err)
	// Output: 9 <nil>
}

func ExampleSum() {
	ctx := context.Background()
	xs := make([]float64, 1_000_000)
	for i := range xs {
		xs[i] = 0.1
	}
	sum, err := parallel.Sum(ctx, nil, xs)
	plain := 0.0
	for _, x := range xs {
		plain += x
	}
	fmt.Printf("%.6f, in a plain loop %.6f %v\n", sum, plain, err)
	// Output: 100000.000000, in a plain loop 100000.000001 <nil>
}

func ExampleDot() {
	ctx := context.Background()
	dot, err := parallel.Dot(ctx, nil, []float64{1, 2, 3}, []float64{4, 5, 6})
	fmt.Println(dot, err)
	// Output: 32 <nil>
}

// The spread is small beside the mean, and no digit of it is lost.
func ExampleColumnMoments() {
	ctx := context.Background()
	x := mat.NewDense(4, 2, []float64{
		1e9 + 1, 1,
		1e9 + 2, 10,
		1e9 + 3, 100,
		1e9 + 4, 1000,
	})
	columns, err := parallel.ColumnMoments(ctx, nil, x)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range columns {
		fmt.Printf("%d values, mean %.2f, variance %.4f, deviation of the sample %.4f\n", c.N, c.Mean, c.Variance(0), c.StdDev(1))
	}
	// Output:
	// 4 values, mean 1000000002.50, variance 1.2500, deviation of the sample 1.2910
	// 4 values, mean 277.75, variance 175380.1875, deviation of the sample 483.5703
}

func ExampleColumnSums() {
	ctx := context.Background()
	x := mat.NewDense(3, 2, []float64{1, 10, 2, 20, 3, 30})
	sums, err := parallel.ColumnSums(ctx, nil, x)
	fmt.Println(sums, err)
	means, err := parallel.ColumnMeans(ctx, nil, x)
	fmt.Println(means, err)
	rows, err := parallel.RowSums(ctx, nil, x)
	fmt.Println(rows, err)
	// Output:
	// [6 60] <nil>
	// [2 20] <nil>
	// [11 22 33] <nil>
}

func ExampleColumnExtrema() {
	ctx := context.Background()
	x := mat.NewDense(3, 2, []float64{3, 1, -1, math.NaN(), 2, 5})
	columns, err := parallel.ColumnExtrema(ctx, nil, x)
	fmt.Println(columns, err)
	// Output: [{-1 3} {NaN NaN}] <nil>
}

func ExampleGram() {
	ctx := context.Background()
	x := mat.NewDense(4, 2, []float64{
		1, 0,
		0, 1,
		2, 1,
		1, 2,
	})
	gram, err := parallel.Gram(ctx, nil, x)
	fmt.Println(mat.Formatted(gram), err)
	// Output:
	// ⎡6  4⎤
	// ⎣4  6⎦ <nil>
}

func ExampleMapBlocks() {
	ctx := context.Background()
	x := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	w := mat.NewDense(2, 1, []float64{10, 1})
	y, err := parallel.MapBlocks(ctx, nil, x, 1, func(_ context.Context, b parallel.RowBlock, dst *mat.Dense) error {
		dst.Mul(b.Rows, w)
		return nil
	})
	fmt.Println(mat.Formatted(y), err)
	// Output:
	// ⎡12⎤
	// ⎢34⎥
	// ⎣56⎦ <nil>
}

// The Gram matrix by hand, without a generic function.
func ExampleReduceBlocks() {
	ctx := context.Background()
	x := mat.NewDense(4, 2, []float64{1, 0, 0, 1, 2, 1, 1, 2})
	gram, err := parallel.ReduceBlocks(ctx, &parallel.Options{Grain: 2}, x,
		func(_ context.Context, b parallel.RowBlock) (*mat.Dense, error) {
			var g mat.Dense
			g.Mul(b.Rows.T(), b.Rows)
			return &g, nil
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

func ExampleMapFloat64s() {
	ctx := context.Background()
	ys, err := parallel.MapFloat64s(ctx, nil, []float64{1, 4, 9}, func(_ context.Context, x float64) (float64, error) {
		return math.Sqrt(x), nil
	})
	fmt.Println(ys, err)
	// Output: [1 2 3] <nil>
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
