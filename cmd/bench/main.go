// Bench measures numcache beside what else does the same work, all in one run, turn by
// turn, and prints a table with the ratios:
//
//	cd cmd/bench && go run . memo                  # digests, hits, misses, files
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
	"io"
	"os"
	"os/signal"
	"strings"
)

// table measures a few packages.
type table struct {
	measure func(ctx context.Context, w io.Writer, o options) error
	parts   []string
}

var tables = map[string]table{
	"memo":     {memoTable, []string{"digest", "hit", "mapped", "miss", "store", "memory", "read", "write"}},
	"parallel": {parallelTable, []string{"tasks", "rows", "sum", "gram", "stream"}},
}

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	chosen, ok := tables[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: bench memo|parallel [-quick] [-rounds n] [-only part] [-dir folder]")
		os.Exit(2)
	}
	var o options
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	flags.BoolVar(&o.quick, "quick", false, "small sizes and one round: to see that it works")
	flags.IntVar(&o.rounds, "rounds", 7, "how often each is measured; the table has the medians")
	flags.StringVar(&o.only, "only", "", "the part to run: "+strings.Join(chosen.parts, ", "))
	flags.StringVar(&o.dir, "dir", "", "folder for what is stored, on the disk that is measured (default the one for temporary files)")
	flags.Parse(os.Args[2:])
	o.rounds = max(o.rounds, 1)
	if o.quick {
		o.rounds = 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := chosen.measure(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
