package parallel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/numcache/numcache/parallel"
)

// reductions are all ready-made ones, their results as one list of numbers.
var reductions = map[string]func(o *parallel.Options, m *mat.Dense) ([]float64, error){
	"Sum": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		s, err := parallel.Sum(bg, o, mat.DenseCopyOf(m).RawMatrix().Data)
		return []float64{s}, err
	},
	"Dot": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		x := mat.DenseCopyOf(m).RawMatrix().Data
		y := slices.Clone(x)
		slices.Reverse(y)
		s, err := parallel.Dot(bg, o, x, y)
		return []float64{s}, err
	},
	"MomentsOf": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		s, err := parallel.MomentsOf(bg, o, mat.DenseCopyOf(m).RawMatrix().Data)
		return []float64{float64(s.N), s.Mean, s.M2}, err
	},
	"ExtremaOf": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		s, err := parallel.ExtremaOf(bg, o, mat.DenseCopyOf(m).RawMatrix().Data)
		return []float64{s.Min, s.Max}, err
	},
	"RowSums":     func(o *parallel.Options, m *mat.Dense) ([]float64, error) { return parallel.RowSums(bg, o, m) },
	"RowMeans":    func(o *parallel.Options, m *mat.Dense) ([]float64, error) { return parallel.RowMeans(bg, o, m) },
	"ColumnSums":  func(o *parallel.Options, m *mat.Dense) ([]float64, error) { return parallel.ColumnSums(bg, o, m) },
	"ColumnMeans": func(o *parallel.Options, m *mat.Dense) ([]float64, error) { return parallel.ColumnMeans(bg, o, m) },
	"RowMoments": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		return flatMoments(parallel.RowMoments(bg, o, m))
	},
	"ColumnMoments": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		return flatMoments(parallel.ColumnMoments(bg, o, m))
	},
	"RowExtrema": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		return flatExtrema(parallel.RowExtrema(bg, o, m))
	},
	"ColumnExtrema": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		return flatExtrema(parallel.ColumnExtrema(bg, o, m))
	},
	"Gram": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		g, err := parallel.Gram(bg, o, m)
		if err != nil {
			return nil, err
		}
		return mat.DenseCopyOf(g).RawMatrix().Data, nil
	},
	"ReduceBlocks": func(o *parallel.Options, m *mat.Dense) ([]float64, error) {
		g, err := parallel.ReduceBlocks(bg, o, m, func(_ context.Context, b parallel.RowBlock) (*mat.Dense, error) {
			var g mat.Dense
			g.Mul(b.Rows.T(), b.Rows)
			return &g, nil
		}, func(a, b *mat.Dense) *mat.Dense { a.Add(a, b); return a })
		if err != nil {
			return nil, err
		}
		return g.RawMatrix().Data, nil
	},
}

func flatMoments(all []parallel.Moments, err error) (flat []float64, _ error) {
	for _, m := range all {
		flat = append(flat, float64(m.N), m.Mean, m.M2)
	}
	return flat, err
}

func flatExtrema(all []parallel.Extrema, err error) (flat []float64, _ error) {
	for _, e := range all {
		flat = append(flat, e.Min, e.Max)
	}
	return flat, err
}

func sameBits(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}

// The fifth promise: the same bits for any number of workers and processors, and
// whatever the layout in memory.
func TestReductionsHaveTheSameBits(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(procs)
	for _, shape := range [][2]int{{1, 1}, {3, 5}, {2000, 1}, {1, 3000}, {1031, 37}, {40_001, 3}} {
		r, c := shape[0], shape[1]
		dense := mat.NewDense(r, c, wild(r*c))
		outer := mat.NewDense(r+1, c+3, nil)
		view := outer.Slice(1, r+1, 2, c+2).(*mat.Dense)
		view.Copy(dense)
		for name, reduce := range reductions {
			for _, grain := range []int{0, 1000, 7} {
				if squares := name == "Gram" || name == "ReduceBlocks"; r > 10_000 && grain == 7 || squares && c > 1000 {
					continue
				}
				runtime.GOMAXPROCS(procs)
				want, err := reduce(&parallel.Options{Workers: 1, Grain: grain}, dense)
				if err != nil {
					t.Fatalf("%s %v: %v", name, shape, err)
				}
				for _, p := range []int{1, 3} {
					runtime.GOMAXPROCS(p)
					for _, workers := range []int{2, 7, 64} {
						for _, m := range []*mat.Dense{dense, view} {
							got, err := reduce(&parallel.Options{Workers: workers, Grain: grain}, m)
							if err != nil || !sameBits(got, want) {
								t.Errorf("%s %v, grain %d, %d workers, GOMAXPROCS %d: other bits (%v)", name, shape, grain, workers, p, err)
							}
						}
					}
				}
			}
		}
	}
}

