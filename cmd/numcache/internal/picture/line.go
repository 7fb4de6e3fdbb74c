package picture

import (
	"context"
	"math"

	"github.com/numcache/numcache/array"
)

// curve is a line: points in order, with a NaN where it is broken.
type curve []point

type point struct{ x, y float64 }

// curvesOf reads count columns of n rows each as lines. One with more than two points
// for each of the columns of pixels is reduced to the least and the greatest point in
// each of these, so that it looks as all of its points would.
func curvesOf(ctx context.Context, src array.Source, n, count, columns int) ([]curve, error) {
	lines := make([]curve, count)
	if n <= 2*columns {
		err := each(ctx, src, func(first int, values []float64) {
			for i, v := range values {
				at := first + i
				if math.IsInf(v, 0) {
					v = math.NaN()
				}
				lines[at%count] = append(lines[at%count], point{float64(at / count), v})
			}
		})
		return lines, err
	}
	envelopes := make([]envelope, count)
	err := each(ctx, src, func(first int, values []float64) {
		row, line := first/count, first%count
		for _, v := range values {
			envelopes[line].add(row, n, columns, v)
			if line++; line == count {
				row, line = row+1, 0
			}
		}
	})
	for i := range lines {
		envelopes[i].flush()
		lines[i] = envelopes[i].done
	}
	return lines, err
}

// envelope reduces a line as its points come.
type envelope struct {
	done       curve
	end        int // the row with which the next piece begins
	piece      int
	some       bool // the piece has a finite point
	least, top point
}

// add takes in the point of a row of n.
func (e *envelope) add(row, n, columns int, v float64) {
	if row >= e.end {
		e.flush()
		for e.end <= row {
			e.piece++
			e.end = int(math.Ceil(float64(n) * float64(e.piece) / float64(columns)))
		}
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	p := point{float64(row), v}
	if !e.some {
		e.some, e.least, e.top = true, p, p
		return
	}
	if v < e.least.y {
		e.least = p
	}
	if v > e.top.y {
		e.top = p
	}
}

// flush ends a piece: its two points in order, or a gap.
func (e *envelope) flush() {
	switch {
	case e.end == 0: // the first one begins
	case !e.some:
		e.done = append(e.done, point{float64(e.end), math.NaN()})
	case e.least == e.top:
		e.done = append(e.done, e.least)
	case e.least.x < e.top.x:
		e.done = append(e.done, e.least, e.top)
	default:
		e.done = append(e.done, e.top, e.least)
	}
	e.some = false
}

// extentOf returns the range of the points of lines.
func extentOf(lines []curve) (e extent) {
	for _, line := range lines {
		for _, p := range line {
			e.add(p.y)
		}
	}
	return e
}

// runs calls f with each unbroken piece of the line.
func (c curve) runs(f func(curve)) {
	begin := 0
	for i := 0; i <= len(c); i++ {
		if i < len(c) && !math.IsNaN(c[i].y) {
			continue
		}
		if i > begin {
			f(c[begin:i])
		}
		begin = i + 1
	}
}
