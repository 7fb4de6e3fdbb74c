package memo

import (
	"slices"
	"testing"

	"github.com/numcache/numcache/array"
)

// collide changes four words of data so that another array has the same digest, and
// returns that other one: the fast hashes of the chunks are no defence against who
// knows how they work.
//
// Both take words of 64 bits. XXH3 multiplies the halves of what a word and a word of
// its secret differ in: where the lower half is the secret's, the product is zero, and
// the word is but added to its neighbour's lane. XXH64 multiplies a word, adds it to
// its lane and rotates that by 31: a change that only sets bit 32 of the sum comes out
// as bit 63, where changing bit 63 of the lane's next word takes it back. The second
// pair does the same the other way round, so that for XXH3 the words sum up to what
// they were.
func collide(data []uint64) (twin []uint64) {
	const (
		prime1, prime2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F // of XXH64
		step           = 0x168D4BAF << 32                       // times prime2 is 1 << 32
		top            = 1 << 63
	)
	lane := uint64((prime1 + prime2) & (1<<64 - 1))
	sum := func(word uint64) uint64 { return lane + word*prime2 }
	take := func(word uint64) { lane = (sum(word)<<31 | sum(word)>>33) * prime1 }

	// The first lane of XXH64 takes every fourth word.
	data[0] = 0x396CFEB8
	for sum(data[0])>>32&1 != 0 {
		data[0] += 1 << 32
	}
	take(data[0])
	data[4] = 0x4EE679CB
	take(data[4])
	data[8] = 0x2C81017C
	for sum(data[8])>>32&1 != 1 {
		data[8] += 1 << 32
	}
	data[12] = 0x7DD05A82

	twin = slices.Clone(data)
	twin[0] += step
	twin[4] ^= top
	twin[8] -= step
	twin[12] ^= top
	return twin
}

// colliding returns two arrays of n numbers that have one digest.
func colliding(n int) (a, b []uint64) {
	a = make([]uint64, n)
	for i := range a {
		a[i] = uint64(i)
	}
	return a, collide(a)
}

// TestArraysOfOneDigest: what content digests are there for is no theory. XXH3 hashes
// up to 240 bytes and 1 KB in other ways than the rest.
func TestArraysOfOneDigest(t *testing.T) {
	for _, n := range []int{130, 1000, 1 << 15, 1<<15 + 1} {
		a, b := colliding(n)
		if slices.Equal(a, b) {
			t.Fatal("the arrays are equal")
		}
		var seen [2]hasher
		for i, data := range [][]uint64{a, b} {
			src, err := array.Of(data)
			if err == nil {
				seen[i], err = hashSource(t.Context(), src, true)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if x, y := seen[0].table.Digest(), seen[1].table.Digest(); x != y {
			t.Errorf("%d numbers: the digests differ, %v and %v", n, x, y)
		}
		if seen[0].content() == seen[1].content() {
			t.Errorf("%d numbers: the content digests do not differ", n)
		}
	}
}
