package picture

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/numcache/numcache/array"
)

// pieceElements is how many elements are read at once.
const pieceElements = 1 << 15

// each calls f with the elements of src in order, as float64, some at a time, and the
// index of the first of them. The slice is f's until it returns.
func each(ctx context.Context, src array.Source, f func(first int, values []float64)) error {
	d := src.DType()
	n, err := array.Elements(src.Shape(), d.Size())
	if err != nil {
		return err
	}
	convert := floatsOf(d)
	if convert == nil {
		return array.ErrDType
	}
	piece := min(n, pieceElements)
	raw, values := make([]byte, piece*d.Size()), make([]float64, piece)
	for first := 0; first < n; first += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := min(piece, n-first)
		if err := src.Encode(raw[:k*d.Size()], first); err != nil {
			return err
		}
		convert(values[:k], raw)
		f(first, values[:k])
	}
	return nil
}

// floatsOf returns the function that makes float64s of little-endian elements of a type;
// of complex ones the magnitudes. It is nil for a type that is none.
func floatsOf(d array.DType) func(dst []float64, src []byte) {
	le := binary.LittleEndian
	single := func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	double := func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
	var one func(b []byte) float64
	switch d {
	case array.Bool, array.Uint8:
		one = func(b []byte) float64 { return float64(b[0]) }
	case array.Int8:
		one = func(b []byte) float64 { return float64(int8(b[0])) }
	case array.Int16:
		one = func(b []byte) float64 { return float64(int16(le.Uint16(b))) }
	case array.Uint16:
		one = func(b []byte) float64 { return float64(le.Uint16(b)) }
	case array.Int32:
		one = func(b []byte) float64 { return float64(int32(le.Uint32(b))) }
	case array.Uint32:
		one = func(b []byte) float64 { return float64(le.Uint32(b)) }
	case array.Int64:
		one = func(b []byte) float64 { return float64(int64(le.Uint64(b))) }
	case array.Uint64:
		one = func(b []byte) float64 { return float64(le.Uint64(b)) }
	case array.Float16:
		one = func(b []byte) float64 { return float64(array.Half(le.Uint16(b)).Float32()) }
	case array.Float32:
		one = single
	case array.Float64:
		one = double
	case array.Complex64:
		one = func(b []byte) float64 { return math.Hypot(single(b), single(b[4:])) }
	case array.Complex128:
		one = func(b []byte) float64 { return math.Hypot(double(b), double(b[8:])) }
	default:
		return nil
	}
	size := d.Size()
	return func(dst []float64, src []byte) {
		for i := range dst {
			dst[i] = one(src[i*size:])
		}
	}
}

// extent is the least and the greatest of some numbers, and what was left out of them.
type extent struct {
	lo, hi         float64 // of those that are finite
	finite         int
	nans, infinite int
}

// add takes a number in, and reports whether it is finite.
func (e *extent) add(v float64) bool {
	switch {
	case math.IsNaN(v):
		e.nans++
		return false
	case math.IsInf(v, 0):
		e.infinite++
		return false
	case e.finite == 0:
		e.lo, e.hi = v, v
	default:
		e.lo, e.hi = min(e.lo, v), max(e.hi, v)
	}
	e.finite++
	return true
}

// check is the error of numbers that cannot be drawn.
func (e *extent) check() error {
	switch {
	case e.finite == 0:
		return errAllLeftOut
	case max(-e.lo, e.hi) > 1e307:
		return ErrRange
	}
	return nil
}

// leftOut says what was not drawn, "" for nothing.
func (e *extent) leftOut() string {
	var parts []string
	if e.nans > 0 {
		parts = append(parts, fmt.Sprintf("%d NaN", e.nans))
	}
	if e.infinite > 0 {
		parts = append(parts, fmt.Sprintf("%d infinite", e.infinite))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, " and ") + " left out"
}
