package array

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// FromDense returns m as an array of shape (rows, columns). It shares m's
// memory where m's rows lie without gaps; a strided view is copied. A nil m is
// [ErrNil].
func FromDense(m *mat.Dense) (*Array[float64], error) {
	if m == nil {
		return nil, fmt.Errorf("%w *mat.Dense", ErrNil)
	}
	raw := m.RawMatrix()
	shape := []int{raw.Rows, raw.Cols}
	if raw.Stride == raw.Cols {
		return &Array[float64]{data: raw.Data[:raw.Rows*raw.Cols], shape: shape}, nil
	}
	data := make([]float64, 0, raw.Rows*raw.Cols)
	for i := range raw.Rows {
		data = append(data, raw.Data[i*raw.Stride:i*raw.Stride+raw.Cols]...)
	}
	return &Array[float64]{data: data, shape: shape}, nil
}

// FromVecDense returns v as a 1-d array. It shares v's memory where v's
// increment is 1 and copies otherwise. A nil v is [ErrNil].
func FromVecDense(v *mat.VecDense) (*Array[float64], error) {
	if v == nil {
		return nil, fmt.Errorf("%w *mat.VecDense", ErrNil)
	}
	raw := v.RawVector()
	if raw.Inc == 1 || raw.N == 0 {
		return vectorOf(raw.Data[:raw.N]), nil
	}
	data := make([]float64, raw.N)
	for i := range data {
		data[i] = raw.Data[i*raw.Inc]
	}
	return vectorOf(data), nil
}

// Dense returns a 2-d float64 array as a gonum matrix that shares its memory.
// Another element type is [ErrDType]. Another number of dimensions is
// [ErrShape], as is one extent of 0, which a gonum matrix cannot have alone; a
// (0, 0) array gives the empty matrix.
func (a *Array[T]) Dense() (*mat.Dense, error) {
	data, err := float64s(a.data)
	if err != nil {
		return nil, err
	}
	switch {
	case len(a.shape) != 2:
		return nil, fmt.Errorf("%w: %s is not a matrix; Reshape it to two dimensions first", ErrShape, FormatShape(a.shape))
	case a.shape[0] == 0 && a.shape[1] == 0:
		return &mat.Dense{}, nil
	case len(data) == 0:
		return nil, fmt.Errorf("%w: gonum has no %s matrix", ErrShape, FormatShape(a.shape))
	}
	return mat.NewDense(a.shape[0], a.shape[1], data), nil
}

