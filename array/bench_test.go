package array_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

func benchmarkHash(b *testing.B, v any) {
	src, err := array.Of(v)
	if err != nil {
		b.Fatal(err)
	}
	n, err := array.Elements(src.Shape(), src.DType().Size())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(n * src.DType().Size()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := array.Hash(context.Background(), src); err != nil {
			b.Fatal(err)
		}
	}
}

// The bytes of a banded or triangular matrix are those of all its elements, zeros
// too.
func BenchmarkHash(b *testing.B) {
	const n = 1 << 10
	wide := mat.NewDense(n, n+8, fill(n*(n+8)))
	for _, bm := range []struct {
		name string
		v    any
	}{
		{"1KB", fill(1 << 10 / 8)},
		{"8MB", fill(8 << 20 / 8)},
		{"8MB/strided", wide.Slice(0, n, 4, n+4)},
		{"8MB/column", mat.NewDense(n*n, 4, fill(4*n*n)).ColView(1)},
		{"8MB/transposed", mat.NewDense(n, n, fill(n*n)).T()},
		{"8MB/symmetric", mat.NewSymDense(n, fill(n*n))},
		{"8MB/upper", mat.NewTriDense(n, mat.Upper, fill(n*n))},
		{"8MB/upper transposed", mat.NewTriDense(n, mat.Upper, fill(n*n)).T()},
		{"8MB/band", mat.NewBandDense(n, n, 20, 20, fill(n*41))},
		{"8MB/symmetric band", mat.NewSymBandDense(n, 20, fill(n*21))},
		{"8MB/tridiagonal", mat.NewTridiag(n, fill(n-1), fill(n), fill(n-1))},
		{"8MB/complex", mat.NewCDense(n, n/2, fillComplex(n*n/2))},
		{"8MB/complex strided", mat.NewCDense(n, n/2+4, fillComplex(n*(n/2+4))).Slice(0, n, 2, n/2+2)},
		{"8MB/complex conjugate", mat.NewCDense(n, n/2, fillComplex(n*n/2)).H()},
		{"8MB/foreign", foreign{mat.NewDense(n, n, fill(n*n))}},
	} {
		b.Run(bm.name, func(b *testing.B) { benchmarkHash(b, bm.v) })
	}
	b.Run("256MB", func(b *testing.B) { benchmarkHash(b, fill(256<<20/8)) })
}

// BenchmarkHashFraction compares the digest with the machine's limit, turn by turn:
// as many goroutines as there are cores add up the same memory. It reports the
// medians in GB/s, and the digest's fraction of the limit.
func BenchmarkHashFraction(b *testing.B) {
	b.Run("256MB", func(b *testing.B) {
		data := make([]uint64, 256<<20/8)
		for i := range data {
			data[i] = uint64(i)
		}
		src, err := array.Of(data)
		if err != nil {
			b.Fatal(err)
		}
		var hash, read []float64
		for b.Loop() {
			start := time.Now()
			if _, err := array.Hash(context.Background(), src); err != nil {
				b.Fatal(err)
			}
			hash = append(hash, time.Since(start).Seconds())
			start = time.Now()
			readAll(data)
			read = append(read, time.Since(start).Seconds())
		}
		slices.Sort(hash)
		slices.Sort(read)
		h, r := hash[len(hash)/2], read[len(read)/2]
		gb := float64(8*len(data)) / 1e9
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(gb/h, "GB/s")
		b.ReportMetric(gb/r, "memory-GB/s")
		b.ReportMetric(r/h, "of-memory")
	})
}

// readAll reads data on all cores.
func readAll(data []uint64) uint64 {
	workers := runtime.GOMAXPROCS(0)
	sums := make([]uint64, workers)
	var wait sync.WaitGroup
	for w := range workers {
		part := data[w*len(data)/workers : (w+1)*len(data)/workers]
		wait.Go(func() { sums[w] = sum(part) })
	}
	wait.Wait()
	return sum(sums)
}

// sum adds in four chains, so that memory and not the addition sets the pace.
func sum(data []uint64) uint64 {
	var a, b, c, d uint64
	for ; len(data) >= 8; data = data[8:] {
		a += data[0] + data[4]
		b += data[1] + data[5]
		c += data[2] + data[6]
		d += data[3] + data[7]
	}
	for _, v := range data {
		a += v
	}
	return a + b + c + d
}

func BenchmarkFormat(b *testing.B) {
	for _, bm := range []struct {
		name string
		v    any
	}{
		{"1000 elements", fill(1000)},
		{"256MB", make([]float64, 256<<20/8)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			src, err := array.Of(bm.v)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := array.Format(src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSwapBytes(b *testing.B) {
	data := make([]byte, 1<<20)
	for _, d := range []array.DType{array.Uint16, array.Float32, array.Float64} {
		b.Run(d.String()+"/1MB", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				array.SwapBytes(data, d)
			}
		})
	}
}
