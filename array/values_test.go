package array_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/cblas128"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// foreign is a matrix type that gonum does not define.
type foreign struct{ mat.Matrix }

// foreignVector is foreign for vectors.
type foreignVector struct{ mat.Vector }

// foreignC is foreign for complex matrices.
type foreignC struct{ mat.CMatrix }

func fill(n int) []float64 {
	data := make([]float64, n)
	for i := range data {
		data[i] = float64(i) + 0.25
	}
	return data
}

func fillComplex(n int) []complex128 {
	data := make([]complex128, n)
	for i := range data {
		data[i] = complex(float64(i), float64(i%7)-3)
	}
	return data
}

// dense returns a rows×cols matrix of distinct elements with a gap behind each
// row, so that reading by memory instead of by shape shows.
func dense(rows, cols int) *mat.Dense {
	if rows == 0 {
		return &mat.Dense{}
	}
	return mat.NewDense(rows+1, cols+3, fill((rows+1)*(cols+3))).Slice(1, rows+1, 2, cols+2).(*mat.Dense)
}

func vector(n int) *mat.VecDense {
	if n == 0 {
		return &mat.VecDense{}
	}
	return mat.NewVecDense(n, fill(n))
}

func cdense(rows, cols int) *mat.CDense {
	if rows == 0 {
		return &mat.CDense{}
	}
	return mat.NewCDense(rows, cols, fillComplex(rows*cols))
}

// stridedC is cdense with gaps.
func stridedC(rows, cols int) *mat.CDense {
	if rows == 0 {
		return &mat.CDense{}
	}
	return mat.NewCDense(rows+1, cols+3, fillComplex((rows+1)*(cols+3))).Slice(1, rows+1, 2, cols+2).(*mat.CDense)
}

func sym(n int) *mat.SymDense {
	if n == 0 {
		return &mat.SymDense{}
	}
	return mat.NewSymDense(n, fill(n*n))
}

func tri(n int, kind mat.TriKind) *mat.TriDense {
	if n == 0 {
		return &mat.TriDense{}
	}
	return mat.NewTriDense(n, kind, fill(n*n))
}

// band returns a band matrix of at most kl and ku diagonals.
func band(rows, cols, kl, ku int) *mat.BandDense {
	if rows == 0 {
		return &mat.BandDense{}
	}
	kl, ku = min(kl, rows-1), min(ku, cols-1)
	return mat.NewBandDense(rows, cols, kl, ku, fill(min(rows, cols+kl)*(kl+ku+1)))
}

// gappedBand is band with a gap behind each row.
func gappedBand(rows, cols int) *mat.BandDense {
	b := &mat.BandDense{}
	if rows > 0 {
		kl, ku := min(2, rows-1), min(1, cols-1)
		b.SetRawBand(blas64.Band{Rows: rows, Cols: cols, KL: kl, KU: ku, Stride: kl + ku + 3, Data: fill(min(rows, cols+kl) * (kl + ku + 3))})
	}
	return b
}

func symBand(n, k int) *mat.SymBandDense {
	if n == 0 {
		return &mat.SymBandDense{}
	}
	k = min(k, n-1)
	return mat.NewSymBandDense(n, k, fill(n*(k+1)))
}

func gappedSymBand(n int) *mat.SymBandDense {
	b := &mat.SymBandDense{}
	if n > 0 {
		b.SetRawSymBand(blas64.SymmetricBand{Uplo: blas.Upper, N: n, K: min(2, n-1), Stride: 5, Data: fill(5 * n)})
	}
	return b
}

func triBand(n, k int, kind mat.TriKind) *mat.TriBandDense {
	if n == 0 {
		return &mat.TriBandDense{}
	}
	k = min(k, n-1)
	return mat.NewTriBandDense(n, k, kind, fill(n*(k+1)))
}

func gappedTriBand(n int, uplo blas.Uplo) *mat.TriBandDense {
	b := &mat.TriBandDense{}
	if n > 0 {
		b.SetRawTriBand(blas64.TriangularBand{Uplo: uplo, Diag: blas.NonUnit, N: n, K: min(2, n-1), Stride: 5, Data: fill(5 * n)})
	}
	return b
}

func diag(n int) *mat.DiagDense {
	if n == 0 {
		return &mat.DiagDense{}
	}
	return mat.NewDiagDense(n, fill(n))
}

