package slurm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/parallel"
)

// work is the parameters of the test functions, which are to be watched and to fail.
type work struct {
	By    float64
	Count string // folder: a file is made for each computation of a block
	Gate  string // file: rows from OnlyFrom on wait until it is there
	Once  string // file: the worker that makes it dies
	Fails int    // row that fails; 0 none
	From  int    // first row that waits
}

// before does what the parameters say before a block is computed.
func (w work) before(ctx context.Context, b parallel.RowBlock) error {
	r, _ := b.Rows.Dims()
	if w.Count != "" {
		f, err := os.CreateTemp(w.Count, fmt.Sprintf("%06d-*", b.Start))
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if w.Fails > 0 && b.Start <= w.Fails && w.Fails < b.Start+r {
		return &parallel.Error{Index: w.Fails, Err: errors.New("it is Monday")}
	}
	if w.Once != "" {
		f, err := os.OpenFile(w.Once, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			fmt.Fprintln(os.Stderr, "dying once", f.Close())
			os.Exit(3)
		}
	}
	if w.Gate != "" && b.Start >= w.From {
		return untilThere(ctx, w.Gate)
	}
	return nil
}

// untilThere waits for a file that another process makes.
func untilThere(ctx context.Context, path string) error {
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var (
	scale = parallel.RegisterMap("scale", "1", func(ctx context.Context, w work, b parallel.RowBlock, dst *mat.Dense) error {
		if err := w.before(ctx, b); err != nil {
			return err
		}
		dst.Scale(w.By, b.Rows)
		dst.Set(0, 0, float64(b.Start)/w.By)
		return nil
	})
	sum = parallel.RegisterReduce("sum", "1", func(ctx context.Context, w work, b parallel.RowBlock) (*mat.Dense, error) {
		if err := w.before(ctx, b); err != nil {
			return nil, err
		}
		r, c := b.Rows.Dims()
		s := mat.NewDense(1, c, nil)
		for i := range r {
			for j := range c {
				s.Set(0, j, s.At(0, j)+w.By*b.Rows.At(i, j))
			}
		}
		return s, nil
	}, func(a, b *mat.Dense) *mat.Dense { a.Add(a, b); return a })
)

// normal returns a matrix of normal numbers, of which no sum is exact.
func normal(r, c int) *mat.Dense {
	random := rand.New(rand.NewPCG(uint64(r), uint64(c)))
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, random.NormFloat64())
		}
	}
	return m
}

func sameBits(a, b *mat.Dense) bool {
	return a != nil && b != nil && slices.EqualFunc(a.RawMatrix().Data, b.RawMatrix().Data, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}

// openCache opens a new cache.
func openCache(t testing.TB) *memo.Cache {
	t.Helper()
	c, err := memo.Open(t.TempDir(), &memo.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

var quiet = slog.New(slog.DiscardHandler)

// newExecutor returns an executor that polls often and logs nothing.
func newExecutor(t testing.TB, c *memo.Cache, o Options) *Executor {
	t.Helper()
	if o.Logs == "" {
		o.Logs = filepath.Join(t.TempDir(), "logs")
	}
	if o.Poll == 0 {
		o.Poll = 10 * time.Millisecond
	}
	o.Logger = quiet
	e, err := New(c, &o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// computed returns the first rows of the blocks that were computed, sorted, each as
// often as it was.
func computed(t testing.TB, folder string) (rows []int) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var row int
		if _, err := fmt.Sscanf(strings.SplitN(f.Name(), "-", 2)[0], "%d", &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	slices.Sort(rows)
	return rows
}

// within fails a test that takes far too long.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