// VecDense returns a 1-d float64 array as a gonum vector that shares its
// memory. Another element type is [ErrDType], another number of dimensions
// [ErrShape]; an empty array gives the empty vector.
func (a *Array[T]) VecDense() (*mat.VecDense, error) {
	data, err := float64s(a.data)
	if err != nil {
		return nil, err
	}
	if shape := a.Shape(); len(shape) != 1 {
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

// viewMatrix returns the logical elements of m; 1-d where m is a vector.
func viewMatrix(m mat.Matrix) (Source, error) {
	switch m := m.(type) {
	case *mat.Dense:
		raw := m.RawMatrix()
		return viewStrided(strided{raw.Data, []int{raw.Rows, raw.Cols}, raw.Stride, 1}), nil
	case *mat.VecDense:
		raw := m.RawVector()
		return viewStrided(strided{raw.Data, []int{raw.N}, raw.Inc, 1}), nil
	case mat.Transpose:
		if d, ok := m.Matrix.(*mat.Dense); ok && d != nil {
			raw := d.RawMatrix()
			return viewStrided(strided{raw.Data, []int{raw.Cols, raw.Rows}, 1, raw.Stride}), nil
		}
	}
	at := elementwise{dtype: Float64, foreign: !gonumMatrix(m)}
	err := at.measure(func() {
		rows, cols := m.Dims()
		at.cols, at.shape = cols, []int{rows, cols}
		if v, ok := m.(mat.Vector); ok {
			at.cols, at.shape = 1, []int{v.Len()}
		}
	})
	at.put = func(dst []byte, i, j int) { encode(dst, []float64{m.At(i, j)}) }
	return &at, err
}

// viewCMatrix is viewMatrix for complex matrices.
func viewCMatrix(m mat.CMatrix) (Source, error) {
	at := elementwise{dtype: Complex128, foreign: !gonumCMatrix(m)}
	err := at.measure(func() {
		rows, cols := m.Dims()
		at.cols, at.shape = cols, []int{rows, cols}
	})
	at.put = func(dst []byte, i, j int) { putComplex128(dst, m.At(i, j)) }
	return &at, err
}

// strided is a matrix or vector whose element (i, j) is data[i·row + j·col]. A
// vector has one dimension and is stepped by row.
type strided struct {
	data     []float64
	shape    []int
	row, col int
}

// viewStrided returns s itself, or the array it is where there are no gaps.
func viewStrided(s strided) Source {
	n := 1
	for _, extent := range s.shape {
		n *= extent
	}
	contiguous := len(s.shape) == 1 && s.row == 1 ||
		len(s.shape) == 2 && s.col == 1 && s.row == s.shape[1]
	if n == 0 || contiguous {
		return &Array[float64]{data: s.data[:n], shape: s.shape}
	}
	return &s
}

func (s *strided) DType() DType { return Float64 }
func (s *strided) Shape() []int { return slices.Clone(s.shape) }

func (s *strided) Encode(dst []byte, first int) error {
	cols := 1
	if len(s.shape) == 2 {
		cols = s.shape[1]
	}
	n, err := checkRange(len(dst), first, s.shape[0]*cols, Float64)
	if err != nil {
		return err
	}
	for i, j := first/cols, first%cols; n > 0; i, j = i+1, 0 {
		run := min(cols-j, n)
		at := i*s.row + j*s.col
		if s.col == 1 {
			encode(dst[:8*run], s.data[at:at+run])
		} else {
			for k := range run {
				encode(dst[8*k:8*k+8], s.data[at+k*s.col:at+k*s.col+1])
			}
		}
		dst, n = dst[8*run:], n-run
	}
	return nil
}

// elementwise reads a matrix through its At method: the only door that every
// layout has.
type elementwise struct {
	dtype   DType
	shape   []int
	cols    int
	foreign bool
	put     func(dst []byte, i, j int)
}

// measure runs dims and checks the shape it found. Foreign methods may panic,
// and may answer anything.
func (e *elementwise) measure(dims func()) (err error) {
	defer recovered(&err)
	dims()
	_, err = Elements(e.shape, e.dtype.Size())
	return err
}

func (e *elementwise) DType() DType { return e.dtype }
func (e *elementwise) Shape() []int { return slices.Clone(e.shape) }

// serial reports whether At may only be called by one goroutine at a time: what
// a foreign type does in At is not known.
func (e *elementwise) serial() bool { return e.foreign }

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

// recovered turns a panic of a foreign method into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: reading the matrix panicked: %v", ErrShape, p)
	}
}

// gonumMatrix reports whether m is one of gonum's own types, whose At may be
// called from several goroutines.
func gonumMatrix(m mat.Matrix) bool {
	switch m := m.(type) {
	case *mat.Dense, *mat.VecDense, *mat.SymDense, *mat.TriDense, *mat.DiagDense, *mat.Tridiag,
		*mat.BandDense, *mat.SymBandDense, *mat.TriBandDense:
		return true
	case mat.Untransposer:
		switch m.(type) {
		case mat.Transpose, mat.TransposeVec, mat.TransposeTri, mat.TransposeBand, mat.TransposeTriBand:
			return gonumMatrix(m.Untranspose())
		}
	}
	return false
}

func gonumCMatrix(m mat.CMatrix) bool {
	switch m := m.(type) {
	case *mat.CDense:
		return true
	case mat.CTranspose:
		return gonumCMatrix(m.CMatrix)
	case mat.ConjTranspose:
		return gonumCMatrix(m.CMatrix)
	}
	return false
}
