package npy_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// rowShapes has gaps between the runs of Fortran order on either side of 4 KiB.
var rowShapes = [][]int{
	{0}, {1}, {17}, {1, 1}, {5, 1}, {1, 5}, {0, 3}, {3, 0}, {3, 4}, {2, 3, 4}, {1, 5, 1, 2}, {7, 2, 1, 3}, {1200, 3}, {900, 2, 2}, {3000},
}

// orders are the four layouts that a file can have.
var orders = []struct {
	name         string
	fortran, big bool
}{{"C", false, false}, {"C big", false, true}, {"Fortran", true, false}, {"Fortran big", true, true}}

// Rows are those of the array as a whole, of every type, order, shape and range.
func TestReadRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, d := range allTypes {
		for _, shape := range rowShapes {
			a := random(t, r, d, shape...)
			n := shape[0]
			for _, o := range orders {
				f := open(t, write(t, "x.npy", layout(t, a, o.fortran, o.big)))
				if whole, err := f.Read(); err != nil || !equal(whole, a) {
					t.Fatalf("%v %v %s: Read: %v", d, shape, o.name, err)
				}
				ranges := [][2]int{{0, 0}, {n, n}, {0, n}, {0, min(1, n)}, {max(n-1, 0), n}, {0, max(n-1, 0)}}
				for range 6 {
					lo := r.IntN(n + 1)
					ranges = append(ranges, [2]int{lo, lo + r.IntN(n-lo+1)})
				}
				for _, at := range ranges {
					lo, hi := at[0], at[1]
					if rows, err := f.ReadRows(lo, hi); err != nil || !equal(rows, rowsOf(t, a, lo, hi)) {
						t.Errorf("%v %v %s: rows %d to %d differ, %v", d, shape, o.name, lo, hi, err)
					}
				}
				f.Close()
			}
		}
	}
}

func TestReadRowsRefuses(t *testing.T) {
	for _, o := range orders {
		a := values(t, array.Float64, []int{3, 2})
		f := open(t, write(t, "x.npy", layout(t, a, o.fortran, o.big)))
		for _, at := range [][2]int{{-1, 2}, {2, 1}, {0, 4}, {4, 4}, {-2, -1}, {0, int(^uint(0) >> 1)}} {
			rows, err := f.ReadRows(at[0], at[1])
			var of *npy.Error
			if rows != nil || !errors.Is(err, array.ErrShape) || !errors.As(err, &of) || of.Op != "read" {
				t.Errorf("%s: rows %v: error %v", o.name, at, err)
			}
		}
	}
	f := open(t, filepath.Join(vectorFolder, "f8-scalar-c-v1.npy"))
	if err := second(f.ReadRows(0, 0)); !errors.Is(err, array.ErrShape) || !strings.Contains(err.Error(), "use Read") {
		t.Errorf("a 0-d array: error %v", err)
	}
	for _, err := range f.Blocks(t.Context(), 1) {
		if !errors.Is(err, array.ErrShape) {
			t.Errorf("blocks of a 0-d array: error %v", err)
		}
	}
}

func TestReadRowsDense(t *testing.T) {
	f := open(t, filepath.Join(vectorFolder, "f8-3x4-big-fortran-v1.npy"))
	m, err := f.ReadRowsDense(1, 3)
	if err != nil || !mat.Equal(m, mat.NewDense(2, 4, []float64{6, 2, 9, 5, 1, 8, 4, 0})) {
		t.Errorf("%v, %v", m, err)
	}
	for file, want := range map[string]error{"f8-3x4-c-v1.npy": array.ErrShape, "f8-5-c-v1.npy": array.ErrShape, "c16-3x4-c-v1.npy": array.ErrDType} {
		m, err := open(t, filepath.Join(vectorFolder, file)).ReadRowsDense(1, 1)
		if m != nil || !errors.Is(err, want) {
			t.Errorf("no rows of %s: error %v", file, err)
		}
	}
}

// NumPy maps the same files and finds the same rows.
func TestRowsOfNumPy(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(7, 8))
	var list strings.Builder
	type part struct {
		path   string
		lo, hi int
	}
	var parts []part
	for _, d := range allTypes {
		for _, o := range orders {
			for _, shape := range [][]int{{600, 5}, {2000, 2}, {40, 3, 2}, {30}} {
				path := filepath.Join(dir, fmt.Sprintf("%d.npy", len(parts)))
				if err := os.WriteFile(path, layout(t, random(t, r, d, shape...), o.fortran, o.big), 0o600); err != nil {
					t.Fatal(err)
				}
				lo := r.IntN(shape[0])
				hi := lo + 1 + r.IntN(shape[0]-lo)
				parts = append(parts, part{path, lo, hi})
				fmt.Fprintln(&list, path, lo, hi)
			}
		}
	}
	numpy.Run(t, `
import sys
import numpy as np
for line in open(sys.argv[1]):
    path, lo, hi = line.split()
    np.save(path + ".rows.npy", np.load(path, mmap_mode="r")[int(lo):int(hi)])
`, write(t, "list", []byte(list.String())))
	for _, p := range parts {
		want, err := npy.ReadFile(p.path + ".rows.npy")
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, p.path)
		if a, err := f.ReadRows(p.lo, p.hi); err != nil || !equal(a, want) {
			t.Errorf("rows %d to %d of %+v: other elements than NumPy's, %v", p.lo, p.hi, f.Header(), err)
		}
		f.Close()
	}
}

