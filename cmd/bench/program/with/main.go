// With is a program that memoizes a function in the folder that it is given. Without an
// argument it ends at once, so that what it takes is what any program with package memo
// takes to start.
package main

import (
	"fmt"
	"log"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

func main() {
	if len(os.Args) > 1 {
		c, err := memo.Open(os.Args[1], nil)
		if err != nil {
			log.Fatal(err)
		}
		defer c.Close()
		cached, err := memo.Func(c, memo.Spec{Name: "inverse"}, inverse)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(mat.Formatted(cached.Call(mat.NewDense(2, 2, []float64{4, 2, 1, 1}))))
	}
}

func inverse(a *mat.Dense) *mat.Dense {
	var inv mat.Dense
	if err := inv.Inverse(a); err != nil {
		return a
	}
	return &inv
}
