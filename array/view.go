package array

import "gonum.org/v1/gonum/mat"

// viewMatrix returns the logical elements of m, 1-d where m is a vector.
// Layouts that are common and large are read from their memory, all others
// through At.
func viewMatrix(m mat.Matrix) (Source, error) {
	switch m := m.(type) {
	case *mat.Dense:
		raw := m.RawMatrix()
		return viewStrided(raw.Data, []int{raw.Rows, raw.Cols}, raw.Stride, 1)
	case *mat.VecDense:
		raw := m.RawVector()
		return viewStrided(raw.Data, []int{raw.N}, 0, raw.Inc)
	case mat.Transpose:
		if d, ok := m.Matrix.(*mat.Dense); ok && d != nil {
			raw := d.RawMatrix()
			return viewStrided(raw.Data, []int{raw.Cols, raw.Rows}, 1, raw.Stride)
		}
	}
	return viewElements(m)
}

// gonumMatrix reports whether m is one of gonum's own types, whose At may be
// called from several goroutines.
func gonumMatrix(m mat.Matrix) bool {
	switch m := m.(type) {
	case *mat.Dense, *mat.VecDense, *mat.SymDense, *mat.TriDense, *mat.DiagDense, *mat.Tridiag,
		*mat.BandDense, *mat.SymBandDense, *mat.TriBandDense:
		return true
	case mat.Transpose:
		return gonumMatrix(m.Matrix)
	case mat.TransposeVec:
		return gonumMatrix(m.Vector)
	case mat.TransposeTri:
		return gonumMatrix(m.Triangular)
	case mat.TransposeBand:
		return gonumMatrix(m.Banded)
	case mat.TransposeTriBand:
		return gonumMatrix(m.TriBanded)
	}
	return false
}

// gonumCMatrix is gonumMatrix for complex matrices.
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
