package main

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

func TestStandardise(t *testing.T) {
	x := mat.NewDense(4, 3, []float64{
		1, 7, 10,
		2, 7, 20,
		3, 7, 10,
		4, 7, 20,
	})
	z, err := standardise(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	s := math.Sqrt(1.25)
	want := mat.NewDense(4, 3, []float64{
		-1.5 / s, 0, -1,
		-0.5 / s, 0, 1,
		0.5 / s, 0, -1,
		1.5 / s, 0, 1,
	})
	if !mat.EqualApprox(z, want, 1e-15) {
		t.Errorf("got\n%v\nwant\n%v", mat.Formatted(z), mat.Formatted(want))
	}
	if x.At(0, 0) != 1 {
		t.Error("the argument was changed")
	}
	if _, err := standardise(t.Context(), &mat.Dense{}); err == nil {
		t.Error("no error for an empty matrix")
	}
}

// TestComponentsOfALine has points on a line, whose components are known.
func TestComponentsOfALine(t *testing.T) {
	z := mat.NewDense(5, 2, []float64{-6, -8, -3, -4, 0, 0, 3, 4, 6, 8})
	scores, explained, err := principalComponents(t.Context(), z, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{-10, -5, 0, 5, 10}
	got := mat.Col(nil, 0, scores)
	if got[0] > 0 { // both ends are as large, so the sign is open
		floats.Scale(-1, got)
	}
	if !floats.EqualApprox(got, want, 1e-12) {
		t.Errorf("scores %v, want %v", got, want)
	}
	if !floats.EqualApprox(mat.Col(nil, 1, scores), make([]float64, 5), 1e-12) {
		t.Errorf("second component %v, want zeros", mat.Col(nil, 1, scores))
	}
	if !floats.EqualApprox(explained, []float64{1, 0}, 1e-12) {
		t.Errorf("explained %v, want 1 and 0", explained)
	}
	for _, components := range []int{-1, 0, 3} {
		if _, _, err := principalComponents(t.Context(), z, components); err == nil {
			t.Errorf("no error for %d components", components)
		}
	}
}

// TestComponentsOfCovariance compares the decomposition of the data with that of
// its covariance, and with gonum's own principal components.
func TestComponentsOfCovariance(t *testing.T) {
	images, _, err := loadDigits()
	if err != nil {
		t.Fatal(err)
	}
	z, err := standardise(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	const components = 8
	scores, explained, err := principalComponents(t.Context(), z, components)
	if err != nil {
		t.Fatal(err)
	}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, z, nil)
	var eigen mat.EigenSym
	if !eigen.Factorize(&covariance, false) {
		t.Fatal("the eigenvalues do not converge")
	}
	values := eigen.Values(nil)
	slices.Reverse(values)
	var pc stat.PC
	if !pc.PrincipalComponents(z, nil) {
		t.Fatal("gonum's principal components do not converge")
	}
	var vectors, projected mat.Dense
	pc.VectorsTo(&vectors)
	projected.Mul(z, vectors.Slice(0, 64, 0, components))
	for j := range components {
		column := mat.Col(nil, j, scores)
		if got := stat.Variance(column, nil); math.Abs(got-values[j]) > 1e-10 {
			t.Errorf("component %d has variance %v, its eigenvalue is %v", j, got, values[j])
		}
		if want := values[j] / floats.Sum(values); math.Abs(explained[j]-want) > 1e-12 {
			t.Errorf("component %d explains %v, want %v", j, explained[j], want)
		}
		if floats.Max(column) < -floats.Min(column) {
			t.Errorf("component %d: the largest score is negative", j)
		}
		want := mat.Col(nil, j, &projected)
		floats.Scale(sign(want), want)
		if !floats.EqualApprox(column, want, 1e-9) {
			t.Errorf("component %d differs from gonum's", j)
		}
	}
}

func TestDistances(t *testing.T) {
	x := mat.NewDense(3, 2, []float64{0, 0, 3, 4, 6, 8})
	d, err := workers(2).distances(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	want := mat.NewDense(3, 3, []float64{0, 5, 10, 5, 0, 5, 10, 5, 0})
	if !mat.Equal(d, want) {
		t.Errorf("got\n%v", mat.Formatted(d))
	}
}

func TestClassify(t *testing.T) {
	// Points on a line, two labels; the one at 4 lies among the others' points.
	at := []float64{0, 1, 2, 10, 11, 4, 12}
	labels := []int64{7, 7, 7, 8, 8, 8, 8}
	d := mat.NewDense(len(at), len(at), nil)
	for i := range at {
		for j := range at {
			d.Set(i, j, math.Abs(at[i]-at[j]))
		}
	}
	before := mat.DenseCopyOf(d)
	for _, tc := range []struct {
		neighbours int
		want       []int64
	}{
		{1, []int64{7, 7, 7, 8, 8, 7, 8}},
		{3, []int64{7, 7, 7, 8, 8, 7, 8}},
		{6, []int64{8, 8, 8, 8, 8, 7, 8}}, // 4 of 8 against 2 of 7, 3 against 3: the nearest decides
	} {
		predicted, accuracy, err := workers(3).classify(t.Context(), d, labels, tc.neighbours)
		if err != nil {
			t.Fatal(err)
		}
		right := 0.0
		for i := range labels {
			if tc.want[i] == labels[i] {
				right++
			}
		}
		if !slices.Equal(predicted, tc.want) || accuracy != right/7 {
			t.Errorf("%d neighbours: %v, accuracy %v; want %v", tc.neighbours, predicted, accuracy, tc.want)
		}
	}
	if !mat.Equal(d, before) {
		t.Error("the distances were changed")
	}

	// Equal points: itself may not be among the first.
	same := mat.NewDense(3, 3, nil)
	predicted, _, err := workers(1).classify(t.Context(), same, []int64{1, 2, 2}, 1)
	if err != nil || !slices.Equal(predicted, []int64{2, 1, 1}) {
		t.Errorf("equal points: %v, %v", predicted, err)
	}

	for _, neighbours := range []int{-1, 0, 7} {
		if _, _, err := workers(1).classify(t.Context(), d, labels, neighbours); err == nil {
			t.Errorf("no error for %d neighbours", neighbours)
		}
	}
	if _, _, err := workers(1).classify(t.Context(), d, labels[:3], 1); err == nil {
		t.Error("no error for too few labels")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := workers(1).classify(ctx, d, labels, 1); err == nil {
		t.Error("no error after the context ended")
	}
}

// TestPipelineBits holds that the digests of all results are the same at any
// number of workers and of processors. Keys are made from results, so equal keys of
// the last step mean equal bits of all before it.
func TestPipelineBits(t *testing.T) {
	images, labels, err := loadDigits()
	if err != nil {
		t.Fatal(err)
	}
	const rows = 300 // enough for several ranges a worker, and for parallel products in gonum
	images = images.Slice(0, rows, 0, 64).(*mat.Dense)
	labels = labels[:rows]
	type bits struct {
		key       string
		predicted array.Digest
		accuracy  float64
	}
	measure := func(count, processors int) bits {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		c, err := memo.Open("", nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPipeline(c, settings{components: 10, neighbours: 3, workers: count})
		if err != nil {
			t.Fatal(err)
		}
		z, err := p.standardise.Call(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		scores, _, err := p.pca.Call(t.Context(), z, 10)
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.distances.Call(t.Context(), scores)
		if err != nil {
			t.Fatal(err)
		}
		k, err := p.classify.Key(d, labels, 3)
		if err != nil {
			t.Fatal(err)
		}
		o, err := p.run(t.Context(), images, labels, func(string, time.Duration) {})
		if err != nil {
			t.Fatal(err)
		}
		src, err := array.Of(o.predicted)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := array.Hash(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		return bits{k.String(), digest, o.accuracy}
	}
	want := measure(1, 1)
	for _, count := range []int{1, 8} {
		for _, processors := range []int{1, 8} {
			if got := measure(count, processors); got != want {
				t.Errorf("%d workers, GOMAXPROCS %d: %+v, want %+v", count, processors, got, want)
			}
		}
	}
}

// TestAccuracy runs the whole pipeline in a cache, and again from it.
func TestAccuracy(t *testing.T) {
	images, labels, err := loadDigits()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var accuracy [2]float64
	for i, wantHits := range []int64{0, int64(len(steps))} {
		c, err := memo.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPipeline(c, settings{components: 20, neighbours: 3})
		if err != nil {
			t.Fatal(err)
		}
		var done []string
		o, err := p.run(t.Context(), images, labels, func(step string, _ time.Duration) { done = append(done, step) })
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(done, steps) {
			t.Errorf("run %d did %v", i, done)
		}
		if got := c.Stats(); got.Hits != wantHits || got.Faults != 0 {
			t.Errorf("run %d: %+v, want %d hits", i, got, wantHits)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		accuracy[i] = o.accuracy
	}
	// Nearest neighbours on all 64 pixels get 98.8 % of these digits.
	if accuracy[0] < 0.96 || accuracy[0] > 0.99 || accuracy[1] != accuracy[0] {
		t.Errorf("accuracy %v", accuracy)
	}
}
