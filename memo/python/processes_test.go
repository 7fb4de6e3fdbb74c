package python_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/testdata/numpy"
)

var (
	processes = flag.Int("processes", 3, "processes of each language in TestComputeOnce")
	rounds    = flag.Int("rounds", 10, "rounds of TestComputeOnce")
	kills     = flag.Int("kills", 8, "processes that TestKilled kills")
)

func itoa(n int) string { return strconv.Itoa(n) }

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// size is how many numbers the result of call n has, and number its i-th one.
func size(n int) int          { return 1000 + n%5*40000 }
func number(n, i int) float64 { return float64(n*1000 + i%7) }
func work(n int) []float64    { return fill(make([]float64, size(n)), n) }
func callKey(n int) memo.Key  { return memo.NewKey("work", "1").Add(n) }
func quiet() *memo.Options {
	return &memo.Options{Sync: memo.SyncNone, Logger: slog.New(slog.DiscardHandler)}
}
func folder(t testing.TB) string { return filepath.Join(t.TempDir(), "cache") }

func fill(x []float64, n int) []float64 {
	for i := range x {
		x[i] = number(n, i)
	}
	return x
}

// worker is what the Go processes are: it calls the functions whose numbers it reads,
// and answers with its misses and faults. A line is added to the file of counts for
// each computation.
const workerFolder, workerCount = "NUMCACHE_TEST_PYTHON_FOLDER", "NUMCACHE_TEST_PYTHON_COUNT"

// TestWorker is no test by itself, but what the Go processes run.
func TestWorker(t *testing.T) {
	dir := os.Getenv(workerFolder)
	if dir == "" {
		t.Skip("for tests with processes only")
	}
	c, err := memo.Open(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	count, err := os.OpenFile(os.Getenv(workerCount), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer count.Close()
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		n, err := strconv.Atoi(in.Text())
		if err != nil {
			t.Fatal(err)
		}
		got, err := memo.Do(t.Context(), c, callKey(n), func(context.Context) ([]float64, error) {
			_, err := fmt.Fprintln(count, n)
			return work(n), err
		})
		if err != nil || len(got) != size(n) || got[0] != number(n, 0) || got[size(n)-1] != number(n, size(n)-1) {
			t.Fatalf("WRONG result of call %d: %v", n, err)
		}
		fmt.Println(c.Stats().Faults)
	}
}

// pythonWorker is what the Python processes are.
const pythonWorker = `
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, numcache
cache = numcache.open(sys.argv[2], sync="none")
count = open(sys.argv[3], "a")

def size(n):
    return 1000 + n % 5 * 40000

def fill(n):
    return n * 1000.0 + np.arange(size(n)) % 7

@cache.memo(name="work", version="1")
def work(n):
    print(n, file=count, flush=True)
    return fill(n)

print("ready", flush=True)
for line in sys.stdin:
    n = int(line)
    assert np.array_equal(work(n), fill(n)), "WRONG result"
    print(cache.stats().faults, flush=True)
`

// A child is a worker of one of the languages.
type child struct {
	*exec.Cmd
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, language, dir, count string) *child {
	t.Helper()
	var cmd *exec.Cmd
	if language == "Python" {
		cmd = numpy.Command(t, pythonWorker, here(t), dir, count)
	} else {
		cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestWorker$")
		cmd.Env = append(os.Environ(), workerFolder+"="+dir, workerCount+"="+count)
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, t, in, bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = c.in.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

func (c *child) ask(n int) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in, n); err != nil {
		c.t.Fatal(err)
	}
}

func (c *child) want(answer string) {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if strings.TrimSpace(line) != answer {
		c.t.Fatalf("%s answers %q (%v), want %q", c.Path, line, err, answer)
	}
}

func emptyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "count")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestComputeOnce has processes of both languages ask for the same call at the same
// moment, round after round: one of them computes it.
func TestComputeOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("locks are taken on Linux")
	}
	numpy.Require(t, "xxhash")
	dir, count := folder(t), emptyFile(t)
	var children []*child
	for range *processes {
		children = append(children, start(t, "Go", dir, count), start(t, "Python", dir, count))
	}
	for _, c := range children {
		c.want("ready")
	}
	for n := range *rounds {
		for _, c := range children {
			c.ask(n)
		}
		for _, c := range children {
			c.want("0")
		}
	}
	if computed := strings.Count(readFile(t, count), "\n"); computed != *rounds {
		t.Errorf("%d calls were computed %d times", *rounds, computed)
	}
	t.Logf("%d processes of each language, %d rounds, each computed once", *processes, *rounds)
}

// TestKilled kills processes of both languages while they compute and write, and has
// others of both read what they left: every result is right, and nothing is a fault.
func TestKilled(t *testing.T) {
	numpy.Require(t, "xxhash")
	dir, count := folder(t), emptyFile(t)
	r := rand.New(rand.NewPCG(9, 9))
	languages := []string{"Go", "Python"}
	readers := []*child{start(t, "Go", dir, count), start(t, "Python", dir, count)}
	for _, c := range readers {
		c.want("ready")
	}
	for kill := range *kills {
		writer := start(t, languages[kill%2], dir, count)
		writer.want("ready")
		const calls = 40
		go func() {
			for n := range calls {
				if _, err := fmt.Fprintln(writer.in, kill*calls+n); err != nil {
					return // it was killed
				}
			}
		}()
		for range r.IntN(calls / 2) {
			writer.want("0")
		}
		time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, func() { _ = writer.Process.Kill() })
		_, _ = io.Copy(io.Discard, writer.out)
		for _, c := range readers {
			for n := range calls {
				c.ask(kill*calls + n)
				c.want("0")
			}
		}
	}
	c, err := memo.Open(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	report, err := c.Verify(t.Context(), nil)
	if err != nil || len(report.Damaged) > 0 || report.Incomplete > 0 || report.Records != 40**kills {
		t.Errorf("verify: %+v, %v", report, err)
	}
	t.Logf("%d processes killed, %d records intact", *kills, report.Records)
}
