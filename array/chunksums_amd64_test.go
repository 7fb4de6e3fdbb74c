//go:build !purego

package array

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/cpuid/v2"
	"github.com/zeebo/xxh3"
)

// Both ways of making both digests in one pass give what the two packages do, for all
// lengths of whole blocks and wherever in memory they begin.
func TestSumBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	memory := make([]byte, ChunkSize+64)
	for i := range memory {
		memory[i] = byte(r.Uint32())
	}
	for _, c := range []struct {
		name       string
		wide, able bool
	}{
		{"AVX2", false, sumsAVX2},
		{"AVX-512", true, cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512VL)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !c.able {
				t.Skip("this processor has no", c.name)
			}
			check := func(chunk []byte) {
				t.Helper()
				got64, got3 := sumBlocks(chunk, c.wide)
				if want64, want3 := xxhash.Sum64(chunk), xxh3.Hash(chunk); got64 != want64 || got3 != want3 {
					t.Fatalf("of %d bytes: XXH64 %016x, XXH3 %016x, not %016x and %016x", len(chunk), got64, got3, want64, want3)
				}
			}
			for blocks := 1; blocks <= ChunkSize/sumBlock; blocks++ {
				from := r.IntN(64)
				check(memory[from : from+blocks*sumBlock])
			}
			for _, fill := range []byte{0, 0x7f, 0x80, 0xff} { // carries of every kind
				chunk := make([]byte, 3*sumBlock)
				for i := range chunk {
					chunk[i] = fill
				}
				check(chunk)
			}
		})
	}
}

func BenchmarkSums(b *testing.B) {
	for _, size := range []int{sumBlock, ChunkSize} {
		chunk := make([]byte, size)
		for _, c := range []struct {
			name string
			sums func([]byte) (uint64, uint64)
		}{
			{"chosen", sums},
			{"AVX2", func(chunk []byte) (uint64, uint64) { return sumBlocks(chunk, false) }},
			{"apart", func(chunk []byte) (uint64, uint64) { return xxhash.Sum64(chunk), xxh3.Hash(chunk) }},
		} {
			b.Run(fmt.Sprintf("%dB/%s", size, c.name), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					c.sums(chunk)
				}
			})
		}
	}
}
