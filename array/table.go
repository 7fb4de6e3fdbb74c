package array

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// Table gathers the chunk digests of one array and makes the array digest of
// them. It is how an array is hashed in pieces, while it is read or received, and
// [Diff] tells from two of them where arrays differ. [NewTable], [HashTable] and
// [TableOf] make one; the zero Table has no chunks and no use.
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

func digestOf(chunk []byte) (d chunkDigest) {
	xxh64, xxh3 := sums(chunk)
	be.PutUint64(d[:8], xxh64)
	be.PutUint64(d[8:], xxh3)
	return d
}

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
	return &Table{d, slices.Clone(shape), size, make([]chunkDigest, chunkCount(size))}, nil
}

// TableOf returns the table of an array of the given type and shape whose chunk
// digests are sums, as [Table.Array] returns them. It does not share sums' memory.
// An invalid type is [ErrDType]; an invalid shape, and sums that are not one row of
// two numbers for each chunk of it, are [ErrShape]; nil sums are [ErrNil].
func TableOf(d DType, shape []int, sums *Array[uint64]) (*Table, error) {
	if sums == nil {
		return nil, fmt.Errorf("%w chunk digests", ErrNil)
	}
	if !d.Valid() {
		return nil, fmt.Errorf("%w: %v", ErrDType, d)
	}
	n, err := Elements(shape, d.Size())
	if err != nil {
		return nil, err
	}
	// Before memory for the table is allocated: the shape is but a claim.
	if want := []int{chunkCount(n * d.Size()), 2}; !slices.Equal(sums.Shape(), want) {
		return nil, fmt.Errorf("%w: chunk digests of shape %s, not %s, for %s of %s", ErrShape, FormatShape(sums.Shape()), FormatShape(want), FormatShape(shape), d)
	}
	t, err := NewTable(d, shape...)
	if err != nil {
		return nil, err
	}
	for i := range t.sums {
		be.PutUint64(t.sums[i][:8], sums.data[2*i])
		be.PutUint64(t.sums[i][8:], sums.data[2*i+1])
	}
	return t, nil
}

// chunkCount returns the number of chunks of an array of size bytes.
func chunkCount(size int) int { return (size + ChunkSize - 1) / ChunkSize }

// Array returns the chunk digests as an array of shape (Len(), 2), for keeping: the
// XXH64 of each chunk, and its XXH3-64. It does not share t's memory.
func (t *Table) Array() *Array[uint64] {
	data := make([]uint64, 0, 2*len(t.sums))
	for i := range t.sums {
		data = append(data, be.Uint64(t.sums[i][:8]), be.Uint64(t.sums[i][8:]))
	}
	return &Array[uint64]{data: data, shape: []int{len(t.sums), 2}}
}

// DType returns the element type of the array.
func (t *Table) DType() DType { return t.dtype }

// Shape returns a copy of the array's extents.
func (t *Table) Shape() []int { return slices.Clone(t.shape) }

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
	t.sums[i] = digestOf(chunk)
	return nil
}

// Matches reports whether chunk, little-endian bytes, has the digest of chunk i.
func (t *Table) Matches(i int, chunk []byte) bool {
	if i < 0 || i >= len(t.sums) {
		return false
	}
	if _, length := t.Chunk(i); length != len(chunk) {
		return false
	}
	return t.sums[i] == digestOf(chunk)
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
