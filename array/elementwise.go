package array

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// elementwise reads a matrix that gonum does not define through its At method:
// the only door that every layout has.
type elementwise struct {
	dtype DType
	shape []int
	cols  int
	put   func(dst []byte, i, j int)
}

// viewElements returns m's elements as At gives them.
func viewElements(m mat.Matrix) (Source, error) {
	rows, cols := m.Dims()
	e := &elementwise{dtype: Float64, shape: []int{rows, cols}, cols: cols}
	if v, ok := m.(mat.Vector); ok {
		n := v.Len()
		if _, row := m.(mat.TransposeVec); !row && (cols == 1 || n == 0) {
			e.shape = []int{n}
		}
		if n != rows*cols {
			return nil, fmt.Errorf("%w: %T has %d elements in %d×%d", ErrShape, m, n, rows, cols)
		}
	}
	e.put = func(dst []byte, i, j int) { le.PutUint64(dst, math.Float64bits(m.At(i, j))) }
	return e.checked()
}

// viewCElements is viewElements for complex matrices.
func viewCElements(m mat.CMatrix) (Source, error) {
	rows, cols := m.Dims()
	e := &elementwise{dtype: Complex128, shape: []int{rows, cols}, cols: cols}
	e.put = func(dst []byte, i, j int) { putComplex128(dst, m.At(i, j)) }
	return e.checked()
}

// checked returns e, or the error of its shape.
func (e *elementwise) checked() (Source, error) {
	if _, err := Elements(e.shape, e.dtype.Size()); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *elementwise) DType() DType { return e.dtype }
func (e *elementwise) Shape() []int { return slices.Clone(e.shape) }

// serial says that only one goroutine at a time may call At: what a foreign type
// does in it is not known.
func (e *elementwise) serial() {}

func (e *elementwise) Encode(dst []byte, first int) (err error) {
	defer recovered(&err)
	n, err := checkRange(len(dst), first, e.shape[0]*e.cols, e.dtype)
	if err != nil || n == 0 {
		return err
	}
	size := e.dtype.Size()
	i, j := first/e.cols, first%e.cols
	for k := range n {
		e.put(dst[k*size:(k+1)*size], i, j)
		if j++; j == e.cols {
			i, j = i+1, 0
		}
	}
	return nil
}

// recovered turns a panic of a matrix's method into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: reading the matrix panicked: %v", ErrShape, p)
	}
}
