package array

import (
	"bytes"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// The builders of [Matrix]. Each takes the n×m elements in data, and what it
// returns is compared with them afterwards: it need not look at those that its
// type does not keep.

func buildSym(data []float64, n, m int, _ string) mat.Matrix {
	if n != m {
		return nil
	}
	return mat.NewSymDense(n, data)
}

func buildTri(data []float64, n, m int, layout string) mat.Matrix {
	if n != m {
		return nil
	}
	switch layout {
	case "upper":
		return mat.NewTriDense(n, mat.Upper, data)
	case "lower":
		return mat.NewTriDense(n, mat.Lower, data)
	case "":
		if upper := mat.NewTriDense(n, mat.Upper, data); sameElements(upper, &Array[float64]{data, []int{n, n}}) {
			return upper
		}
		return mat.NewTriDense(n, mat.Lower, data)
	}
	return nil
}

func buildDiag(data []float64, n, m int, _ string) mat.Matrix {
	if n != m {
		return nil
	}
	return mat.NewDiagDense(n, diagonal(data, n, 0))
}

func buildTridiag(data []float64, n, m int, _ string) mat.Matrix {
	if n != m {
		return nil
	}
	return mat.NewTridiag(n, diagonal(data, n, -1), diagonal(data, n, 0), diagonal(data, n, 1))
}

// diagonal returns the k-th diagonal of n×n elements, above the main one where k
// is positive.
func diagonal(data []float64, n, k int) []float64 {
	d := make([]float64, 0, n)
	for i := range n {
		if j := i + k; j >= 0 && j < n {
			d = append(d, data[i*n+j])
		}
	}
	return d
}

func buildBand(data []float64, n, m int, layout string) mat.Matrix {
	var kl, ku int
	if _, err := fmt.Sscanf(layout, "band %d %d", &kl, &ku); err != nil || layout != fmt.Sprintf("band %d %d", kl, ku) {
		return nil
	}
	if kl < 0 || kl >= n || ku < 0 || ku >= m || !justified(min(n, m+kl), kl+ku+1, len(data)) {
		return nil
	}
	return mat.NewBandDense(n, m, kl, ku, diagonals(data, n, m, kl, ku))
}

func buildSymBand(data []float64, n, m int, layout string) mat.Matrix {
	var k int
	if _, err := fmt.Sscanf(layout, "band %d", &k); err != nil || layout != fmt.Sprintf("band %d", k) {
		return nil
	}
	if n != m || k < 0 || k >= n {
		return nil
	}
	return mat.NewSymBandDense(n, k, diagonals(data, n, n, 0, k))
}

func buildTriBand(data []float64, n, m int, layout string) mat.Matrix {
	var (
		word string
		k    int
	)
	if _, err := fmt.Sscanf(layout, "%s %d", &word, &k); err != nil || layout != fmt.Sprintf("%s %d", word, k) {
		return nil
	}
	switch {
	case n != m || k < 0 || k >= n:
		return nil
	case word == "upper":
		return mat.NewTriBandDense(n, k, mat.Upper, diagonals(data, n, n, 0, k))
	case word == "lower":
		return mat.NewTriBandDense(n, k, mat.Lower, diagonals(data, n, n, k, 0))
	}
	return nil
}

// justified reports whether rows of width elements are no more than what n
// elements, which somebody really has sent, justify: a layout is only a claim.
func justified(rows, width, n int) bool {
	const free = 64 << 10 / 8
	return width <= (2*n+free)/rows
}

// diagonals returns the elements from kl below to ku above the main diagonal as
// BLAS keeps a band: row by row, each row's from column i-kl on, zeros for those
// outside of the matrix.
func diagonals(data []float64, n, m, kl, ku int) []float64 {
	width := kl + ku + 1
	band := make([]float64, min(n, m+kl)*width)
	for i := range min(n, m+kl) {
		lo, hi := max(0, i-kl), min(m, i+ku+1)
		copy(band[i*width+lo+kl-i:], data[i*m+lo:i*m+hi])
	}
	return band
}

// sameElements compares a matrix, of a type that gonum defines, with an array of
// its shape bit by bit.
func sameElements(m mat.Matrix, want *Array[float64]) bool {
	src, err := viewMatrix(m)
	if err != nil {
		return false
	}
	const part = 2 << 10 // two of them fit a first-level cache
	a, b := make([]byte, 8*min(part, want.Len())), make([]byte, 8*min(part, want.Len()))
	for first := 0; first < want.Len(); first += part {
		n := 8 * min(part, want.Len()-first)
		if src.Encode(a[:n], first) != nil || want.Encode(b[:n], first) != nil || !bytes.Equal(a[:n], b[:n]) {
			return false
		}
	}
	return true
}
