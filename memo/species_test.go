package memo_test

import (
	"reflect"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// species is a type of arrays or matrices that generated signatures have.
type species struct {
	// make returns a random one, maybe empty.
	make func(g *maker) any
	// relayout returns one with the same elements that lies otherwise in memory.
	relayout func(g *maker, x any) any
	// flip changes one bit of one element of a copy; false where there is none.
	flip func(g *maker, x any) (any, bool)
}

// speciesOf are all of them, by type.
var speciesOf = map[reflect.Type]species{
	reflect.TypeFor[*mat.Dense](): kind((*maker).dense,
		func(g *maker, m *mat.Dense) *mat.Dense {
			rows, cols := m.Dims()
			if g.IntN(3) == 0 || rows == 0 {
				return mat.DenseCopyOf(mat.DenseCopyOf(m.T()).T())
			}
			view := mat.NewDense(rows+2, cols+3, g.floats((rows+2)*(cols+3))).Slice(1, rows+1, 2, cols+2).(*mat.Dense)
			set(m, view.Set)
			return view
		},
		func(g *maker, m *mat.Dense) bool {
			return g.flipAny(m, func(i, j int) bool { return true }, m.Set)
		}),
	reflect.TypeFor[*mat.VecDense](): kind(func(g *maker) *mat.VecDense {
		if n := g.IntN(5); n > 0 {
			return mat.NewVecDense(n, g.floats(n))
		}
		return &mat.VecDense{}
	},
		func(g *maker, v *mat.VecDense) *mat.VecDense {
			if v.Len() == 0 {
				return &mat.VecDense{}
			}
			column := mat.NewDense(v.Len(), 3, g.floats(3*v.Len())).ColView(1).(*mat.VecDense)
			set(v, func(i, _ int, f float64) { column.SetVec(i, f) })
			return column
		},
		func(g *maker, v *mat.VecDense) bool {
			return g.flipAny(v, func(i, j int) bool { return true }, func(i, _ int, f float64) { v.SetVec(i, f) })
		}),
	reflect.TypeFor[*mat.SymDense](): kind(func(g *maker) *mat.SymDense {
		if n := g.IntN(4); n > 0 {
			return mat.NewSymDense(n, g.floats(n*n)) // the lower triangle does not count
		}
		return &mat.SymDense{}
	},
		func(g *maker, m *mat.SymDense) *mat.SymDense {
			if m.IsEmpty() {
				return &mat.SymDense{}
			}
			n := m.SymmetricDim()
			view := mat.NewSymDense(n+2, g.floats((n+2)*(n+2))).SliceSym(1, n+1).(*mat.SymDense)
			set(m, view.SetSym)
			return view
		},
		func(g *maker, m *mat.SymDense) bool {
			return g.flipAny(m, func(i, j int) bool { return true }, m.SetSym)
		}),
	reflect.TypeFor[*mat.TriDense](): kind(func(g *maker) *mat.TriDense {
		if n := g.IntN(4); n > 0 {
			return mat.NewTriDense(n, mat.TriKind(g.IntN(2) == 0), g.floats(n*n)) // the other triangle does not count
		}
		return &mat.TriDense{}
	},
		func(g *maker, m *mat.TriDense) *mat.TriDense {
			if m.IsEmpty() {
				return &mat.TriDense{}
			}
			n, upper := m.Triangle()
			view := mat.NewTriDense(n+2, upper, g.floats((n+2)*(n+2))).SliceTri(1, n+1).(*mat.TriDense)
			set(m, func(i, j int, f float64) {
				if inTriangle(upper, i, j) {
					view.SetTri(i, j, f)
				}
			})
			return view
		},
		func(g *maker, m *mat.TriDense) bool {
			if m.IsEmpty() {
				return false
			}
			_, upper := m.Triangle()
			return g.flipAny(m, func(i, j int) bool { return inTriangle(upper, i, j) }, m.SetTri)
		}),
	reflect.TypeFor[*mat.BandDense](): kind(func(g *maker) *mat.BandDense {
		rows, cols := 1+g.IntN(4), 1+g.IntN(4)
		return g.band(rows, cols, g.IntN(rows), g.IntN(cols))
	},
		func(g *maker, m *mat.BandDense) *mat.BandDense {
			raw := m.RawBand()
			wide := blas64.Band{Rows: raw.Rows, Cols: raw.Cols, KL: raw.KL, KU: raw.KU, Stride: raw.Stride + 2}
			wide.Data = g.floats(min(raw.Rows, raw.Cols+raw.KL) * wide.Stride)
			view := mat.NewBandDense(raw.Rows, raw.Cols, raw.KL, raw.KU, nil)
			view.SetRawBand(wide)
			set(m, func(i, j int, f float64) {
				if j >= i-raw.KL && j <= i+raw.KU {
					view.SetBand(i, j, f)
				}
			})
			return view
		},
		func(g *maker, m *mat.BandDense) bool {
			kl, ku := m.Bandwidth()
			return g.flipAny(m, func(i, j int) bool { return j >= i-kl && j <= i+ku }, m.SetBand)
		}),
	reflect.TypeFor[*mat.SymBandDense](): kind(func(g *maker) *mat.SymBandDense {
		n := 1 + g.IntN(4)
		k := g.IntN(n)
		return mat.NewSymBandDense(n, k, g.floats(n*(k+1)))
	},
		func(g *maker, m *mat.SymBandDense) *mat.SymBandDense {
			n, k := m.SymBand()
			same := mat.NewSymBandDense(n, k, g.floats(n*(k+1))) // what is behind the last column does not count
			set(m, func(i, j int, f float64) {
				if j >= i && j <= i+k {
					same.SetSymBand(i, j, f)
				}
			})
			return same
		},
		func(g *maker, m *mat.SymBandDense) bool {
			_, k := m.SymBand()
			return g.flipAny(m, func(i, j int) bool { return j >= i && j <= i+k }, m.SetSymBand)
		}),
	reflect.TypeFor[*mat.TriBandDense](): kind(func(g *maker) *mat.TriBandDense {
		n := 1 + g.IntN(4)
		k := g.IntN(n)
		return mat.NewTriBandDense(n, k, mat.TriKind(g.IntN(2) == 0), g.floats(n*(k+1)))
	},
		func(g *maker, m *mat.TriBandDense) *mat.TriBandDense {
			n, k, upper := m.TriBand()
			same := mat.NewTriBandDense(n, k, upper, g.floats(n*(k+1)))
			set(m, func(i, j int, f float64) {
				if inTriangle(upper, i, j) && max(i-j, j-i) <= k {
					same.SetTriBand(i, j, f)
				}
			})
			return same
		},
		func(g *maker, m *mat.TriBandDense) bool {
			_, k, upper := m.TriBand()
			return g.flipAny(m, func(i, j int) bool { return inTriangle(upper, i, j) && max(i-j, j-i) <= k }, m.SetTriBand)
		}),
	reflect.TypeFor[*mat.DiagDense](): kind(func(g *maker) *mat.DiagDense {
		if n := g.IntN(4); n > 0 {
			return mat.NewDiagDense(n, g.floats(n))
		}
		return &mat.DiagDense{}
	},
		func(g *maker, m *mat.DiagDense) *mat.DiagDense {
			if m.IsEmpty() {
				return &mat.DiagDense{}
			}
			n := m.Diag()
			view := mat.NewDense(n, n, g.floats(n*n)).DiagView().(*mat.DiagDense)
			for i := range n {
				view.SetDiag(i, m.At(i, i))
			}
			return view
		},
		func(g *maker, m *mat.DiagDense) bool {
			return g.flipAny(m, func(i, j int) bool { return i == j }, func(i, _ int, f float64) { m.SetDiag(i, f) })
		}),
	reflect.TypeFor[*mat.CDense](): kind(func(g *maker) *mat.CDense {
		rows, cols := 1+g.IntN(3), 1+g.IntN(3)
		return mat.NewCDense(rows, cols, g.complexes(rows*cols))
	},
		func(g *maker, m *mat.CDense) *mat.CDense {
			rows, cols := m.Dims()
			view := mat.NewCDense(rows+2, cols+2, g.complexes((rows+2)*(cols+2))).Slice(1, rows+1, 1, cols+1).(*mat.CDense)
			for i := range rows {
				for j := range cols {
					view.Set(i, j, m.At(i, j))
				}
			}
			return view
		},
		func(g *maker, m *mat.CDense) bool {
			rows, cols := m.Dims()
			i, j := g.IntN(rows), g.IntN(cols)
			c := m.At(i, j)
			if g.IntN(2) == 0 {
				m.Set(i, j, complex(g.flipFloat(real(c)), imag(c)))
			} else {
				m.Set(i, j, complex(real(c), g.flipFloat(imag(c))))
			}
			return true
		}),
	reflect.TypeFor[*array.Array[bool]]():       arrays[bool](),
	reflect.TypeFor[*array.Array[int8]]():       arrays[int8](),
	reflect.TypeFor[*array.Array[int16]]():      arrays[int16](),
	reflect.TypeFor[*array.Array[int32]]():      arrays[int32](),
	reflect.TypeFor[*array.Array[int64]]():      arrays[int64](),
	reflect.TypeFor[*array.Array[uint8]]():      arrays[uint8](),
	reflect.TypeFor[*array.Array[uint16]]():     arrays[uint16](),
	reflect.TypeFor[*array.Array[uint32]]():     arrays[uint32](),
	reflect.TypeFor[*array.Array[uint64]]():     arrays[uint64](),
	reflect.TypeFor[*array.Array[array.Half]](): arrays[array.Half](),
	reflect.TypeFor[*array.Array[float32]]():    arrays[float32](),
	reflect.TypeFor[*array.Array[float64]]():    arrays[float64](),
	reflect.TypeFor[*array.Array[complex64]]():  arrays[complex64](),
	reflect.TypeFor[*array.Array[complex128]](): arrays[complex128](),
}

// kind makes a species of functions of its type. flip changes what it gets, which is
// a copy that relayout made.
func kind[T any](make func(*maker) T, relayout func(*maker, T) T, flip func(*maker, T) bool) species {
	return species{
		make:     func(g *maker) any { return make(g) },
		relayout: func(g *maker, x any) any { return relayout(g, x.(T)) },
		flip: func(g *maker, x any) (any, bool) {
			own := relayout(g, x.(T))
			ok := flip(g, own)
			return own, ok
		},
	}
}

// arrays is the species of the arrays of one element type.
func arrays[T array.Element]() species {
	return kind(func(g *maker) *array.Array[T] {
		shape := make([]int, g.IntN(4))
		for i := range shape {
			shape[i] = g.IntN(4)
		}
		a := must(array.New[T](shape...))(g.t)
		g.fill(a)
		return a
	},
		func(g *maker, a *array.Array[T]) *array.Array[T] {
			if len(a.Shape()) == 0 {
				return must(array.Copy(a))(g.t).(*array.Array[T])
			}
			shape := a.Shape()
			shape[0] += 3
			larger := must(array.New[T](shape...))(g.t)
			g.fill(larger)
			view := must(larger.Slice(1, shape[0]-2))(g.t)
			copy(view.Data(), a.Data())
			return view
		},
		func(g *maker, a *array.Array[T]) bool {
			if a.Len() == 0 {
				return false
			}
			g.flipElement(reflect.ValueOf(a.Data()).Index(g.IntN(a.Len())))
			return true
		})
}

// set calls f for every element of m.
func set(m mat.Matrix, f func(i, j int, v float64)) {
	rows, cols := m.Dims()
	for i := range rows {
		for j := range cols {
			f(i, j, m.At(i, j))
		}
	}
}

func inTriangle(upper mat.TriKind, i, j int) bool {
	if upper == mat.Upper {
		return i <= j
	}
	return i >= j
}

// flipAny flips a bit of a random element among those that m keeps; false where m is
// empty.
func (g *maker) flipAny(m mat.Matrix, keeps func(i, j int) bool, set func(i, j int, f float64)) bool {
	rows, cols := m.Dims()
	if rows == 0 || cols == 0 {
		return false
	}
	for range 1000 {
		if i, j := g.IntN(rows), g.IntN(cols); keeps(i, j) {
			set(i, j, g.flipFloat(m.At(i, j)))
			return true
		}
	}
	return false // it keeps next to nothing
}

func (g *maker) dense() *mat.Dense {
	rows, cols := g.IntN(5), g.IntN(5)
	if rows == 0 || cols == 0 {
		return &mat.Dense{}
	}
	return mat.NewDense(rows, cols, g.floats(rows*cols))
}

func (g *maker) band(rows, cols, kl, ku int) *mat.BandDense {
	return mat.NewBandDense(rows, cols, kl, ku, g.floats(min(rows, cols+kl)*(kl+ku+1)))
}