func tridiag(n int) *mat.Tridiag {
	if n == 0 {
		return &mat.Tridiag{}
	}
	return mat.NewTridiag(n, fill(n)[1:], fill(n), fill(n + 3)[4:])
}

// matrixKinds are all kinds of values with rows and columns that Of takes. make
// returns nil where there is no such value of this size; rows and cols are both 0 or
// neither is.
var matrixKinds = []struct {
	name string
	make func(rows, cols int) any
}{
	{"Dense", func(r, c int) any { return mat.DenseCopyOf(dense(r, c)) }},
	{"Dense strided", func(r, c int) any { return dense(r, c) }},
	{"Dense strided T", func(r, c int) any { return dense(c, r).T() }},
	{"Dense T", func(r, c int) any { return mat.DenseCopyOf(dense(c, r)).T() }},
	{"foreign", func(r, c int) any { return foreign{dense(r, c)} }},
	{"foreign T", func(r, c int) any { return foreign{dense(c, r)}.T() }},
	{"foreign Transpose", func(r, c int) any { return mat.Transpose{Matrix: foreign{dense(c, r)}} }},
	{"embedded Dense", func(r, c int) any { return struct{ *mat.Dense }{dense(r, c)} }},
	{"Transpose of Transpose", func(r, c int) any { return mat.Transpose{Matrix: mat.Transpose{Matrix: dense(r, c)}} }},

	{"VecDense", func(r, c int) any { return ifColumn(c, vector(r)) }},
	{"VecDense T", func(r, c int) any { return ifColumn(r, vector(c).T()) }},
	{"VecDense TVec", func(r, c int) any { return ifColumn(r, vector(c).TVec()) }},
	{"Transpose of VecDense", func(r, c int) any { return ifColumn(r, mat.Transpose{Matrix: vector(c)}) }},
	{"column view", func(r, c int) any { return ifElements(r, func() any { return dense(r, c).ColView(c - 1) }) }},
	{"column view T", func(r, c int) any { return ifElements(r, func() any { return dense(r, c).ColView(c - 1).T() }) }},
	{"row view", func(r, c int) any { return ifElements(r, func() any { return dense(r, c).RowView(r - 1) }) }},
	{"VecDense slice", func(r, c int) any {
		return ifElements(r, func() any { return dense(r, c).ColView(0).(*mat.VecDense).SliceVec(r/2, r) })
	}},
	{"foreign vector", func(r, c int) any { return ifElements(r, func() any { return foreignVector{dense(r, c).ColView(0)} }) }},
	{"foreign vector T", func(r, c int) any {
		return ifElements(r, func() any { return foreignVector{dense(r, c).ColView(0)}.T() })
	}},
	{"foreign TransposeVec", func(r, c int) any {
		return ifElements(r, func() any { return mat.TransposeVec{Vector: foreignVector{dense(r, c).ColView(0)}} })
	}},

	{"CDense", func(r, c int) any { return cdense(r, c) }},
	{"CDense T", func(r, c int) any { return cdense(c, r).T() }},
	{"CDense H", func(r, c int) any { return cdense(c, r).H() }},
	{"CDense conjugate", func(r, c int) any { return mat.CTranspose{CMatrix: cdense(r, c).H()} }},
	{"CDense strided", func(r, c int) any { return stridedC(r, c) }},
	{"CDense strided T", func(r, c int) any { return stridedC(c, r).T() }},
	{"CDense strided H", func(r, c int) any { return stridedC(c, r).H() }},
	{"CDense strided conjugate", func(r, c int) any { return mat.ConjTranspose{CMatrix: stridedC(r, c).T()} }},
	{"foreign complex", func(r, c int) any { return foreignC{cdense(r, c)} }},
	{"foreign complex H", func(r, c int) any { return mat.ConjTranspose{CMatrix: foreignC{cdense(c, r)}} }},

	{"BandDense", func(r, c int) any { return band(r, c, 1, 2) }},
	{"BandDense T", func(r, c int) any { return band(c, r, 1, 2).T() }},
	{"BandDense TBand", func(r, c int) any { return band(c, r, 2, 0).TBand() }},
	{"BandDense of all", func(r, c int) any { return ifSmall(r, c, func() any { return band(r, c, r, c) }) }},
	{"BandDense of all T", func(r, c int) any { return ifSmall(r, c, func() any { return band(c, r, c, r).T() }) }},
	{"BandDense wide", func(r, c int) any { return band(r, c, 20, 30) }},
	{"BandDense wide T", func(r, c int) any { return band(c, r, 20, 30).T() }},
	{"BandDense gaps", func(r, c int) any { return gappedBand(r, c) }},
	{"BandDense gaps T", func(r, c int) any { return gappedBand(c, r).T() }},

	{"SymDense", func(r, c int) any { return ifSquare(r, c, func() any { return sym(r) }) }},
	{"SymDense T", func(r, c int) any { return ifSquare(r, c, func() any { return mat.Transpose{Matrix: sym(r)} }) }},
	{"SymDense slice", func(r, c int) any {
		return ifElements(r, func() any { return ifSquare(r, c, func() any { return sym(r+3).SliceSym(2, r+2) }) })
	}},
	{"foreign symmetric", func(r, c int) any { return ifSquare(r, c, func() any { return foreign{sym(r)} }) }},
	{"TriDense upper", func(r, c int) any { return ifSquare(r, c, func() any { return tri(r, mat.Upper) }) }},
	{"TriDense lower", func(r, c int) any { return ifSquare(r, c, func() any { return tri(r, mat.Lower) }) }},
	{"TriDense upper T", func(r, c int) any { return ifSquare(r, c, func() any { return tri(r, mat.Upper).T() }) }},
	{"TriDense lower T", func(r, c int) any { return ifSquare(r, c, func() any { return tri(r, mat.Lower).T() }) }},
	{"TriDense TTri", func(r, c int) any { return ifSquare(r, c, func() any { return tri(r, mat.Lower).TTri() }) }},
	{"TriDense slice", func(r, c int) any {
		return ifElements(r, func() any { return ifSquare(r, c, func() any { return tri(r+3, mat.Upper).SliceTri(2, r+2) }) })
	}},
	{"SymBandDense", func(r, c int) any { return ifSquare(r, c, func() any { return symBand(r, 1) }) }},
	{"SymBandDense wide", func(r, c int) any { return ifSquare(r, c, func() any { return symBand(r, 30) }) }},
	{"SymBandDense T", func(r, c int) any { return ifSquare(r, c, func() any { return mat.Transpose{Matrix: symBand(r, 2)} }) }},
	{"SymBandDense gaps", func(r, c int) any { return ifSquare(r, c, func() any { return gappedSymBand(r) }) }},
	{"TriBandDense upper", func(r, c int) any { return ifSquare(r, c, func() any { return triBand(r, 2, mat.Upper) }) }},
	{"TriBandDense lower", func(r, c int) any { return ifSquare(r, c, func() any { return triBand(r, 2, mat.Lower) }) }},
	{"TriBandDense upper T", func(r, c int) any { return ifSquare(r, c, func() any { return triBand(r, 30, mat.Upper).T() }) }},
	{"TriBandDense lower TTri", func(r, c int) any { return ifSquare(r, c, func() any { return triBand(r, 0, mat.Lower).TTri() }) }},
	{"TriBandDense TTriBand", func(r, c int) any { return ifSquare(r, c, func() any { return triBand(r, 1, mat.Upper).TTriBand() }) }},
	{"TriBandDense upper gaps", func(r, c int) any { return ifSquare(r, c, func() any { return gappedTriBand(r, blas.Upper) }) }},
	{"TriBandDense lower gaps", func(r, c int) any { return ifSquare(r, c, func() any { return gappedTriBand(r, blas.Lower).T() }) }},
	{"DiagDense", func(r, c int) any { return ifSquare(r, c, func() any { return diag(r) }) }},
	{"DiagDense T", func(r, c int) any { return ifSquare(r, c, func() any { return mat.Transpose{Matrix: diag(r)} }) }},
	{"diagonal view", func(r, c int) any { return ifElements(r, func() any { return dense(r, c).DiagView() }) }},
	{"Tridiag", func(r, c int) any { return ifSquare(r, c, func() any { return tridiag(r) }) }},
	{"Tridiag T", func(r, c int) any { return ifSquare(r, c, func() any { return tridiag(r).T() }) }},
}

