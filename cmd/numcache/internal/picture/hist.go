package picture

import (
	"context"
	"math"

	"github.com/numcache/numcache/array"
)

// histogram is how many numbers fall into bins of equal width.
type histogram struct {
	extent
	first, width float64 // where the first bin begins, and how wide each is
	single       bool    // each bin is for one value, in its middle
	counts       []int
}

// maxBins is the most bins of a histogram, however wide the picture.
const maxBins = 100

// histogramOf reads src twice: for the range, and to count. Whole numbers of few values
// have a bin each.
func histogramOf(ctx context.Context, src array.Source, most int) (*histogram, error) {
	var h histogram
	err := each(ctx, src, func(_ int, values []float64) {
		for _, v := range values {
			h.add(v)
		}
	})
	if err == nil {
		err = h.check()
	}
	if err != nil {
		return nil, err
	}
	most = max(min(most, maxBins), 1)
	spread := h.hi - h.lo
	bins := min(max(int(math.Ceil(math.Sqrt(float64(h.finite)))), 5), most)
	h.first, h.width = h.lo, spread/float64(bins)
	switch {
	case isWhole(src.DType()) && spread < float64(most):
		bins = int(spread) + 1
		h.first, h.width, h.single = h.lo-0.5, 1, true
	case spread == 0 || h.width == 0: // a single value, or neighbours among floats
		bins, h.single = 1, true
		h.width = max(math.Abs(h.lo)/8, spread, math.SmallestNonzeroFloat64)
		if h.lo == 0 {
			h.width = 1
		}
		h.first = h.lo - h.width/2
	}
	h.counts = make([]int, bins)
	return &h, each(ctx, src, func(_ int, values []float64) {
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				h.counts[min(max(int((v-h.first)/h.width), 0), bins-1)]++
			}
		}
	})
}

// isWhole reports whether the elements of a type are whole numbers.
func isWhole(d array.DType) bool { return d.Valid() && d < array.Float16 }

// most returns the greatest count.
func (h *histogram) most() (n int) {
	for _, count := range h.counts {
		n = max(n, count)
	}
	return n
}
