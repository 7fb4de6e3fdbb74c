package array

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// FromDense returns m as an array of shape (rows, columns). It shares m's
// memory where m's elements lie without gaps; a strided view is copied. A nil m
// is [ErrNil]; one whose data is too short for its shape, [ErrShape].
func FromDense(m *mat.Dense) (*Array[float64], error) {
	if m == nil {
		return nil, fmt.Errorf("%w *mat.Dense", ErrNil)
	}
	return gapless(viewMatrix(m))
}

// FromVecDense returns v as a 1-d array. It shares v's memory where v's
// increment is 1 and copies otherwise. A nil v is [ErrNil]; one whose data is too
// short for its length, [ErrShape].
func FromVecDense(v *mat.VecDense) (*Array[float64], error) {
	if v == nil {
		return nil, fmt.Errorf("%w *mat.VecDense", ErrNil)
	}
	return gapless(viewMatrix(v))
}

// gapless returns a view of float64s as the array it is, or a copy of it.
func gapless(src Source, err error) (*Array[float64], error) {
	if err != nil {
		return nil, err
	}
	if a, ok := src.(*Array[float64]); ok {
		return a, nil
	}
	c, err := Copy(src)
	if err != nil {
		return nil, err
	}
	return c.(*Array[float64]), nil
}

// Dense returns a 2-d float64 array as a gonum matrix that shares its memory.
// Another element type is [ErrDType]. Another number of dimensions is
// [ErrShape], as is one extent of 0, which a gonum matrix cannot have alone; a
// (0, 0) array gives the empty matrix.
func (a *Array[T]) Dense() (*mat.Dense, error) {
	elements, shape := a.parts()
	data, err := float64s(elements)
	if err != nil {
		return nil, err
	}
	switch {
	case len(shape) != 2:
		return nil, fmt.Errorf("%w: %s is not a matrix; Reshape it to two dimensions first", ErrShape, FormatShape(shape))
	case shape[0] == 0 && shape[1] == 0:
		return &mat.Dense{}, nil
	case len(data) == 0:
		return nil, fmt.Errorf("%w: gonum has no %s matrix", ErrShape, FormatShape(shape))
	}
	return mat.NewDense(shape[0], shape[1], data), nil
}

// VecDense returns a 1-d float64 array as a gonum vector that shares its
// memory. Another element type is [ErrDType], another number of dimensions
// [ErrShape]; an empty array gives the empty vector.
func (a *Array[T]) VecDense() (*mat.VecDense, error) {
	elements, shape := a.parts()
	data, err := float64s(elements)
	if err != nil {
		return nil, err
	}
	if len(shape) != 1 {
		return nil, fmt.Errorf("%w: %s is not a vector; Reshape it to one dimension first", ErrShape, FormatShape(shape))
	}
	if len(data) == 0 {
		return &mat.VecDense{}, nil
	}
	return mat.NewVecDense(len(data), data), nil
}

func float64s[T Element](data []T) ([]float64, error) {
	if f, ok := any(data).([]float64); ok {
		return f, nil
	}
	return nil, fmt.Errorf("%w: gonum holds float64, the array %s", ErrDType, dtypeOf[T]())
}