func ifColumn(cols int, v any) any {
	if cols > 1 {
		return nil
	}
	return v
}

func ifSquare(rows, cols int, make func() any) any {
	if rows != cols {
		return nil
	}
	return make()
}

// ifElements leaves out the empty matrix, of which gonum makes no views.
func ifElements(rows int, make func() any) any {
	if rows == 0 {
		return nil
	}
	return make()
}

// ifSmall leaves out what would take too much memory as a band.
func ifSmall(rows, cols int, make func() any) any {
	if rows+cols > 1000 {
		return nil
	}
	return make()
}

// sizes are empty, 1×1, a row, a column, small, wide, tall, and of more than one
// chunk, also where a row is longer than one.
var sizes = [][2]int{
	{0, 0}, {1, 1}, {1, 7}, {7, 1}, {2, 2}, {3, 4}, {9, 9}, {17, 9}, {64, 64}, {190, 190}, {256, 256}, {211, 300}, {7000, 7}, {7, 7000}, {1, 40000}, {40000, 1}, {2, 40000},
}

// slicesOf are values of the numeric slice types that Of takes.
var slicesOf = map[string]any{
	"bool": []bool{true, false}, "int8": []int8{-1, 2}, "int16": []int16{-1, 2},
	"int32": []int32{-1, 2}, "int64": []int64{-1, 2}, "uint8": []uint8{1, 255},
	"uint16": []uint16{1, 256}, "uint32": []uint32{1, 1 << 31}, "uint64": []uint64{1, 1 << 63},
	"float16": halves(0x3c00, 0x7e01), "float32": []float32{1, -2}, "float64": []float64{math.NaN(), math.Inf(-1)},
	"complex64": []complex64{1, -2i}, "complex128": []complex128{1, -2i},
	"int": []int{-1, 2}, "uint": []uint{1, math.MaxUint}, "nil": []float64(nil), "nil int": []int(nil),
}

