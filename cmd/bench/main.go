// Bench measures numcache beside what else does the same work, all in one run, turn by
// turn, and prints one table with the ratios:
//
//	apt-get install -y gcc python3-numpy python3-joblib python3-diskcache   # the peers
//	cd cmd/bench && go run .                        # everything; needs 22 GB of disk
//	cd cmd/bench && go run . -quick                 # a small form, to see that it works
//	cd cmd/bench && go run . -only 'digest|hit'     # the works whose names match
//	cd cmd/bench && go run . -json results.json -chart results.png
//	cd cmd/bench && go run . -from results.json -chart results.png  # of an earlier run
//
// The run that the README shows is testdata/bench.json, by -rounds 5 -records 200000.
//
// It is a module of its own, so that the library's go.mod does not name its peers. Python
// is the one of NUMCACHE_PYTHON, or python3; a peer that is not installed is left out and
// named. Errors aside nothing is judged by the exit status: times are no gate.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// options are those of the command line.
type options struct {
	quick       bool
	rounds      int
	records     int
	only        *regexp.Regexp
	dir         string // in which what is stored is put
	json, chart string // files to write
	from        string // results to show, in place of measuring
}

func main() {
	if asWorker() {
		return
	}
	o := options{only: regexp.MustCompile("")}
	flag.BoolVar(&o.quick, "quick", false, "small sizes and one round: to see that it works")
	flag.IntVar(&o.rounds, "rounds", 7, "how often each is measured")
	flag.IntVar(&o.records, "records", 1_000_000, "records of the large cache; -quick takes a hundredth")
	flag.Func("only", "measure the works whose names match `REGEXP`", func(text string) (err error) {
		o.only, err = regexp.Compile(text)
		return err
	})
	flag.StringVar(&o.dir, "dir", "", "`folder` for what is stored, on the disk that is measured (default the one for temporary files)")
	flag.StringVar(&o.json, "json", "", "write all samples to this `file`")
	flag.StringVar(&o.chart, "chart", "", "draw the ratios to this PNG `file`")
	flag.StringVar(&o.from, "from", "", "show the results of this JSON `file`, and measure nothing")
	flag.Parse()
	o.rounds = max(o.rounds, 1)
	o.records = max(o.records, 100)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, or reads what was measured, and shows it in the forms that are asked for.
func run(ctx context.Context, w io.Writer, o options) error {
	var r results
	var err error
	if o.from != "" {
		r, err = readResults(o.from)
	} else {
		r, err = measure(ctx, os.Stderr, o)
	}
	if err != nil {
		return err
	}
	if err := r.print(w); err != nil {
		return err
	}
	if o.json != "" {
		if err := r.write(o.json); err != nil {
			return err
		}
	}
	if o.chart != "" {
		return r.draw(o.chart)
	}
	return nil
}
