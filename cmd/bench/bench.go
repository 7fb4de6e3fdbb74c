package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/numcache/numcache/memo"
)

// bench is what the works share.
type bench struct {
	top, dir string // all that is stored, and what the present work stores
	peers    *peers
	quick    bool
	records  int // of the large cache
	sizes    [4]int
	held     []float64
	closing  []func() error
	number   atomic.Int64 // that makes an argument another
	skipped  []string     // of the present work
	looked   sync.Once    // whether there is room for the large caches
	noRoom   error
}

// class is which of the sizes a work is of.
type class int

const (
	none class = iota
	small
	middle
	large
)

// sizes of arrays in bytes, by class.
var (
	sizes      = [4]int{small: 1 << 10, middle: 8 << 20, large: 256 << 20}
	quickSizes = [4]int{small: 1 << 10, middle: 1 << 20, large: 2 << 20}
)

func sizeText(size int) string {
	if size < 1<<20 {
		return fmt.Sprintf("%d KB", size>>10)
	}
	return fmt.Sprintf("%d MB", size>>20)
}

// times is how often a work on arrays of a size is done in a turn.
func (b *bench) times(size int) int {
	if b.quick {
		return 2
	}
	return max(1, min(1000, (64<<20)/size))
}

// work is that of contestants, of which those are nil that are not installed.
func (b *bench) work(size, times int, all ...*contestant) work {
	w := work{size: size, times: times, quantity: wallTime}
	for _, c := range all {
		if c != nil {
			w.contestants = append(w.contestants, *c)
		}
	}
	return w
}

// left is a work that cannot be done here, and why.
func (b *bench) left(format string, args ...any) (work, error) {
	b.skipped = append(b.skipped, fmt.Sprintf(format, args...))
	return work{}, nil
}

// vector returns an array of so many bytes. The peers in other languages make the same
// one. It is the same each time, so nobody may write to it.
func (b *bench) vector(size int) []float64 {
	if len(b.held) != size/8 {
		b.held = make([]float64, size/8)
		for i := range b.held {
			b.held[i] = float64(i*2654435761%1000003) / 1000003
		}
	}
	return b.held
}

// open returns an empty cache, which the end of the work closes.
func (b *bench) open(o memo.Options) (*memo.Cache, error) {
	dir, err := os.MkdirTemp(b.dir, "cache")
	if err != nil {
		return nil, err
	}
	c, err := memo.Open(dir, &o)
	if err == nil {
		b.closing = append(b.closing, c.Close)
	}
	return c, err
}

func (b *bench) close() error {
	var all []error
	for _, f := range b.closing {
		all = append(all, f())
	}
	b.closing = nil
	return errors.Join(all...)
}

// identity returns an empty cache, and a function with it that returns its argument.
func (b *bench) identity(o memo.Options) (*memo.Cache, *memo.Function[func([]float64) []float64], error) {
	c, err := b.open(o)
	if err != nil {
		return nil, nil, err
	}
	f, err := memo.Func(c, memo.Spec{Name: "identity"}, func(x []float64) []float64 { return x })
	return c, f, err
}

// entryFiles are the files of the calls and results of a cache.
func entryFiles(c *memo.Cache) (files []string, err error) {
	for _, folder := range []string{"calls", "objects"} {
		err := filepath.WalkDir(filepath.Join(c.Dir(), folder), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// sumOf is the answer that an array is, the same in every language.
func sumOf(xs []float64) string {
	return fmt.Sprint(crc32.ChecksumIEEE(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(xs))), 8*len(xs))))
}

// says is an answer that takes no more than a call.
func says(f func() string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return f(), nil }
}

// rounded is the answer that a number is that was summed up in another order.
func rounded(x float64) string { return fmt.Sprintf("%.6e", x) }

// onAllCores has each CPU do its even share of [0, n).
func onAllCores(n int, f func(lo, hi int)) {
	var wg sync.WaitGroup
	cpus := runtime.GOMAXPROCS(0)
	for w := range cpus {
		wg.Go(func() { f(w*n/cpus, (w+1)*n/cpus) })
	}
	wg.Wait()
}

// sink keeps the compiler from leaving out what has no other use.
var sink atomic.Uint64

// readWords does as little with each element as can be done.
func readWords(xs []float64) (sum uint64) {
	var a, b, c, d uint64
	for ; len(xs) >= 8; xs = xs[8:] {
		a ^= math.Float64bits(xs[0]) ^ math.Float64bits(xs[4])
		b ^= math.Float64bits(xs[1]) ^ math.Float64bits(xs[5])
		c ^= math.Float64bits(xs[2]) ^ math.Float64bits(xs[6])
		d ^= math.Float64bits(xs[3]) ^ math.Float64bits(xs[7])
	}
	return a ^ b ^ c ^ d
}
