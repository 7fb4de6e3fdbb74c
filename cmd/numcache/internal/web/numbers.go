package web

import (
	"fmt"
	"math"
	"math/cmplx"
	"strconv"

	"github.com/numcache/numcache/array"
)

// values are the elements of an array as floats: a complex number is its magnitude, a
// bool 0 or 1.
type values struct {
	shape []int
	n     int
	at    func(i int) float64
	what  string // "magnitude" where they are not the elements themselves
}

func newValues(a array.Any) values {
	v := values{shape: a.Shape(), n: a.Len()}
	switch a := a.(type) {
	case *array.Array[bool]:
		v.at = func(i int) float64 {
			if a.Data()[i] {
				return 1
			}
			return 0
		}
	case *array.Array[int8]:
		v.at = float(a)
	case *array.Array[int16]:
		v.at = float(a)
	case *array.Array[int32]:
		v.at = float(a)
	case *array.Array[int64]:
		v.at = float(a)
	case *array.Array[uint8]:
		v.at = float(a)
	case *array.Array[uint16]:
		v.at = float(a)
	case *array.Array[uint32]:
		v.at = float(a)
	case *array.Array[uint64]:
		v.at = float(a)
	case *array.Array[array.Half]:
		data := a.Data()
		v.at = func(i int) float64 { return float64(data[i].Float32()) }
	case *array.Array[float32]:
		v.at = float(a)
	case *array.Array[float64]:
		v.at = float(a)
	case *array.Array[complex64]:
		data := a.Data()
		v.at, v.what = func(i int) float64 { return cmplx.Abs(complex128(data[i])) }, "magnitude"
	case *array.Array[complex128]:
		data := a.Data()
		v.at, v.what = func(i int) float64 { return cmplx.Abs(data[i]) }, "magnitude"
	default:
		v.n, v.at = 0, func(int) float64 { return math.NaN() }
	}
	return v
}

func float[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](a *array.Array[T]) func(int) float64 {
	data := a.Data()
	return func(i int) float64 { return float64(data[i]) }
}

// summary is what the numbers of an array have in common.
type summary struct {
	N              int
	Min, Max, Mean float64 // of the finite ones
	NaN, Infinite  int
	What           string
}

// Finite is how many numbers Min, Max and Mean are of.
func (s *summary) Finite() int { return s.N - s.NaN - s.Infinite }

func summarise(v values) *summary {
	s := &summary{N: v.n, Min: math.Inf(1), Max: math.Inf(-1), What: v.what}
	for i := range v.n {
		switch f := v.at(i); {
		case math.IsNaN(f):
			s.NaN++
		case math.IsInf(f, 0):
			s.Infinite++
		default:
			s.Min, s.Max = min(s.Min, f), max(s.Max, f)
			// A running mean does not overflow where a sum would.
			n := float64(i + 1 - s.NaN - s.Infinite)
			s.Mean += f/n - s.Mean/n
		}
	}
	return s
}

// table is the beginning of an array.
type table struct {
	Columns []int
	Rows    []tableRow
	More    string // what is left out
}

type tableRow struct {
	Index int
	Cells []string
}

const (
	maxTableRows    = 10
	maxTableColumns = 8
)

// tableOf returns the first rows of an array: of more than two dimensions those along
// the last.
func tableOf(a array.Any) *table {
	shape := a.Shape()
	if a.Len() == 0 {
		return nil
	}
	columns := 1
	if len(shape) > 1 {
		columns = shape[len(shape)-1]
	}
	rows := a.Len() / columns
	t := &table{}
	for j := range min(columns, maxTableColumns) {
		t.Columns = append(t.Columns, j)
	}
	for i := range min(rows, maxTableRows) {
		row := tableRow{Index: i}
		for j := range t.Columns {
			row.Cells = append(row.Cells, cell(a, i*columns+j))
		}
		t.Rows = append(t.Rows, row)
	}
	switch {
	case rows > maxTableRows && columns > maxTableColumns:
		t.More = fmt.Sprintf("%d rows and %d columns more", rows-maxTableRows, columns-maxTableColumns)
	case rows > maxTableRows:
		t.More = fmt.Sprintf("%d rows more", rows-maxTableRows)
	case columns > maxTableColumns:
		t.More = fmt.Sprintf("%d columns more", columns-maxTableColumns)
	}
	return t
}

// cell writes an element in a few characters.
func cell(a array.Any, i int) string {
	switch a := a.(type) {
	case *array.Array[bool]:
		return strconv.FormatBool(a.Data()[i])
	case *array.Array[int64]:
		return strconv.FormatInt(a.Data()[i], 10) // beyond what a float has
	case *array.Array[uint64]:
		return strconv.FormatUint(a.Data()[i], 10)
	case *array.Array[complex64]:
		return fmt.Sprintf("%.4g", a.Data()[i])
	case *array.Array[complex128]:
		return fmt.Sprintf("%.4g", a.Data()[i])
	}
	f := newValues(a).at(i)
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}
