// Without is the program beside which the one with package memo is measured: it does the
// same, and keeps nothing.
package main

import (
	"fmt"
	"os"

	"gonum.org/v1/gonum/mat"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Println(mat.Formatted(inverse(mat.NewDense(2, 2, []float64{4, 2, 1, 1}))))
	}
}

func inverse(a *mat.Dense) *mat.Dense {
	var inv mat.Dense
	if err := inv.Inverse(a); err != nil {
		return a
	}
	return &inv
}
