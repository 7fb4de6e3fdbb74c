//go:build purego || !amd64

package array

import (
	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"
)

// sums returns the XXH64 and the XXH3-64 of a chunk, both of seed 0.
func sums(chunk []byte) (xxh64, xxh3Sum uint64) { return xxhash.Sum64(chunk), xxh3.Hash(chunk) }
