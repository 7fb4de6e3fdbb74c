package array_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// liar is a matrix that does not do what mat.Matrix promises.
type liar struct {
	rows, cols, n int
	at            func(i, j int) float64
}

func (l liar) Dims() (r, c int)    { return l.rows, l.cols }
func (l liar) At(i, j int) float64 { return l.at(i, j) }
func (l liar) T() mat.Matrix       { return mat.Transpose{Matrix: l} }
func (l liar) Len() int            { return l.n }
func (l liar) AtVec(i int) float64 { return l.at(i, 0) }
func (l liar) matrix() mat.Matrix  { return struct{ mat.Matrix }{l} }
func panicky(i, j int) float64     { panic("no element") }
func anything(i, j int) float64    { return 1 }

// What a matrix says must not become a panic or a huge allocation here.
func TestBadMatrices(t *testing.T) {
	bad := map[string]any{
		"At panics":              liar{3, 3, 9, panicky}.matrix(),
		"At panics, transposed":  liar{3, 3, 9, panicky}.matrix().T(),
		"At of a vector panics":  liar{3, 1, 3, panicky},
		"negative rows":          liar{-1, 3, 0, anything}.matrix(),
		"both negative":          liar{-1, -3, 3, anything},
		"overflow":               liar{math.MaxInt, math.MaxInt, 1, anything}.matrix(),
		"huge":                   liar{1 << 30, 1 << 30, 0, anything}.matrix(),
		"longer than its rows":   liar{3, 1, 4, anything},
		"shorter than its rows":  liar{3, 1, 2, anything},
		"no elements but rows":   liar{3, 1, 0, anything},
		"nothing in Transpose":   mat.Transpose{},
		"nil in Transpose":       mat.Transpose{Matrix: (*mat.Dense)(nil)},
		"nothing in TransVec":    mat.TransposeVec{},
		"nothing in ConjTrans":   mat.ConjTranspose{},
		"nil pointer in foreign": foreign{(*mat.Dense)(nil)},
	}
	for name, v := range lyingValues() {
		bad[name] = v
		switch v := v.(type) {
		case mat.Matrix:
			bad[name+", transposed"] = mat.Transpose{Matrix: v}
		case mat.CMatrix:
			bad[name+", transposed"] = v.H()
		}
	}
	for name, v := range bad {
		t.Run(name, func(t *testing.T) {
			src, err := array.Of(v)
			if err == nil {
				_, err = array.Hash(context.Background(), src)
			}
			if !errors.Is(err, array.ErrShape) {
				t.Errorf("error %v, want ErrShape", err)
			}
			if src != nil {
				if _, err := array.Copy(src); !errors.Is(err, array.ErrShape) {
					t.Errorf("Copy: error %v, want ErrShape", err)
				}
			}
			array.Layout(v) // whatever it is
			switch v := v.(type) {
			case *mat.Dense:
				_, err = array.FromDense(v)
			case *mat.VecDense:
				_, err = array.FromVecDense(v)
			}
			if !errors.Is(err, array.ErrShape) {
				t.Errorf("From…: error %v, want ErrShape", err)
			}
		})
	}
	// All elements of a vector may be the same one: At says so too.
	same := &mat.VecDense{}
	same.SetRawVector(blas64.Vector{N: 3, Data: []float64{7}})
	src, err := array.Of(same)
	if err != nil || !bytes.Equal(encoded(t, src), bytes.Repeat(binaryLE(math.Float64bits(7)), 3)) {
		t.Errorf("increment 0: %v, %v", src, err)
	}
}

func TestNil(t *testing.T) {
	for _, v := range []any{
		nil, (*mat.Dense)(nil), (*mat.VecDense)(nil), (*mat.SymDense)(nil), (*mat.TriDense)(nil),
		(*mat.BandDense)(nil), (*mat.SymBandDense)(nil), (*mat.TriBandDense)(nil), (*mat.DiagDense)(nil),
		(*mat.Tridiag)(nil), (*mat.CDense)(nil), (*array.Array[float64])(nil), (*foreign)(nil), (*int)(nil),
	} {
		if src, err := array.Of(v); src != nil || !errors.Is(err, array.ErrNil) {
			t.Errorf("Of(%T(nil)): %v, %v", v, src, err)
		}
	}
	if _, err := array.FromDense(nil); !errors.Is(err, array.ErrNil) {
		t.Errorf("FromDense(nil): error %v", err)
	}
	if _, err := array.FromVecDense(nil); !errors.Is(err, array.ErrNil) {
		t.Errorf("FromVecDense(nil): error %v", err)
	}
	for _, src := range []array.Source{nil, (*array.Array[int8])(nil)} {
		if _, err := array.Hash(context.Background(), src); !errors.Is(err, array.ErrNil) {
			t.Errorf("Hash(%T): error %v", src, err)
		}
		if a, err := array.Copy(src); a != nil || !errors.Is(err, array.ErrNil) {
			t.Errorf("Copy(%T): %v, %v", src, a, err)
		}
		for chunk, err := range array.Chunks(src) {
			if chunk != nil || !errors.Is(err, array.ErrNil) {
				t.Errorf("Chunks(%T): %v, %v", src, chunk, err)
			}
		}
	}
}

func TestOfRefuses(t *testing.T) {
	type named []float64
	for _, v := range []any{1, 2.5, "text", []string{"a"}, []any{1.0}, [][]float64{{1}}, [3]float64{}, new(int), map[string]int{}, struct{}{}, named{1}, func() {}} {
		if src, err := array.Of(v); src != nil || !errors.Is(err, array.ErrDType) {
			t.Errorf("Of(%T): %v, %v", v, src, err)
		}
	}
}
