package picture

import (
	"context"
	"fmt"
	"slices"

	"github.com/numcache/numcache/array"
)

// ParseKind reads the name of a kind. Another name is [ErrKind].
func ParseKind(name string) (Kind, error) {
	k := Kind(name)
	if !slices.Contains([]Kind{Line, Hist, Heat, Image}, k) {
		return "", fmt.Errorf("%w %q; choose line, hist, heat or image", ErrKind, name)
	}
	return k, nil
}

// maxLines is how many columns of a matrix are drawn as lines.
const maxLines = 10

// Suitable returns the kind that suits arrays of a type and shape: an image for those
// that may be one, a line where there is one dimension, extents of 1 left out, a heat
// map where there are two, and else a histogram.
func Suitable(d array.DType, shape []int) Kind {
	switch {
	case isImage(d, shape):
		return Image
	case len(squeezed(shape)) < 2:
		return Line
	case len(squeezed(shape)) == 2:
		return Heat
	}
	return Hist
}

// isImage reports whether the array may be meant as an image. One of a single row or
// column is a vector.
func isImage(d array.DType, shape []int) bool {
	if d != array.Uint8 || len(shape) < 2 || len(shape) > 3 || shape[0] == 1 || shape[1] == 1 {
		return false
	}
	return len(shape) == 2 || slices.Contains([]int{1, 3, 4}, shape[2])
}

// squeezed returns the shape without the extents of 1.
func squeezed(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(extent int) bool { return extent == 1 })
}

// drawing is an array reduced to what a picture of it shows: one of the four kinds.
type drawing struct {
	lines  []curve
	rows   int // of the array that the lines are of
	hist   *histogram
	heat   *grid
	pixels *grid
}

// reduce reads src for a picture of the kind that o says, that can tell columns and
// rows of pixels apart.
func reduce(ctx context.Context, src array.Source, o Options, columns, rows int) (d drawing, err error) {
	shape := src.Shape()
	n, err := array.Elements(shape, src.DType().Size())
	if err != nil {
		return d, err
	}
	if n == 0 {
		return d, fmt.Errorf("%w: the array of shape %s has no elements", ErrEmpty, array.FormatShape(shape))
	}
	kind := o.Kind
	if kind == "" {
		kind = Suitable(src.DType(), shape)
	}
	kept := squeezed(shape)
	switch kind {
	case Line:
		count := 1
		if len(kept) == 2 {
			count = kept[1]
		}
		if len(kept) > 2 || count > maxLines {
			return d, fmt.Errorf("%w: a line is drawn of a vector, or for each of up to %d columns of a matrix, and this array has shape %s",
				ErrKind, maxLines, array.FormatShape(shape))
		}
		d.rows = n / count
		if d.lines, err = curvesOf(ctx, src, d.rows, count, columns); err == nil {
			e := extentOf(d.lines)
			err = e.check()
		}
	case Hist:
		d.hist, err = histogramOf(ctx, src, columns)
	case Heat:
		if len(kept) > 2 {
			return d, fmt.Errorf("%w: a heat map is drawn of a matrix, and this array has shape %s", ErrKind, array.FormatShape(shape))
		}
		height, width := 1, n
		switch {
		case len(kept) == 2:
			height, width = kept[0], kept[1]
		case len(shape) == 2 && shape[1] == 1: // a column
			height, width = n, 1
		}
		if d.heat, err = gridOf(ctx, src, height, width, 1, rows, columns); err == nil {
			e := d.heat.extent()
			err = e.check()
		}
	case Image:
		if src.DType() != array.Uint8 || len(shape) < 2 || len(shape) > 3 || len(shape) == 3 && !slices.Contains([]int{1, 3, 4}, shape[2]) {
			return d, fmt.Errorf("%w: an image is uint8 of shape (h, w), (h, w, 3) or (h, w, 4), and this array is %s of shape %s",
				ErrKind, src.DType(), array.FormatShape(shape))
		}
		channels := n / shape[0] / shape[1]
		rows, columns = fitted(shape[0], shape[1], rows, columns)
		d.pixels, err = gridOf(ctx, src, shape[0], shape[1], channels, rows, columns)
	default:
		_, err = ParseKind(string(kind))
	}
	return d, err
}

// fitted returns how many rows and columns of pixels an image has within bounds, with
// its proportions kept; it is made smaller only.
func fitted(height, width, maxRows, maxColumns int) (rows, columns int) {
	scale := max(float64(height)/float64(maxRows), float64(width)/float64(maxColumns), 1)
	return max(int(float64(height)/scale), 1), max(int(float64(width)/scale), 1)
}