// exactly returns the sum of the products of two lists as it is, and of their
// absolute values, to measure the error by.
func exactly(x, y []float64) (sum, size *big.Float) {
	sum, size = new(big.Float).SetPrec(400), new(big.Float).SetPrec(400)
	for i := range x {
		p := new(big.Float).SetPrec(200).Mul(big.NewFloat(x[i]), big.NewFloat(y[i]))
		sum.Add(sum, p)
		size.Add(size, p.Abs(p))
	}
	return sum, size
}

// within checks got against the exact value, in units of the last place of size.
func withinUlps(t *testing.T, what string, got float64, want, size *big.Float, ulps float64) {
	t.Helper()
	off := new(big.Float).Sub(new(big.Float).SetPrec(400).SetFloat64(got), want)
	off.Quo(off.Abs(off), new(big.Float).Mul(size, big.NewFloat(0x1p-53)))
	if n, _ := off.Float64(); !(n <= ulps) {
		t.Errorf("%s: %v is off by %.1f units of the last place, may be %v", what, got, n, ulps)
	}
}

func ones(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// Against arithmetic without rounding.
func TestReductionsAreAccurate(t *testing.T) {
	const r, c = 20_000, 4
	rng := rand.New(rand.NewPCG(8, 9))
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, rng.Float64()+float64(j)*1000)
		}
	}
	// The roundings of equal numbers all go the same way.
	tenths := make([]float64, 100_000)
	plain := 0.0
	for i := range tenths {
		tenths[i] = 0.1
		plain += 0.1
	}
	want, size := exactly(tenths, ones(len(tenths)))
	if off := math.Abs(plain/10_000 - 1); off < 1000*0x1p-53 {
		t.Errorf("a plain loop is off by %v only; the data prove nothing", off)
	}
	s, err := parallel.Sum(bg, nil, tenths)
	if err != nil {
		t.Fatal(err)
	}
	withinUlps(t, "Sum of equal numbers", s, want, size, 20)

	data := m.RawMatrix().Data
	want, size = exactly(data, ones(len(data)))
	if s, err = parallel.Sum(bg, nil, data); err != nil {
		t.Fatal(err)
	}
	withinUlps(t, "Sum", s, want, size, 6)

	y := wild(len(data))
	want, size = exactly(data, y)
	d, err := parallel.Dot(bg, nil, data, y)
	if err != nil {
		t.Fatal(err)
	}
	withinUlps(t, "Dot", d, want, size, 6)

	sums, err := parallel.ColumnSums(bg, nil, m)
	if err != nil {
		t.Fatal(err)
	}
	moments, err := parallel.ColumnMoments(bg, nil, m)
	if err != nil {
		t.Fatal(err)
	}
	gram, err := parallel.Gram(bg, nil, m)
	if err != nil {
		t.Fatal(err)
	}
	for j := range c {
		x := mat.Col(nil, j, m)
		want, size := exactly(x, ones(r))
		withinUlps(t, "ColumnSums", sums[j], want, size, 8)
		mean := new(big.Float).Quo(want, big.NewFloat(r))
		withinUlps(t, "mean", moments[j].Mean, mean, mean, 4)
		m2 := new(big.Float).SetPrec(400)
		for _, v := range x {
			d := new(big.Float).Sub(big.NewFloat(v).SetPrec(200), mean)
			m2.Add(m2, d.Mul(d, d))
		}
		// The mean is ten thousand times the spread. The textbook formula would
		// lose eight digits to that; what is lost here are the roundings of the
		// means that are merged.
		withinUlps(t, "M2", moments[j].M2, m2, m2, 200)
		for k := range c {
			want, size := exactly(x, mat.Col(nil, k, m))
			withinUlps(t, "Gram", gram.At(j, k), want, size, 24)
		}
	}
}

