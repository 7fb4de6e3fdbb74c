package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"

	"github.com/numcache/numcache/array"
)

// comparison is how the elements of two arrays of one shape differ.
type comparison struct {
	equalBits bool // the same type, and the same bytes
	different int  // elements that are not equal; NaN equals NaN, and 0 equals -0
	oneNaN    int  // of these, where one is NaN and the other is not
	beyond    int  // elements whose difference is more than the tolerance, or one NaN
	absolute  worst
	relative  worst // to the larger of the two magnitudes
	first     int   // the first element that is not equal
}

// worst is a difference that is greatest, and the element where it is first met.
type worst struct {
	difference float64
	at         int
}

func (w *worst) add(difference float64, at int) {
	if difference > w.difference {
		w.difference, w.at = difference, at
	}
}

// compareElements is how many elements are read at once.
const compareElements = 1 << 15

// compareArrays reads two arrays of the same shape, a piece at a time.
func compareArrays(ctx context.Context, a, b array.Source, tolerance float64) (c comparison, err error) {
	da, db := a.DType(), b.DType()
	n, err := array.Elements(a.Shape(), max(da.Size(), db.Size()))
	if err != nil {
		return c, err
	}
	c.equalBits = da == db
	piece := min(n, compareElements)
	rawA, rawB := make([]byte, piece*da.Size()), make([]byte, piece*db.Size())
	elementA, elementB := elementReader(da), elementReader(db)
	for first := 0; first < n; first += piece {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		k := min(piece, n-first)
		pieceA, pieceB := rawA[:k*da.Size()], rawB[:k*db.Size()]
		if err := a.Encode(pieceA, first); err != nil {
			return c, err
		}
		if err := b.Encode(pieceB, first); err != nil {
			return c, err
		}
		if da == db && bytes.Equal(pieceA, pieceB) {
			continue
		}
		c.equalBits = false
		for i := range k {
			x, y := elementA(pieceA[i*da.Size():]), elementB(pieceB[i*db.Size():])
			if !x.equals(y) {
				c.add(x, y, first+i, tolerance)
			}
		}
	}
	return c, nil
}

func (c *comparison) add(x, y element, at int, tolerance float64) {
	if c.different == 0 {
		c.first = at
	}
	c.different++
	difference := x.minus(y)
	if math.IsNaN(difference) {
		c.oneNaN++
		c.beyond++
		return
	}
	if difference > tolerance {
		c.beyond++
	}
	c.absolute.add(difference, at)
	larger := max(x.magnitude(), y.magnitude())
	relative := difference / larger
	if math.IsInf(difference, 1) && !math.IsInf(larger, 1) { // finite numbers far apart
		relative = 2
	}
	if math.IsNaN(relative) {
		relative = math.Inf(1)
	}
	c.relative.add(relative, at)
}

// element is a number of any type. Whole ones are kept exactly; beside one that is not
// whole they are what float64 makes of them.
type element struct {
	whole    bool
	negative bool   // of a whole one
	size     uint64 // of a whole one, its magnitude
	re, im   float64
}

func (e element) equals(o element) bool {
	if e.whole && o.whole {
		return e.negative == o.negative && e.size == o.size
	}
	same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
	return same(e.re, o.re) && same(e.im, o.im)
}

// minus returns the magnitude of the difference; NaN where one has a NaN that the other
// has not.
func (e element) minus(o element) float64 {
	if e.whole && o.whole {
		if e.negative == o.negative {
			return float64(max(e.size, o.size) - min(e.size, o.size))
		}
		return float64(e.size) + float64(o.size)
	}
	part := func(x, y float64) float64 {
		if x == y || math.IsNaN(x) && math.IsNaN(y) { // infinities, too
			return 0
		}
		return math.Abs(x - y)
	}
	re, im := part(e.re, o.re), part(e.im, o.im)
	if math.IsNaN(re) || math.IsNaN(im) { // which to Hypot are less than an infinity
		return math.NaN()
	}
	return math.Hypot(re, im)
}

func (e element) magnitude() float64 {
	if e.whole {
		return float64(e.size)
	}
	return math.Hypot(e.re, e.im)
}

// elementReader returns the function that reads an element of a type, little-endian.
func elementReader(d array.DType) func(b []byte) element {
	le := binary.LittleEndian
	natural := func(n uint64) element { return element{whole: true, size: n, re: float64(n)} }
	integer := func(n int64) element {
		if n < 0 {
			return element{whole: true, negative: true, size: -uint64(n), re: float64(n)}
		}
		return natural(uint64(n))
	}
	single := func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	double := func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
	switch d {
	case array.Bool, array.Uint8:
		return func(b []byte) element { return natural(uint64(b[0])) }
	case array.Uint16:
		return func(b []byte) element { return natural(uint64(le.Uint16(b))) }
	case array.Uint32:
		return func(b []byte) element { return natural(uint64(le.Uint32(b))) }
	case array.Uint64:
		return func(b []byte) element { return natural(le.Uint64(b)) }
	case array.Int8:
		return func(b []byte) element { return integer(int64(int8(b[0]))) }
	case array.Int16:
		return func(b []byte) element { return integer(int64(int16(le.Uint16(b)))) }
	case array.Int32:
		return func(b []byte) element { return integer(int64(int32(le.Uint32(b)))) }
	case array.Int64:
		return func(b []byte) element { return integer(int64(le.Uint64(b))) }
	case array.Float16:
		return func(b []byte) element { return element{re: float64(array.Half(le.Uint16(b)).Float32())} }
	case array.Float32:
		return func(b []byte) element { return element{re: single(b)} }
	case array.Float64:
		return func(b []byte) element { return element{re: double(b)} }
	case array.Complex64:
		return func(b []byte) element { return element{re: single(b), im: single(b[4:])} }
	case array.Complex128:
		return func(b []byte) element { return element{re: double(b), im: double(b[8:])} }
	}
	panic("numcache: an array of a type that package array does not have")
}
