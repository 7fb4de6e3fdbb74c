package npy_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/npy"
)

// cents are float64s that deflate as measured data does.
func cents(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = math.Round(100*math.Sin(float64(i)*float64(i))) / 100
	}
	return x
}

func BenchmarkWriteArchive(b *testing.B) { benchmarkArchive(b, true) }
func BenchmarkReadArchive(b *testing.B)  { benchmarkArchive(b, false) }

func benchmarkArchive(b *testing.B, write bool) {
	for _, mb := range []int{8, 64} {
		for _, level := range []int{0, 1, 6} {
			b.Run(fmt.Sprintf("%dMB/level=%d", mb, level), func(b *testing.B) {
				arrays := map[string]any{"x": cents(mb << 17)}
				options := &npy.ArchiveOptions{Level: level}
				path := filepath.Join(b.TempDir(), "x.npz")
				if err := npy.WriteArchive(path, arrays, options); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(mb) << 20)
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if write {
						err = npy.WriteArchive(path, arrays, options)
					} else {
						_, err = npy.ReadArchive(path)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A thousand small members.
func BenchmarkDump(b *testing.B) {
	v := map[int][]float64{}
	for i := range 1000 {
		v[i] = make([]float64, 16)
	}
	path := filepath.Join(b.TempDir(), "x.npz")
	b.Run("1000 arrays", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := npy.Dump(path, v, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	v := map[int][]float64{}
	for i := range 1000 {
		v[i] = make([]float64, 16)
	}
	path := filepath.Join(b.TempDir(), "x.npz")
	if err := npy.Dump(path, v, nil); err != nil {
		b.Fatal(err)
	}
	b.Run("1000 arrays", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := npy.Load(path, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
