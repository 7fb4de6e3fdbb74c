package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/digits"
)

// The steps of the demo's pipeline. The prefix keeps them apart from functions of
// other programs in the same cache.
const (
	stepStandardise = "demo/standardise"
	stepPCA         = "demo/pca"
	stepDistances   = "demo/distances"
	stepClassify    = "demo/knn"
)

// steps are the steps in the order in which they run.
var steps = []string{stepStandardise, stepPCA, stepDistances, stepClassify}

// settings are what a caller may choose about the pipeline.
type settings struct {
	components, neighbours int
	workers                int // as in parallel.Options; no part of any key
}

// pipeline is the chain standardise, PCA, distances, nearest neighbours, each
// step memoized. A step's results are arguments of the next, so what a changed
// setting does not touch stays a hit.
type pipeline struct {
	settings    settings
	standardise *memo.Function[func(context.Context, *mat.Dense) (*mat.Dense, error)]
	pca         *memo.Function[func(context.Context, *mat.Dense, int) (*mat.Dense, []float64, error)]
	distances   *memo.Function[func(context.Context, *mat.Dense) (*mat.Dense, error)]
	classify    *memo.Function[func(context.Context, *mat.Dense, []int64, int) ([]int64, float64, error)]
}

// newPipeline memoizes the steps in c.
func newPipeline(c *memo.Cache, s settings) (*pipeline, error) {
	p := &pipeline{settings: s}
	w := workers(s.workers)
	var err error
	if p.standardise, err = memo.Func(c, memo.Spec{Name: stepStandardise, Version: "1"}, standardise); err != nil {
		return nil, err
	}
	if p.pca, err = memo.Func(c, memo.Spec{Name: stepPCA, Version: "1"}, principalComponents); err != nil {
		return nil, err
	}
	if p.distances, err = memo.Func(c, memo.Spec{Name: stepDistances, Version: "1"}, w.distances); err != nil {
		return nil, err
	}
	if p.classify, err = memo.Func(c, memo.Spec{Name: stepClassify, Version: "1"}, w.classify); err != nil {
		return nil, err
	}
	return p, nil
}

// outcome is what a run of the pipeline found.
type outcome struct {
	predicted []int64 // the digit that each image was taken for
	accuracy  float64 // the share of images that were taken for what they are
	explained float64 // the share of the variance that the components hold
}

// run calls the steps one after the other, and done after each with what the
// whole call took: the hashing of its arguments, and the function or the cache.
func (p *pipeline) run(ctx context.Context, images *mat.Dense, labels []int64, done func(step string, took time.Duration)) (*outcome, error) {
	began := time.Now()
	next := func(step string) {
		done(step, time.Since(began))
		began = time.Now()
	}
	z, err := p.standardise.Call(ctx, images)
	if err != nil {
		return nil, err
	}
	next(stepStandardise)
	scores, explained, err := p.pca.Call(ctx, z, p.settings.components)
	if err != nil {
		return nil, err
	}
	next(stepPCA)
	distances, err := p.distances.Call(ctx, scores)
	if err != nil {
		return nil, err
	}
	next(stepDistances)
	predicted, accuracy, err := p.classify.Call(ctx, distances, labels, p.settings.neighbours)
	if err != nil {
		return nil, err
	}
	next(stepClassify)
	return &outcome{predicted: predicted, accuracy: accuracy, explained: floats.Sum(explained)}, nil
}

// loadDigits returns the data set that is built into the program.
func loadDigits() (images *mat.Dense, labels []int64, err error) {
	a, err := npy.Read(bytes.NewReader(digits.Images))
	if err == nil {
		images, err = a.Dense()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the images of the demo: %w", err)
	}
	l, err := npy.ReadAs[int64](bytes.NewReader(digits.Labels))
	if err != nil {
		return nil, nil, fmt.Errorf("the labels of the demo: %w", err)
	}
	rows, _ := images.Dims()
	if l.Len() != rows {
		return nil, nil, fmt.Errorf("the demo has %d images and %s labels", rows, array.FormatShape(l.Shape()))
	}
	return images, l.Data(), nil
}
