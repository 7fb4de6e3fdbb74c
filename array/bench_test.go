package array_test

import (
	"context"
	"testing"

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

func BenchmarkHash(b *testing.B) {
	b.Run("1KB", func(b *testing.B) { benchmarkHash(b, fill(1<<10/8)) })
	b.Run("8MB", func(b *testing.B) { benchmarkHash(b, fill(8<<20/8)) })
	b.Run("256MB", func(b *testing.B) { benchmarkHash(b, fill(256<<20/8)) })
	b.Run("8MB/strided", func(b *testing.B) {
		benchmarkHash(b, mat.NewDense(1<<10, 1<<10+8, fill(1<<10*(1<<10+8))).Slice(0, 1<<10, 4, 1<<10+4))
	})
	b.Run("8MB/column", func(b *testing.B) { benchmarkHash(b, mat.NewDense(1<<20, 4, fill(1<<22)).ColView(1)) })
	b.Run("8MB/transposed", func(b *testing.B) { benchmarkHash(b, mat.NewDense(1<<10, 1<<10, fill(1<<20)).T()) })
	b.Run("8MB/symmetric", func(b *testing.B) { benchmarkHash(b, mat.NewSymDense(1<<10, fill(1<<20))) })
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
