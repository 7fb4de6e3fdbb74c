package npy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

// The same 1000 rows of 1 KB take the same time whatever the size of the file.
func BenchmarkReadRows(b *testing.B) {
	for name, file := range map[string]struct {
		rows  int
		order string
	}{"8MB": {1 << 13, "False"}, "2GB": {1 << 21, "False"}, "8MB/fortran": {1 << 13, "True"}, "2GB/fortran": {1 << 21, "True"}} {
		f := open(b, sparse(b, file.rows, 128, file.order))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(1000 * 1024)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.ReadRows(5000, 6000); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBlocks(b *testing.B) {
	f := open(b, sparse(b, 1<<18, 128, "False"))
	b.Run("256MB", func(b *testing.B) {
		b.SetBytes(256 << 20)
		b.ReportAllocs()
		for b.Loop() {
			for _, err := range f.Blocks(b.Context(), 0) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, rows := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%dKB", rows), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x.npy")
			a, err := npy.Create(path, array.Float64, 128)
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			v, err := array.New[float64](rows, 128)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(rows) << 10)
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Append(v); err != nil {
					b.Fatal(err)
				}
				if a.Rows() > 1<<18 { // of 256 MB another file is made
					b.StopTimer()
					a.Close()
					os.Remove(path)
					if a, err = npy.Create(path, array.Float64, 128); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			}
		})
	}
}

func BenchmarkMap(b *testing.B) {
	path := sparse(b, 1<<18, 128, "False")
	b.Run("256MB", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m, err := npy.MapFile(path, npy.ReadOnly)
			if err != nil {
				b.Fatal(err)
			}
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("256MB/digest", func(b *testing.B) {
		b.SetBytes(256 << 20)
		b.ReportAllocs()
		for b.Loop() {
			m, err := npy.MapFile(path, npy.ReadOnly)
			if err != nil {
				b.Fatal(err)
			}
			m.Array().Digest()
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
