package array

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// viewMatrix returns the logical elements of m, 1-d where m is a vector: gonum's
// own types from their memory, all others through At. Foreign methods may panic,
// and may answer anything.
func viewMatrix(m mat.Matrix) (_ Source, err error) {
	defer recovered(&err)
	rows, cols, list := bandsOf(m)
	switch {
	case list == nil:
		return viewElements(m)
	case isVector(m):
		return viewBands([]int{rows}, rows, cols, list)
	}
	return viewBands([]int{rows, cols}, rows, cols, list)
}

func isVector(m mat.Matrix) bool {
	_, ok := m.(*mat.VecDense)
	return ok
}

// viewCMatrix is viewMatrix for complex matrices.
func viewCMatrix(m mat.CMatrix) (_ Source, err error) {
	defer recovered(&err)
	rows, cols, b, conjugate := cbandOf(m)
	if b == nil {
		return viewCElements(m)
	}
	src, err := viewBands([]int{rows, cols}, rows, cols, []band[complex128]{*b})
	if err != nil || !conjugate {
		return src, err
	}
	if a, ok := src.(*Array[complex128]); ok { // the conjugates are not in memory
		if len(a.data) == 0 {
			return a, nil
		}
		whole := band[complex128]{a.data, 0, cols, 1, rows - 1, cols - 1}
		src = &bands[complex128]{shape: a.shape, rows: rows, cols: cols, list: []band[complex128]{whole}, full: true}
	}
	src.(*bands[complex128]).conjugate = true
	return src, nil
}

// bandsOf returns the bands of m's memory, nil where gonum does not define m.
func bandsOf(m mat.Matrix) (rows, cols int, list []band[float64]) {
	switch m := m.(type) {
	case *mat.Dense:
		raw := m.RawMatrix()
		return raw.Rows, raw.Cols, []band[float64]{{raw.Data, 0, raw.Stride, 1, raw.Rows - 1, raw.Cols - 1}}
	case *mat.VecDense:
		raw := m.RawVector()
		return raw.N, min(raw.N, 1), []band[float64]{{raw.Data, 0, raw.Inc, 0, raw.N - 1, 0}}
	case *mat.SymDense: // the upper triangle, and its mirror image
		raw := m.RawSymmetric()
		return raw.N, raw.N, []band[float64]{
			{raw.Data, 0, raw.Stride, 1, 0, raw.N - 1},
			{raw.Data, 0, 1, raw.Stride, raw.N - 1, -1},
		}
	case *mat.TriDense:
		raw := m.RawTriangular()
		if raw.Uplo == blas.Upper {
			return raw.N, raw.N, []band[float64]{{raw.Data, 0, raw.Stride, 1, 0, raw.N - 1}}
		}
		return raw.N, raw.N, []band[float64]{{raw.Data, 0, raw.Stride, 1, raw.N - 1, 0}}
	case *mat.BandDense:
		raw := m.RawBand()
		return raw.Rows, raw.Cols, []band[float64]{rawBand(raw)}
	case *mat.SymBandDense:
		raw := m.RawSymBand()
		upper := rawBand(blas64.Band{KU: raw.K, Stride: raw.Stride, Data: raw.Data})
		lower := upper.transposed()
		lower.above = -1 // the diagonal is upper's
		return raw.N, raw.N, []band[float64]{upper, lower}
	case *mat.TriBandDense:
		raw := m.RawTriBand()
		if raw.Uplo == blas.Upper {
			return raw.N, raw.N, []band[float64]{rawBand(blas64.Band{KU: raw.K, Stride: raw.Stride, Data: raw.Data})}
		}
		return raw.N, raw.N, []band[float64]{rawBand(blas64.Band{KL: raw.K, Stride: raw.Stride, Data: raw.Data})}
	case *mat.DiagDense:
		raw := m.RawBand()
		return raw.Rows, raw.Cols, []band[float64]{{raw.Data, 0, raw.Stride, 0, 0, 0}}
	case *mat.Tridiag:
		raw := m.RawTridiagonal()
		return raw.N, raw.N, []band[float64]{
			{raw.DL, 0, 0, 1, 1, -1},
			{raw.D, 0, 0, 1, 0, 0},
			{raw.DU, 0, 1, 0, -1, 1},
		}
	case mat.Transpose:
		return transposedBandsOf(m.Matrix)
	case mat.TransposeVec:
		return transposedBandsOf(m.Vector)
	case mat.TransposeTri:
		return transposedBandsOf(m.Triangular)
	case mat.TransposeBand:
		return transposedBandsOf(m.Banded)
	case mat.TransposeTriBand:
		return transposedBandsOf(m.TriBanded)
	}
	return 0, 0, nil
}

func transposedBandsOf(m mat.Matrix) (rows, cols int, list []band[float64]) {
	cols, rows, list = bandsOf(m)
	for i := range list {
		list[i] = list[i].transposed()
	}
	return rows, cols, list
}

// rawBand returns the band that BLAS keeps row by row, each row's elements from
// column i-KL on.
func rawBand(raw blas64.Band) band[float64] {
	return band[float64]{raw.Data, raw.KL, raw.Stride - 1, 1, raw.KL, raw.KU}
}

// cbandOf returns m's memory, and whether m's elements are the conjugates of what
// is there; nil where gonum does not define m.
func cbandOf(m mat.CMatrix) (rows, cols int, b *band[complex128], conjugate bool) {
	switch m := m.(type) {
	case *mat.CDense:
		raw := m.RawCMatrix()
		return raw.Rows, raw.Cols, &band[complex128]{raw.Data, 0, raw.Stride, 1, raw.Rows - 1, raw.Cols - 1}, false
	case mat.CTranspose:
		cols, rows, b, conjugate = cbandOf(m.CMatrix)
	case mat.ConjTranspose:
		cols, rows, b, conjugate = cbandOf(m.CMatrix)
		conjugate = !conjugate
	}
	if b != nil {
		*b = b.transposed()
	}
	return rows, cols, b, conjugate
}
