package npy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/npy"
	"github.com/numcache/numcache/testdata/numpy"
)

// theirs does in Python what each case of BenchmarkNumPy does in Go, and answers
// how long it took, in seconds.
const theirs = `
import os, time
import numpy as np

x = {}

def made(rows):
    if rows not in x:
        x[rows] = np.random.default_rng(1).random((rows, 1024)).round(3)
    return x[rows]

def answer(what, path, rows):
    rows = int(rows)
    if what == "make":
        np.save(path + ".c.npy", made(rows))
        np.save(path + ".f.npy", np.asfortranarray(made(rows)))
        np.save(path + ".b.npy", made(rows).astype(">f8"))
        np.savez(path + ".npz", x=made(rows))
        if rows <= 1024:
            np.savez_compressed(path + ".z.npz", x=made(rows))
        return 0
    a = made(rows)
    if os.path.exists(path + ".theirs.npy"):
        os.remove(path + ".theirs.npy")
    start = time.perf_counter()
    if what == "read":
        np.load(path + ".c.npy")
    elif what == "read-big-endian":
        np.load(path + ".b.npy").astype("<f8")
    elif what == "read-Fortran":
        np.ascontiguousarray(np.load(path + ".f.npy"))
    elif what == "read-256-rows":
        np.load(path + ".c.npy", mmap_mode="r")[rows // 2:rows // 2 + 256].copy()
    elif what == "write":
        np.save(path + ".theirs.npy", a)
    elif what == "write+sync":
        with open(path + ".tmp", "wb") as f:
            np.save(f, a)
            f.flush()
            os.fsync(f.fileno())
        os.rename(path + ".tmp", path + ".theirs.npy")
    elif what == "read-npz":
        np.load(path + ".npz")["x"]
    elif what == "read-npz-deflated":
        np.load(path + ".z.npz")["x"]
    elif what == "write-npz-deflated":
        np.savez_compressed(path + ".theirs.npz", x=a)
    return time.perf_counter() - start
`

// BenchmarkNumPy does the same work as NumPy on the same files, turn by turn, and
// reports the median of both in GB/s, and how many times faster this package is.
// Files are in the page cache.
func BenchmarkNumPy(b *testing.B) {
	python := numpy.Start(b, theirs)
	for _, size := range []int{8, 256} { // MB
		rows := size << 20 / 8 / 1024
		base := filepath.Join(b.TempDir(), "x")
		python.Ask("make", base, strconv.Itoa(rows))
		m, err := npy.ReadDense(base + ".c.npy")
		if err != nil {
			b.Fatal(err)
		}
		for _, work := range []struct {
			name  string
			bytes int
			ours  func() error
		}{
			{"read", size << 20, func() error { return second(npy.ReadDense(base + ".c.npy")) }},
			{"read-big-endian", size << 20, func() error { return second(npy.ReadDense(base + ".b.npy")) }},
			{"read-Fortran", size << 20, func() error { return second(npy.ReadDense(base + ".f.npy")) }},
			{"read-256-rows", 256 * 8192, func() error { return readRows(base+".c.npy", rows/2, rows/2+256) }},
			{"write", size << 20, func() error { return writeUnsynced(base+".ours.npy", m) }},
			{"write+sync", size << 20, func() error { return npy.WriteFile(base+".ours.npy", m) }},
			{"read-npz", size << 20, func() error { return readMember(base + ".npz") }},
			{"read-npz-deflated", size << 20, func() error { return readMember(base + ".z.npz") }},
			{"write-npz-deflated", size << 20, func() error {
				return npy.WriteArchive(base+".ours.npz", map[string]any{"x": m}, &npy.ArchiveOptions{Level: 6})
			}},
		} {
			if size > 8 && strings.HasSuffix(work.name, "deflated") {
				continue // NumPy needs ten seconds to deflate 256 MB
			}
			b.Run(fmt.Sprintf("%s/%dMB", work.name, size), func(b *testing.B) {
				var ours, theirs []float64
				for b.Loop() {
					os.Remove(base + ".ours.npy")
					start := time.Now()
					if err := work.ours(); err != nil {
						b.Fatal(err)
					}
					ours = append(ours, time.Since(start).Seconds())
					seconds, err := strconv.ParseFloat(python.Ask(work.name, base, strconv.Itoa(rows)), 64)
					if err != nil {
						b.Fatal(err)
					}
					theirs = append(theirs, seconds)
				}
				gb := float64(work.bytes) / 1e9
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(gb/median(ours), "GB/s")
				b.ReportMetric(gb/median(theirs), "numpy-GB/s")
				b.ReportMetric(median(theirs)/median(ours), "×numpy")
			})
		}
	}
}

func readRows(path string, lo, hi int) error {
	f, err := npy.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return second(f.ReadRowsDense(lo, hi))
}

func readMember(path string) error {
	a, err := npy.OpenArchive(path, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	return second(a.Dense("x"))
}

// writeUnsynced is np.save: it leaves it to the system when the bytes reach
// the disk.
func writeUnsynced(path string, m mat.Matrix) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return npy.Write(f, m)
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[len(s)/2]
}
