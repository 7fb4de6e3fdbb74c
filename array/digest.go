package array

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"

	"github.com/numcache/numcache/parallel"
)

// Digest identifies the type, shape and elements of an array, 128 bits of it.
// Two arrays with equal digests are equal for every practical purpose, whatever
// their layout in memory. Bits count: −0.0 differs from 0.0, and one NaN from
// another. A Digest is no defence against someone who builds collisions on
// purpose: the chunk hashes are fast, not cryptographic.
type Digest [16]byte

// String returns the digest as 32 lower-case hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what [Digest.String] writes; anything else is [ErrDigest].
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != 2*len(d) {
		return d, fmt.Errorf("%w: %q is not 32 hex digits", ErrDigest, s)
	}
	for i := range s {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return d, fmt.Errorf("%w: %q is not 32 lower-case hex digits", ErrDigest, s)
		}
	}
	_, err := hex.Decode(d[:], []byte(s))
	return d, err
}

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDigest(string(text))
	return err
}

// Table gathers the chunk digests of one array and makes the array digest of
// them. It is how an array is hashed in pieces, while it is read or received.
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
// invalid type is [ErrDType], an invalid shape [ErrShape].
func NewTable(d DType, shape ...int) (*Table, error) {
	if !d.Valid() {
		return nil, fmt.Errorf("%w: %v", ErrDType, d)
	}
	n, err := Elements(shape, d.Size())
	if err != nil {
		return nil, err
	}
	size := n * d.Size()
	return &Table{d, shape, size, make([]chunkDigest, (size+ChunkSize-1)/ChunkSize)}, nil
}

// Len returns the number of chunks.
func (t *Table) Len() int { return len(t.sums) }

// Chunk returns the offset and length in bytes of chunk i among the array's
// elements.
func (t *Table) Chunk(i int) (offset, length int) {
	offset = i * ChunkSize
	return offset, min(ChunkSize, t.size-offset)
}

// Set hashes chunk, the little-endian bytes of chunk i. Several goroutines may
// set different chunks. A chunk of the wrong length is [ErrShape].
func (t *Table) Set(i int, chunk []byte) error {
	if i < 0 || i >= len(t.sums) {
		return fmt.Errorf("%w: chunk %d of %d", ErrShape, i, len(t.sums))
	}
	if _, length := t.Chunk(i); length != len(chunk) {
		return fmt.Errorf("%w: chunk %d has %d bytes, not %d", ErrShape, i, len(chunk), length)
	}
	high, low := xxhash.Sum64(chunk), xxh3.Hash(chunk)
	sum := &t.sums[i]
	for k := range 8 {
		sum[k] = byte(high >> (56 - 8*k))
		sum[8+k] = byte(low >> (56 - 8*k))
	}
	return nil
}

// Digest returns the digest of the array all of whose chunks were set: the first
// 16 bytes of the SHA-256 of
//
//	numcache/array/1\n ‖ descr ‖ \n ‖ shape ‖ \n ‖ the chunk digests
//
// with the shape as Python prints it.
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

// parallelChunks is the number of chunks from which on more than one goroutine
// hashes: below, starting one costs more than it saves.
const parallelChunks = 4

// Hash returns the digest of src: chunk by chunk, on all cores where src has
// 1 MiB or more. It allocates nothing per chunk. It fails where ctx ends, or
// where src's Encode fails.
func Hash(ctx context.Context, src Source) (Digest, error) {
	if src == nil {
		return Digest{}, fmt.Errorf("%w Source", ErrNil)
	}
	t, err := NewTable(src.DType(), src.Shape()...)
	if err != nil {
		return Digest{}, err
	}
	hash := func(ctx context.Context, lo, hi int) error {
		read, done := chunkReader(src)
		defer done()
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			offset, length := t.Chunk(i)
			chunk, err := read(offset, offset+length)
			if err == nil {
				err = t.Set(i, chunk)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if s, ok := src.(interface{ serial() bool }); t.Len() < parallelChunks || ok && s.serial() {
		err = hash(ctx, 0, t.Len())
	} else {
		err = parallel.ForRange(ctx, nil, t.Len(), hash)
	}
	if err != nil {
		return Digest{}, err
	}
	return t.Digest(), nil
}

// Digest returns the digest of the elements, as [Hash] does.
func (a *Array[T]) Digest() Digest {
	d, err := Hash(context.Background(), a)
	if err != nil { // an Array's own memory can always be encoded
		panic(errors.Join(errors.New("array: digest of an Array failed"), err))
	}
	return d
}
