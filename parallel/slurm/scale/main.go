// Command scale computes what SCALE.md says of sizes that nobody has tried: what a
// store, Slurm and the key space do with 10⁹ entries and 10⁴ workers.
//
//	go run ./scale [-quick] [-seed n]
//
// Its tables stand in SCALE.md word for word, and a test holds that they do. What is
// counted is counted of the code, see verbs.go; what is random has a seed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

func main() {
	quick := flag.Bool("quick", false, "simulate fewer tasks, with figures that are a little off")
	seed := flag.Uint64("seed", 1, "of the simulations")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "scale: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := write(os.Stdout, tables(*quick, *seed)); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// table is one of the page. The cells of a simulated one depend on -quick a little.
type table struct {
	title     string
	simulated bool
	rows      [][]string // the first one is the head
}

func tables(quick bool, seed uint64) []table {
	return []table{
		requestTable(),
		listTable(),
		trimTable(),
		keyTable(),
		folderTable(),
		workerTable(quick, seed),
		sharedTable(quick, seed),
		ledgerTable(),
		waiterTable(),
		arrayTable(),
		gatherTable(),
		startTable(quick, seed),
	}
}

// String is the table as it stands in the page.
func (t table) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
	lines := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return t.title + "\n\n" + strings.Join(lines, "\n") + "\n"
}

func write(w io.Writer, all []table) error {
	for i, t := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := io.WriteString(w, t.String()); err != nil {
			return err
		}
	}
	return nil
}
