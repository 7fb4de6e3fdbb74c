//go:build !purego

package array

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/cpuid/v2"
	"github.com/zeebo/xxh3"
)

// XXH64 is bound by multiplications of 64 bits, of which a core does one a cycle; XXH3 by
// vector instructions, which are idle meanwhile. So both are made in one pass over the
// chunk, in the time of the slower one. AMD's processors with AVX-512 multiply four lanes
// at once in three cycles, and then even XXH64 keeps up with memory; Intel's take fifteen
// for it, and are faster lane by lane.
var (
	sumsAVX2   = cpuid.CPU.Supports(cpuid.AVX2)
	sumsAVX512 = cpuid.CPU.IsVendor(cpuid.AMD) && cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512VL)
)

// sumBlock is how many bytes XXH3 takes between two scramblings.
const sumBlock = 1024

// Primes of XXH64 and XXH3, and the part of XXH3's default secret that its end is mixed
// with: github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
const (
	prime32x1 = 0x9e3779b1
	prime32x2 = 0x85ebca77
	prime32x3 = 0xc2b2ae3d
	prime64x1 = 0x9e3779b185ebca87
	prime64x2 = 0xc2b2ae3d27d4eb4f
	prime64x3 = 0x165667b19e3779f9
	prime64x4 = 0x85ebca77c2b2ae63
	prime64x5 = 0x27d4eb2f165667c5
)

var mergeSecret = [8]uint64{
	0x6dd4de1cad21f72c, 0xa44072db979083e9, 0xe679cb1f67b3b7a4, 0xd05a8278e5c0cc4e,
	0x4608b82172ffcc7d, 0x9035e08e2443f774, 0x52283c4c263a81e6, 0x65d088cb00c391bb,
}

// sums returns the XXH64 and the XXH3-64 of a chunk, both of seed 0.
func sums(chunk []byte) (xxh64, xxh3Sum uint64) {
	if sumsAVX2 && len(chunk) > 0 && len(chunk)%sumBlock == 0 {
		return sumBlocks(chunk, sumsAVX512)
	}
	return xxhash.Sum64(chunk), xxh3.Hash(chunk)
}

// sumBlocks is sums for a chunk of whole blocks, by the wider vectors or the narrower ones.
func sumBlocks(chunk []byte, wide bool) (xxh64, xxh3Sum uint64) {
	one := uint64(prime64x1)
	lanes := [4]uint64{one + prime64x2, prime64x2, 0, -one}
	stripes := [8]uint64{prime32x3, prime64x1, prime64x2, prime64x3, prime64x4, prime32x2, prime64x5, prime32x1}
	if wide {
		sumAVX512(&chunk[0], len(chunk)/sumBlock, &lanes, &stripes)
	} else {
		sumAVX2(&chunk[0], len(chunk)/sumBlock, &lanes, &stripes)
	}
	return mergeLanes(&lanes, len(chunk)), mergeStripes(&stripes, len(chunk))
}

// mergeLanes ends the XXH64 of length bytes, a multiple of 32.
func mergeLanes(lanes *[4]uint64, length int) uint64 {
	h := bits.RotateLeft64(lanes[0], 1) + bits.RotateLeft64(lanes[1], 7) + bits.RotateLeft64(lanes[2], 12) + bits.RotateLeft64(lanes[3], 18)
	for _, lane := range lanes {
		h ^= bits.RotateLeft64(lane*prime64x2, 31) * prime64x1
		h = h*prime64x1 + prime64x4
	}
	h += uint64(length)
	h = (h ^ h>>33) * prime64x2
	h = (h ^ h>>29) * prime64x3
	return h ^ h>>32
}

// mergeStripes ends the XXH3 of length bytes.
func mergeStripes(stripes *[8]uint64, length int) uint64 {
	h := uint64(length) * prime64x1
	for i := 0; i < len(stripes); i += 2 {
		hi, lo := bits.Mul64(stripes[i]^mergeSecret[i], stripes[i+1]^mergeSecret[i+1])
		h += hi ^ lo
	}
	h = (h ^ h>>37) * 0x165667919e3779f9
	return h ^ h>>32
}

// sumAVX2 adds n blocks to the four lanes of XXH64 and the eight of XXH3. They are the
// last ones: nothing is scrambled after them.
//
//go:noescape
func sumAVX2(block *byte, n int, lanes *[4]uint64, stripes *[8]uint64)

// sumAVX512 is sumAVX2 for processors with AVX-512 F, DQ and VL.
//
//go:noescape
func sumAVX512(block *byte, n int, lanes *[4]uint64, stripes *[8]uint64)
