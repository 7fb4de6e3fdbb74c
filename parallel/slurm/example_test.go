package slurm_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
	"github.com/numcache/numcache/parallel/slurm"
)

type shift struct{ By float64 }

// Registered at package level: each process comes by here before main, which begins
// with parallel.WorkerMain.
var shifted = parallel.RegisterMap("example/shift", "1", func(_ context.Context, p shift, b parallel.RowBlock, dst *mat.Dense) error {
	dst.Apply(func(_, _ int, v float64) float64 { return v + p.By }, b.Rows)
	return nil
})

// The same call in this process and in others. Without Local it is on the cluster.
func Example() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	c, err := memo.Open(folder+"/cache", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	e, err := slurm.New(c, &slurm.Options{Local: 2, Logs: folder + "/logs"})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	x := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	here, err := shifted.Map(ctx, &parallel.Options{Grain: 1}, x, 2, shift{By: 10})
	fmt.Println(here.RawMatrix().Data, err)
	there, err := shifted.Map(ctx, &parallel.Options{Grain: 1, Executor: e}, x, 2, shift{By: 10})
	fmt.Println(there.RawMatrix().Data, err)
	again, err := shifted.Map(ctx, &parallel.Options{Grain: 1, Executor: e}, x, 2, shift{By: 10})
	fmt.Println(mat.Equal(there, again), err)
	fmt.Println(e.Stats().Submitted, "tasks for", e.Stats().Chunks, "chunks")
	// Output:
	// [11 12 13 14 15 16] <nil>
	// [11 12 13 14 15 16] <nil>
	// true <nil>
	// 3 tasks for 6 chunks
}

// A job is prepared for something else to run; here nothing does.
func ExampleExecutor_Prepare() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	c, err := memo.Open(folder, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	e, err := slurm.New(c, &slurm.Options{Tasks: 4})
	if err != nil {
		log.Fatal(err)
	}

	x := mat.NewDense(9, 1, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9})
	job, err := shifted.Job(&parallel.Options{Grain: 1}, x, 1, shift{By: 10})
	if err != nil {
		log.Fatal(err)
	}
	key, chunks, err := e.Prepare(context.Background(), job)
	fmt.Println(len(key), chunks, err) // for numcache k8s-manifest KEY --completions 3
	// Output: 32 3 <nil>
}