// Against gonum, on shapes that have every rest in the kernels.
func TestReductionsAgreeWithGonum(t *testing.T) {
	for r := 1; r < 40; r += 3 {
		for _, c := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 17} {
			for name, m := range matrices(r, c) {
				var g mat.Dense
				g.Mul(m.T(), m)
				gram, err := parallel.Gram(bg, &parallel.Options{Workers: 2, Grain: 5}, m)
				if err != nil || !mat.EqualApprox(gram, &g, 1e-13) {
					t.Fatalf("Gram of %s %d×%d: %v", name, r, c, err)
				}
				o := &parallel.Options{Workers: 2, Grain: 3}
				means, err1 := parallel.ColumnMeans(bg, o, m)
				sums, err2 := parallel.RowSums(bg, o, m)
				rowMeans, err3 := parallel.RowMeans(bg, o, m)
				columns, err4 := parallel.ColumnMoments(bg, o, m)
				rows, err5 := parallel.RowMoments(bg, o, m)
				low, err6 := parallel.ColumnExtrema(bg, o, m)
				wide, err7 := parallel.RowExtrema(bg, o, m)
				if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
					t.Fatal(err)
				}
				check := func(what string, got, want float64) {
					t.Helper()
					if math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) && !(math.IsNaN(got) && math.IsNaN(want)) {
						t.Errorf("%s of %s %d×%d: %v, want %v", what, name, r, c, got, want)
					}
				}
				for j := range c {
					x := mat.Col(nil, j, m)
					check("column mean", means[j], stat.Mean(x, nil))
					check("column mean", columns[j].Mean, stat.Mean(x, nil))
					if r > 1 {
						check("column variance", columns[j].Variance(1), stat.Variance(x, nil))
						check("column deviation", columns[j].StdDev(0), stat.PopStdDev(x, nil))
					}
					check("column min", low[j].Min, slices.Min(x))
					check("column max", low[j].Max, slices.Max(x))
				}
				for i := range r {
					x := m.RawRowView(i)
					check("row sum", sums[i], float64(c)*stat.Mean(x, nil))
					check("row mean", rowMeans[i], stat.Mean(x, nil))
					check("row sum", rows[i].Sum(), sums[i])
					if c > 1 {
						check("row variance", rows[i].Variance(1), stat.Variance(x, nil))
					} else if !math.IsNaN(rows[i].Variance(1)) {
						t.Error("the variance of one value")
					}
					check("row min", wide[i].Min, slices.Min(x))
					check("row max", wide[i].Max, slices.Max(x))
				}
			}
		}
	}
}

// What NumPy says of values that are not finite.
func TestReductionsOfSpecialValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tc := range []struct {
		x                        []float64
		sum, mean, vary, lo, top float64
	}{
		{[]float64{1, nan, 3}, nan, nan, nan, nan, nan},
		{[]float64{nan, inf}, nan, nan, nan, nan, nan},
		{[]float64{inf, 1, 2}, inf, inf, nan, 1, inf},
		{[]float64{-inf, inf}, nan, nan, nan, -inf, inf},
		{[]float64{-inf, -inf, 0}, -inf, -inf, nan, -inf, 0},
		{[]float64{5}, 5, 5, 0, 5, 5},
	} {
		for _, grain := range []int{1, 2, 0} { // in every part, and between parts
			o := &parallel.Options{Grain: grain}
			m := mat.NewDense(len(tc.x), 1, tc.x)
			sum, err1 := parallel.Sum(bg, o, tc.x)
			of, err2 := parallel.MomentsOf(bg, o, tc.x)
			ends, err3 := parallel.ExtremaOf(bg, o, tc.x)
			cols, err4 := parallel.ColumnMoments(bg, o, m)
			ce, err5 := parallel.ColumnExtrema(bg, o, m)
			sums, err6 := parallel.ColumnSums(bg, o, m)
			if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
				t.Fatal(err)
			}
			got := []float64{sum, sums[0], of.Mean, cols[0].Mean, of.Variance(0), cols[0].Variance(0), ends.Min, ce[0].Min, ends.Max, ce[0].Max}
			want := []float64{tc.sum, tc.sum, tc.mean, tc.mean, tc.vary, tc.vary, tc.lo, tc.lo, tc.top, tc.top}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v, grain %d: %v, want %v", tc.x, grain, got, want)
			}
		}
	}
	zeros, err := parallel.ExtremaOf(bg, nil, []float64{0, math.Copysign(0, -1), 0})
	if err != nil || !math.Signbit(zeros.Min) || math.Signbit(zeros.Max) {
		t.Errorf("zeros: %v, %v", zeros, err)
	}
}

