package npy_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

func BenchmarkWrite(b *testing.B) {
	m := mat.NewDense(1<<10, 1<<10, nil)
	for name, v := range map[string]mat.Matrix{"8MB": m, "8MB/transposed": m.T()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(8 << 20)
			b.ReportAllocs()
			var file bytes.Buffer
			file.Grow(9 << 20)
			for b.Loop() {
				file.Reset()
				if err := npy.Write(&file, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWriteFile(b *testing.B) {
	v := make([]float64, 1<<20)
	path := filepath.Join(b.TempDir(), "x.npy")
	b.Run("8MB", func(b *testing.B) {
		b.SetBytes(8 << 20)
		b.ReportAllocs()
		for b.Loop() {
			if err := npy.WriteFile(path, v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReadFile(b *testing.B) {
	for name, text := range map[string]string{
		"8MB":         "{'descr': '<f8', 'fortran_order': False, 'shape': (1024, 1024), }",
		"8MB/big":     "{'descr': '>f8', 'fortran_order': False, 'shape': (1024, 1024), }",
		"8MB/fortran": "{'descr': '<f8', 'fortran_order': True, 'shape': (1024, 1024), }",
	} {
		path := filepath.Join(b.TempDir(), "x.npy")
		if err := os.WriteFile(path, append(headerOf(text, 1), make([]byte, 8<<20)...), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(8 << 20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := npy.ReadFile(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("1KB", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "x.npy")
		if err := npy.WriteFile(path, make([]float64, 128)); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(1 << 10)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := npy.ReadFile(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	b.Run("8MB/stream", func(b *testing.B) {
		header := npy.AppendHeader(nil, array.Float64, []int{1 << 20})
		b.SetBytes(8 << 20)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := npy.Read(io.MultiReader(bytes.NewReader(header), zeros{})); err != nil {
				b.Fatal(err)
			}
		}
	})
}
