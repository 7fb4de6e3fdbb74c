package array

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"
)

// Table gathers the chunk digests of one array and makes the array digest of
// them. It is how an array is hashed in pieces, while it is read or received.
// [NewTable] makes one; the zero Table has no chunks and no use.
type Table struct {
	dtype DType
	shape []int
	size  int
	sums  []chunkDigest
}

// chunkDigest is XXH64 ‖ XXH3-64, both of seed 0 and big-endian: two functions,
// because 64 bits are too few for a permanent store and two seeds of XXH64 are
// not independent.
type chunkDigest [16]byte

// NewTable returns the empty table of an array of the given type and shape. An
// invalid type is [ErrDType], an invalid shape [ErrShape]. It takes 16 bytes of
// memory for each chunk of the array.
func NewTable(d DType, shape ...int) (*Table, error) {
	if !d.Valid() {
		return nil, fmt.Errorf("%w: %v", ErrDType, d)
	}
	n, err := Elements(shape, d.Size())
	if err != nil {
		return nil, err
	}
	size := n * d.Size()
	return &Table{d, slices.Clone(shape), size, make([]chunkDigest, (size+ChunkSize-1)/ChunkSize)}, nil
}

// Len returns the number of chunks.
func (t *Table) Len() int { return len(t.sums) }

// Chunk returns the offset and length in bytes of chunk i among the array's
// elements; both are 0 where i is not in [0, Len()).
func (t *Table) Chunk(i int) (offset, length int) {
	if i < 0 || i >= len(t.sums) {
		return 0, 0
	}
	offset = i * ChunkSize
	return offset, min(ChunkSize, t.size-offset)
}

// Set hashes chunk, the little-endian bytes of chunk i. Several goroutines may
// set different chunks at once. An i out of range, or a chunk of the wrong length,
// is [ErrShape].
func (t *Table) Set(i int, chunk []byte) error {
	if i < 0 || i >= len(t.sums) {
		return fmt.Errorf("%w: chunk %d of %d", ErrShape, i, len(t.sums))
	}
	if _, length := t.Chunk(i); length != len(chunk) {
		return fmt.Errorf("%w: chunk %d has %d bytes, not %d", ErrShape, i, len(chunk), length)
	}
	be.PutUint64(t.sums[i][:8], xxhash.Sum64(chunk))
	be.PutUint64(t.sums[i][8:], xxh3.Hash(chunk))
	return nil
}

// Digest returns the digest of the array, as the package comment defines it.
// Every chunk must have been set: one that was not counts as 16 zero bytes, and
// the digest is that of no array.
func (t *Table) Digest() Digest {
	var stack [512]byte // arrays up to some 7 MB need no more
	head := append(stack[:0], "numcache/array/1\n"...)
	head = append(head, t.dtype.Descr()...)
	head = append(head, '\n')
	head = appendShape(head, t.shape)
	head = append(head, '\n')
	if len(head)+16*len(t.sums) <= len(stack) {
		for i := range t.sums {
			head = append(head, t.sums[i][:]...)
		}
		sum := sha256.Sum256(head)
		return Digest(sum[:16])
	}
	h := sha256.New()
	h.Write(head)
	for i := range t.sums {
		h.Write(t.sums[i][:])
	}
	return Digest(h.Sum(nil)[:16])
}