func TestReductionsRefuse(t *testing.T) {
	ended, cancel := context.WithCancel(bg)
	cancel()
	var nilCtx context.Context
	m := mat.NewDense(3, 2, nil)
	second := func(_ any, err error) error { return err }
	for name, call := range map[string]func(ctx context.Context, o *parallel.Options, m *mat.Dense) error{
		"RowSums": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.RowSums(ctx, o, m))
		},
		"ColumnSums": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.ColumnSums(ctx, o, m))
		},
		"ColumnMeans": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.ColumnMeans(ctx, o, m))
		},
		"ColumnMoments": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.ColumnMoments(ctx, o, m))
		},
		"ColumnExtrema": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.ColumnExtrema(ctx, o, m))
		},
		"Gram": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.Gram(ctx, o, m))
		},
		"MapBlocks": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.MapBlocks(ctx, o, m, 1, func(context.Context, parallel.RowBlock, *mat.Dense) error { return nil }))
		},
		"ReduceBlocks": func(ctx context.Context, o *parallel.Options, m *mat.Dense) error {
			return second(parallel.ReduceBlocks(ctx, o, m, func(context.Context, parallel.RowBlock) (*mat.Dense, error) { return new(mat.Dense), nil },
				func(a, _ *mat.Dense) *mat.Dense { return a }))
		},
	} {
		if err := call(ended, nil, m); err != context.Canceled {
			t.Errorf("%s under an ended context: %v", name, err)
		}
		for what, err := range map[string]error{
			"matrix": call(bg, nil, nil), "context": call(nilCtx, nil, m), "grain": call(bg, &parallel.Options{Grain: -1}, m),
		} {
			if !errors.Is(err, parallel.ErrInvalid) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	for name, err := range map[string]error{
		"Dot":           second(parallel.Dot(bg, nil, []float64{1}, nil)),
		"ExtremaOf":     second(parallel.ExtremaOf(bg, nil, nil)),
		"Gram":          second(parallel.Gram(bg, nil, new(mat.Dense))),
		"ReduceBlocks":  second(parallel.ReduceBlocks(bg, nil, m, nil, nil)),
		"MapBlocks":     second(parallel.MapBlocks(bg, nil, m, 0, func(context.Context, parallel.RowBlock, *mat.Dense) error { return nil })),
		"Sum, a grain":  second(parallel.Sum(bg, &parallel.Options{Grain: -1}, ones(3))),
		"Sum, no items": second(parallel.Sum(nilCtx, nil, nil)),
	} {
		if !errors.Is(err, parallel.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sum, err := parallel.Sum(bg, nil, nil); sum != 0 || err != nil {
		t.Errorf("the empty sum: %v, %v", sum, err)
	}
	if sums, err := parallel.ColumnSums(bg, nil, new(mat.Dense)); len(sums) != 0 || err != nil {
		t.Errorf("sums of no columns: %v, %v", sums, err)
	}
}

// The tree over a sequence, whose length it does not know, is that over a slice.
func TestReduceOfASequence(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 6, 7, 31, 255, 1000, 5003} {
		xs := wild(n)
		for _, grain := range []int{1, 2, 7, 1024, math.MaxInt} {
			want := byLevels(xs, grain, 0.0, plus, plus)
			for _, workers := range []int{1, 2, 7, 64} {
				o := &parallel.Options{Workers: workers, Grain: grain}
				got, err := parallel.Reduce(bg, o, slices.Values(xs), 0.0, plus, plus)
				if err != nil || math.Float64bits(got) != math.Float64bits(want) {
					t.Fatalf("n=%d %+v: %v (%v), want %v", n, o, got, err, want)
				}
				id := func(_ context.Context, x float64) (float64, error) { return x, nil }
				want := byLevels(xs, 1, 0.0, plus, plus)
				of, err := parallel.MapReduce(bg, o, xs, id, plus)
				if err != nil || of != want {
					t.Fatalf("MapReduce, n=%d %+v: %v (%v), want %v", n, o, of, err, want)
				}
				of, err = parallel.MapReduce(bg, o, slices.Values(xs), id, plus)
				if err != nil || of != want {
					t.Fatalf("MapReduce of a sequence, n=%d %+v: %v (%v), want %v", n, o, of, err, want)
				}
			}
		}
		if got, err := parallel.Reduce(bg, nil, slices.Values(xs), 0.0, plus, plus); err != nil || got != byLevels(xs, 1024, 0, plus, plus) {
			t.Errorf("n=%d: the grain of a sequence is not 1024", n)
		}
	}
}

func TestMapReduceNamesTheItem(t *testing.T) {
	for _, workers := range []int{1, 3} {
		o := &parallel.Options{Workers: workers, Grain: 1}
		fails := func(_ context.Context, i int) (int, error) {
			if i == 41 {
				return 0, errBoom
			}
			return i, nil
		}
		_, slice := parallel.MapReduce(bg, o, ints(100), fails, add)
		_, sequence := parallel.MapReduce(bg, o, upTo(100, nil), fails, add)
		for _, err := range []error{slice, sequence} {
			if want := "parallel: item 41: boom"; err == nil || err.Error() != want {
				t.Errorf("%d workers: %v, want %s", workers, err, want)
			}
		}
		good := func(_ context.Context, i int) (int, error) { return i, nil }
		// Of the pairs of items only 40 and 41 make 81; of the ends, only one has 99.
		panics := func(sum int) func(a, b int) int {
			return func(a, b int) int {
				if a+b == sum {
					panic("merge")
				}
				return a + b
			}
		}
		for _, tc := range []struct {
			n, sum int
			want   string
		}{{64, 81, "parallel: item 40: panic: merge"}, {3, 3, "parallel: item 0: panic: merge"}} {
			_, slice = parallel.MapReduce(bg, o, ints(tc.n), good, panics(tc.sum))
			_, sequence = parallel.MapReduce(bg, o, upTo(tc.n, nil), good, panics(tc.sum))
			for _, err := range []error{slice, sequence} {
				if err == nil || err.Error() != tc.want {
					t.Errorf("%d workers: %v, want %s", workers, err, tc.want)
				}
			}
		}
	}
}

func TestMapBlocks(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		for _, grain := range []int{0, 1, 9, 1000} {
			for name, m := range matrices(41, 5) {
				o := &parallel.Options{Workers: workers, Grain: grain}
				w := mat.NewDense(5, 2, []float64{1, 0, 0, 1, 1, 1, 0, 0, 2, 2})
				var want mat.Dense
				want.Mul(m, w)
				got, err := parallel.MapBlocks(bg, o, m, 2, func(_ context.Context, b parallel.RowBlock, dst *mat.Dense) error {
					dst.Mul(b.Rows, w)
					return nil
				})
				if err != nil || !mat.Equal(got, &want) {
					t.Errorf("%s %+v: %v", name, o, err)
				}
			}
		}
	}
	_, err := parallel.MapBlocks(bg, &parallel.Options{Grain: 10}, matrices(41, 5)["dense"], 2, func(_ context.Context, b parallel.RowBlock, _ *mat.Dense) error {
		if b.Start == 20 {
			return errBoom
		}
		return nil
	})
	var e *parallel.Error
	if !errors.As(err, &e) || e.Index != 20 {
		t.Errorf("error %v, want that of row 20", err)
	}
	ys, err := parallel.MapFloat64s(bg, nil, []float64{1, 2, 3}, func(_ context.Context, x float64) (float64, error) { return x * x, nil })
	if err != nil || !slices.Equal(ys, []float64{1, 4, 9}) {
		t.Errorf("MapFloat64s: %v, %v", ys, err)
	}
}
