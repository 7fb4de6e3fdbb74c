package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// What the demo prints. All times of a table have one unit, so that they can be
// compared at a glance.

func (d *demo) introduction() string {
	rows, pixels := d.images.Dims()
	return fmt.Sprintf(`Recognising %d handwritten digits of %d pixels (UCI), with memoized functions:

  demo/standardise   every pixel to mean 0 and standard deviation 1
  demo/pca           principal components by singular value decomposition, the first %d
  demo/distances     Euclidean distances between all images in them, %d × %d
  demo/knn           each image by a vote of its %s
`, rows, pixels, d.settings.components, rows, rows, d.neighbours())
}

func (d *demo) neighbours() string {
	if d.settings.neighbours == 1 {
		return "nearest neighbour"
	}
	return count(d.settings.neighbours, "nearest neighbour")
}

const demoColumns = "  %-17s  %-5s  %10s  %12s  %8s"

func (d *demo) line(columns ...any) {
	d.printf("%s\n", strings.TrimRight(fmt.Sprintf(demoColumns, columns...), " "))
}

func (d *demo) head(title string) {
	d.printf("%s\n", title)
	d.line("step", "cache", "time", "computed in", "speedup")
}

func (d *demo) row(c call) {
	var computed, speedup string
	if c.Kind == memo.Hit {
		computed, speedup = milliseconds(c.Compute), times(c.Compute, c.took)
	}
	d.line(c.Function, c.Kind, milliseconds(c.took), computed, speedup)
}

func (d *demo) foot(r *demoRun) {
	took, compute := r.total()
	var computed, speedup string
	if r.hits() == len(r.calls) {
		computed, speedup = milliseconds(compute), times(compute, took)
	}
	d.line("total", "", milliseconds(took), computed, speedup)
	if r.recomputed > 0 {
		d.printf("\n  %d of the hits were computed again and compared, as NUMCACHE_VERIFY asks.\n", r.recomputed)
	}
	d.faults(r.faults)
}

// maxFaults is how many kinds of faults are shown.
const maxFaults = 3

func (d *demo) faults(faults []error) {
	var texts []string
	for _, err := range faults {
		if text := message(err); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return
	}
	d.printf("\n  The cache had faults, and the run went on without it:\n")
	for _, text := range texts[:min(len(texts), maxFaults)] {
		d.printf("    %s\n", text)
	}
	if more := len(texts) - maxFaults; more > 0 {
		d.printf("    and %s\n", count(more, "other"))
	}
}

func (d *demo) summarise(first, last *demoRun) {
	o := last.outcome
	right := 0
	for i, digit := range o.predicted {
		if digit == d.labels[i] {
			right++
		}
	}
	d.printf("\nAccuracy: %.1f %%, %d of %d digits recognised, none by itself; the components hold %.1f %% of the variance.\n",
		100*o.accuracy, right, len(o.predicted), 100*o.explained)
	before, _ := first.total()
	after, _ := last.total()
	var computed []string
	for _, c := range first.calls {
		if c.Kind != memo.Hit {
			computed = append(computed, c.Function)
		}
	}
	switch {
	case len(computed) == 0:
		d.printf("Nothing was computed: every step was in the cache.\n")
	case last.hits() < len(last.calls):
		d.printf("The cache did not keep every step; see the faults above.\n")
	case len(computed) < len(first.calls):
		d.printf("Computed anew: %s; the rest was in the cache. The second run was %s faster.\n", strings.Join(computed, ", "), times(before, after))
	default:
		d.printf("The second run was %s faster: %s instead of %s.\n", times(before, after), milliseconds(after), milliseconds(before))
	}
	if slices.ContainsFunc(last.calls, func(c call) bool { return c.Kind == memo.Hit && c.Compute < 2*c.took }) {
		d.printf("A hit hashes the arguments, and reads and checks the results: a step that computes about as fast gains nothing.\n")
	}
}

// farewell says how to go on from here.
func (d *demo) farewell(ctx context.Context, last *demoRun) error {
	self, where := invocation(), ""
	if d.dir != defaultFolder() {
		where = " --dir " + shellQuote(d.dir)
	}
	d.printf("\nThe cache    %s\nLook at it   %s ls%s\n", d.dir, self, where)
	path, shape, err := d.scores(ctx, last)
	if err != nil {
		return err
	}
	if path != "" {
		d.printf("In Python    %s\n             prints %s, the scores of the components\n", pythonLine(path), array.FormatShape(shape))
	}
	other := 20
	if d.settings.components == other {
		other = 10
	}
	d.printf("Try          %s demo%s --components %d\n", self, where, other)
	return nil
}

// scores returns where the cache keeps the scores of the components, "" where it
// does not.
func (d *demo) scores(ctx context.Context, last *demoRun) (path string, shape []int, err error) {
	c, err := memo.Open(d.dir, &memo.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", nil, err
	}
	defer closing(c, &err)
	for _, call := range last.calls {
		if call.Function != stepPCA {
			continue
		}
		for r, err := range c.Find(ctx, call.Key.String()) {
			if err != nil {
				break // what cannot be read has no place to show
			}
			if objects := objectsOf(c, r.Results); len(objects) > 0 && objects[0].Present {
				return objects[0].Path, objects[0].Shape, nil
			}
		}
	}
	return "", nil, nil
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// times returns how many times longer a is than b: 0.5×, 9.8×, 120×.
func times(a, b time.Duration) string {
	ratio := float64(a) / float64(max(b, 1))
	if ratio < 9.95 {
		return fmt.Sprintf("%.1f×", ratio)
	}
	return fmt.Sprintf("%.0f×", ratio)
}

// invocation returns how the reader can call this program again: by its name where
// the shell finds it, from the clone where that is the current folder, or else
// as it was called.
func invocation() string {
	self, err := os.Executable()
	if found, lookErr := exec.LookPath("numcache"); err == nil && lookErr == nil && sameFile(found, self) {
		return "numcache"
	}
	if _, err := os.Stat(filepath.Join("cmd", "numcache", "demo.go")); err == nil {
		return "go run ./cmd/numcache"
	}
	return shellQuote(os.Args[0])
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// pythonLine returns a shell command that opens the file of an object: a .npy file, or
// a .npz file where it is compressed.
func pythonLine(path string) string {
	load := "np.load('" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(path) + "')"
	if strings.HasSuffix(path, ".npz") {
		load += "['data']"
	}
	return "python3 -c " + shellQuote("import numpy as np; print("+load+".shape)")
}

// shellQuote quotes s for a shell where it needs that: in double quotes, which
// every shell has, as long as nothing in s is special within them.
func shellQuote(s string) string {
	switch {
	case !strings.ContainsFunc(s, func(r rune) bool { return !plainInShell(r) }) && s != "":
		return s
	case !strings.ContainsAny(s, "\"$`\\!"):
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func plainInShell(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:+,@%=~", r)
}