// everyValue calls f with a value of every kind that Of takes, in every size that
// it can have.
func everyValue(t *testing.T, f func(t *testing.T, v any)) {
	for _, size := range sizes {
		for _, kind := range matrixKinds {
			if v := kind.make(size[0], size[1]); v != nil {
				t.Run(fmt.Sprintf("%d×%d/%s", size[0], size[1], kind.name), func(t *testing.T) { f(t, v) })
			}
		}
	}
	for name, v := range slicesOf {
		t.Run("slices/"+name, func(t *testing.T) { f(t, v) })
	}
}

// Values of gonum types whose raw data somebody has set wrongly.
func lyingValues() map[string]any {
	d := func(raw blas64.General) any { m := &mat.Dense{}; m.SetRawMatrix(raw); return m }
	v := func(raw blas64.Vector) any { m := &mat.VecDense{}; m.SetRawVector(raw); return m }
	s := func(raw blas64.Symmetric) any {
		m := &mat.SymDense{}
		raw.Uplo = blas.Upper
		m.SetRawSymmetric(raw)
		return m
	}
	tr := func(raw blas64.Triangular) any {
		m := &mat.TriDense{}
		raw.Diag = blas.NonUnit
		m.SetRawTriangular(raw)
		return m
	}
	b := func(raw blas64.Band) any { m := &mat.BandDense{}; m.SetRawBand(raw); return m }
	sb := func(raw blas64.SymmetricBand) any {
		m := &mat.SymBandDense{}
		raw.Uplo = blas.Upper
		m.SetRawSymBand(raw)
		return m
	}
	tb := func(raw blas64.TriangularBand) any {
		m := &mat.TriBandDense{}
		raw.Diag = blas.NonUnit
		m.SetRawTriBand(raw)
		return m
	}
	td := func(n int, dl, d, du []float64) any {
		m := &mat.Tridiag{}
		m.SetRawTridiagonal(lapack64.Tridiagonal{N: n, DL: dl, D: d, DU: du})
		return m
	}
	c := func(raw cblas128.General) any { m := &mat.CDense{}; m.SetRawCMatrix(raw); return m }
	f := fill(12)
	return map[string]any{
		"Dense of too few data":    d(blas64.General{Rows: 3, Cols: 3, Stride: 3, Data: f[:8]}),
		"Dense strided, too few":   d(blas64.General{Rows: 3, Cols: 3, Stride: 5, Data: f}),
		"Dense negative stride":    d(blas64.General{Rows: 3, Cols: 3, Stride: -1, Data: f}),
		"Dense huge stride":        d(blas64.General{Rows: 3, Cols: 3, Stride: math.MaxInt, Data: f}),
		"Dense of nothing":         d(blas64.General{Rows: 3, Cols: 3, Stride: 3}),
		"Dense negative":           d(blas64.General{Rows: -3, Cols: 3, Stride: 3, Data: f}),
		"Dense huge":               d(blas64.General{Rows: math.MaxInt, Cols: math.MaxInt, Stride: math.MaxInt, Data: f}),
		"VecDense of too few":      v(blas64.Vector{N: 3, Inc: 2, Data: f[:4]}),
		"VecDense negative inc":    v(blas64.Vector{N: 3, Inc: -1, Data: f[:4]}),
		"VecDense negative":        v(blas64.Vector{N: -3, Inc: 1, Data: f[:4]}),
		"SymDense of too few":      s(blas64.Symmetric{N: 3, Stride: 3, Data: f[:8]}),
		"SymDense negative stride": s(blas64.Symmetric{N: 3, Stride: -3, Data: f}),
		"SymDense huge stride":     s(blas64.Symmetric{N: 3, Stride: math.MaxInt / 2, Data: f}),
		"SymDense negative":        s(blas64.Symmetric{N: -3, Stride: 3, Data: f}),
		"SymDense huge":            s(blas64.Symmetric{N: math.MaxInt, Stride: 3, Data: f}),
		"TriDense upper":           tr(blas64.Triangular{Uplo: blas.Upper, N: 3, Stride: 3, Data: f[:8]}),
		"TriDense lower":           tr(blas64.Triangular{Uplo: blas.Lower, N: 3, Stride: 3, Data: f[:8]}),
		"TriDense stride":          tr(blas64.Triangular{Uplo: blas.Lower, N: 3, Stride: -3, Data: f}),
		"BandDense of too few":     b(blas64.Band{Rows: 3, Cols: 3, KL: 1, KU: 1, Stride: 3, Data: f[:7]}),
		"BandDense no stride":      b(blas64.Band{Rows: 3, Cols: 3, KL: 1, KU: 1, Data: f}),
		"BandDense negative":       b(blas64.Band{Rows: 3, Cols: -3, KL: 1, KU: 1, Stride: 3, Data: f}),
		"BandDense huge bands":     b(blas64.Band{Rows: 3, Cols: 3, KL: math.MaxInt, KU: math.MaxInt, Stride: 3, Data: f}),
		"BandDense negative KL":    b(blas64.Band{Rows: 3, Cols: 3, KL: -1, KU: 2, Stride: 3, Data: f}),
		"SymBandDense of too few":  sb(blas64.SymmetricBand{N: 3, K: 1, Stride: 2, Data: f[:4]}),
		"SymBandDense no stride":   sb(blas64.SymmetricBand{N: 3, K: 1, Data: f}),
		"SymBandDense huge band":   sb(blas64.SymmetricBand{N: 3, K: math.MaxInt, Stride: 5, Data: f[:10]}),
		"TriBandDense upper":       tb(blas64.TriangularBand{Uplo: blas.Upper, N: 3, K: 1, Stride: 2, Data: f[:4]}),
		"TriBandDense lower":       tb(blas64.TriangularBand{Uplo: blas.Lower, N: 3, K: 1, Stride: 2, Data: f[:5]}),
		"Tridiag short diagonal":   td(3, f[:2], f[:2], f[:2]),
		"Tridiag short below":      td(3, f[:1], f[:3], f[:2]),
		"Tridiag short above":      td(3, f[:2], f[:3], f[:1]),
		"Tridiag huge":             td(math.MaxInt, f, f, f),
		"CDense of too few":        c(cblas128.General{Rows: 3, Cols: 3, Stride: 3, Data: fillComplex(8)}),
		"CDense negative stride":   c(cblas128.General{Rows: 3, Cols: 3, Stride: -3, Data: fillComplex(9)}),
		"CDense huge":              c(cblas128.General{Rows: math.MaxInt, Cols: 3, Stride: 3, Data: fillComplex(9)}),
	}
}
