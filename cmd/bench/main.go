// Bench measures numcache beside what else does the same work, all in one run, turn by
// turn, and prints a table with the ratios:
//
//	cd cmd/bench && go run . parallel
//	cd cmd/bench && go run . parallel -quick       # a small form, to see that it works
//	cd cmd/bench && go run . parallel -only gram   # one of its parts
//
// It is a module of its own, so that the library's go.mod does not name its peers. The
// peers that are not Go programs are Python with joblib, by NUMCACHE_PYTHON or as
// python3, and gcc with OpenMP; one that is not installed is left out and named.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "parallel" {
		fmt.Fprintln(os.Stderr, "usage: bench parallel [-quick] [-rounds n] [-only part]")
		os.Exit(2)
	}
	flags := flag.NewFlagSet("parallel", flag.ExitOnError)
	quick := flags.Bool("quick", false, "small sizes and one round: to see that it works")
	rounds := flags.Int("rounds", 7, "how often each is measured; the table has the medians")
	only := flags.String("only", "", "the part to run: tasks, rows, sum, gram or stream")
	flags.Parse(os.Args[2:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := options{quick: *quick, rounds: max(*rounds, 1), only: *only}
	if *quick {
		o.rounds = 1
	}
	if err := parallelTable(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