// sparse makes a file of zeros that takes no room on the disk.
func sparse(t testing.TB, rows, cols int, order string) string {
	t.Helper()
	if strconv.IntSize == 32 {
		t.Skip("2 GiB are the most that an array has on this machine")
	}
	text := fmt.Sprintf("{'descr': '<f8', 'fortran_order': %s, 'shape': (%d, %d), }", order, rows, cols)
	path := write(t, "sparse.npy", headerOf(fmt.Sprintf("%-117s\n", text), 1))
	if err := os.Truncate(path, 128+8*int64(rows)*int64(cols)); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	return path
}

// bytesRead returns how many bytes this process has read from files, 0 where the
// system does not tell.
func bytesRead() (n int) {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	fmt.Sscanf(string(b), "rchar: %d", &n)
	return n
}

// Rows of 64 GiB cost what rows of a small file cost.
func TestReadRowsOfALargeFile(t *testing.T) {
	// Builds that cannot show memory as bytes have a buffer for each core.
	little := uint64(runtime.GOMAXPROCS(0)*array.ChunkSize + 1<<16)
	for order, limit := range map[string]uint64{"False": 1<<20 + little, "True": 2<<20 + little} {
		path := sparse(t, 1<<23, 1<<10, order)
		before := bytesRead()
		var rows array.Any
		got := allocated(func() {
			f, err := npy.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if rows, err = f.ReadRows(5_000_000, 5_000_128); err != nil {
				t.Fatal(err)
			}
		})
		if rows.Len() != 128<<10 {
			t.Errorf("Fortran %s: %v", order, rows.Shape())
		}
		if got > limit {
			t.Errorf("Fortran %s: %d bytes were allocated for rows of 1 MiB", order, got)
		}
		if n := bytesRead() - before; n > 1<<20+1<<14 {
			t.Errorf("Fortran %s: %d bytes were read for rows of 1 MiB", order, n)
		}
	}
}

// Blocks are the whole array, in order.
func TestBlocks(t *testing.T) {
	check := leaks(t)
	r := rand.New(rand.NewPCG(9, 10))
	for _, shape := range append([][]int{{300_000, 3}, {2, 400_000}}, rowShapes...) {
		a := random(t, r, array.Int16, shape...)
		for _, o := range orders {
			f := open(t, write(t, "x.npy", layout(t, a, o.fortran, o.big)))
			for _, rows := range []int{1, 2, 7, shape[0], shape[0] + 1, 0, -1, int(^uint(0) >> 1)} {
				if shape[0] > 10_000 && rows > 0 && rows < 10 {
					rows *= 100_000
				}
				next := 0
				for b, err := range f.Blocks(t.Context(), rows) {
					if err != nil {
						t.Fatalf("%v %s: %v", shape, o.name, err)
					}
					n := b.Rows.Shape()[0]
					if b.First != next || !equal(b.Rows, rowsOf(t, a, next, next+n)) {
						t.Errorf("%v %s: %d rows from %d on are other ones", shape, o.name, n, b.First)
					}
					if size := n * a.Len() / shape[0] * 2; rows <= 0 && n > 1 && size > 4<<20 {
						t.Errorf("%v %s: a block of %d bytes", shape, o.name, size)
					}
					if rows > 0 && n != min(rows, shape[0]-next) {
						t.Errorf("%v %s: a block of %d rows, not %d", shape, o.name, n, rows)
					}
					next += n
				}
				if next != shape[0] {
					t.Errorf("%v %s: the blocks have %d rows", shape, o.name, next)
				}
			}
			f.Close()
		}
	}
	check()
}

func TestBlocksEndEarly(t *testing.T) {
	check := leaks(t)
	path := sparse(t, 1<<23, 1<<10, "False")
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range f.Blocks(t.Context(), 0) {
		if err != nil || b.First != 0 {
			t.Errorf("the first block: %d, %v", b.First, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	steps := 0
	for b, err := range f.Blocks(ctx, 0) {
		steps++
		if last = err; err != nil && b.Rows != nil {
			t.Error("rows beside an error")
		}
		if steps == 3 {
			cancel()
		}
	}
	var of *npy.Error
	if steps != 4 || !errors.Is(last, context.Canceled) || !errors.As(last, &of) || of.Path != path {
		t.Errorf("cancelled at step 3, ended at step %d by %v", steps, last)
	}
	var none context.Context
	for _, err := range f.Blocks(none, 0) {
		if !errors.Is(err, array.ErrNil) {
			t.Errorf("without a context: %v", err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	check()
}

// A context that ends within a block of many columns ends it.
func TestBlocksEndWithinABlock(t *testing.T) {
	f := open(t, sparse(t, 1<<10, 1<<23, "True"))
	ctx := &countdown{Context: t.Context()}
	ctx.left.Store(100)
	for b, err := range f.Blocks(ctx, 1) {
		if b.Rows != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
}

// countdown is a context that ends when it was asked some times.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.DeadlineExceeded
	}
	return nil
}
