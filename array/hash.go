package array

import (
	"context"
	"errors"
	"fmt"

	"github.com/numcache/numcache/parallel"
)

// parallelChunks is the number of chunks from which on more than one goroutine
// hashes or copies: below, starting one costs more than it saves.
const parallelChunks = 4

// Hash returns the digest of src: chunk by chunk, on all cores where src has
// more than three chunks, with the same result on any number of them. It allocates
// nothing per chunk but 16 bytes of its table, and no table for one chunk.
//
// A ctx that ends before the last chunk is hashed is its error; no goroutine
// outlives the call. Other errors are what src's Encode returned, and [ErrNil],
// [ErrDType] or [ErrShape] for a src that cannot be read or a nil ctx.
func Hash(ctx context.Context, src Source) (Digest, error) {
	if d, ok := hashChunk(ctx, src); ok {
		return d, nil
	}
	t, err := HashTable(ctx, src)
	if err != nil {
		return Digest{}, err
	}
	return t.Digest(), nil
}

// HashTable returns the chunk table of src, computed as [Hash] computes the digest
// and with the same errors.
func HashTable(ctx context.Context, src Source) (*Table, error) {
	if ctx == nil {
		return nil, fmt.Errorf("%w context", ErrNil)
	}
	if err := checkSource(src); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return hashTable(ctx, src)
}

// Digest returns the digest of the elements, as [Hash] does.
func (a *Array[T]) Digest() Digest {
	t, err := hashTable(context.Background(), a)
	if err != nil { // an Array's own memory can always be encoded
		panic(fmt.Errorf("array: digest of an Array failed: %w", err))
	}
	return t.Digest()
}

// hashChunk returns the digest of an Array that has its bytes at hand and one chunk of
// them at most, and false for all others and whatever is an error. The table is on the
// stack: making one in memory takes longer than hashing a kilobyte.
func hashChunk(ctx context.Context, src Source) (Digest, bool) {
	a, ok := src.(Any)
	if !ok || nilPointer(src) || ctx == nil || ctx.Err() != nil {
		return Digest{}, false
	}
	self, shape := a.array()
	if self != a {
		return Digest{}, false
	}
	chunk, ok := a.Bytes()
	if !ok || len(chunk) > ChunkSize {
		return Digest{}, false
	}
	var sums [1]chunkDigest
	t := Table{dtype: a.DType(), shape: shape, size: len(chunk), sums: sums[:chunkCount(len(chunk))]}
	if len(chunk) > 0 && t.Set(0, chunk) != nil {
		return Digest{}, false
	}
	return t.Digest(), true
}

func hashTable(ctx context.Context, src Source) (*Table, error) {
	t, err := NewTable(src.DType(), src.Shape()...)
	if err != nil {
		return nil, err
	}
	err = overChunks(ctx, src, t.Len(), func(ctx context.Context, lo, hi int) error { return eachChunk(ctx, src, t.size, lo, hi, t.Set) })
	if err != nil {
		return nil, err
	}
	return t, nil
}

// overChunks calls f on ranges that together cover the n chunks of src, on all cores
// where that is worth it and src may be read from several goroutines.
func overChunks(ctx context.Context, src Source, n int, f func(ctx context.Context, lo, hi int) error) error {
	if _, serial := src.(interface{ serial() }); n < parallelChunks || serial {
		return f(ctx, 0, n)
	}
	err := parallel.ForRange(ctx, nil, n, f)
	// The item that it names is a chunk, which says nothing to the caller.
	var of *parallel.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	return err
}

// ForChunks calls f with each chunk of src, as [Chunks] yields them, and its number,
// counted from 0: on all cores where src has more than three chunks, so that f must
// bear being called from several goroutines at once, and in any order. An error of f
// ends it and is returned; other errors are those of [Hash].
func ForChunks(ctx context.Context, src Source, f func(i int, chunk []byte) error) error {
	if ctx == nil {
		return fmt.Errorf("%w context", ErrNil)
	}
	size, err := sourceSize(src)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return overChunks(ctx, src, chunkCount(size), func(ctx context.Context, lo, hi int) error {
		return eachChunk(ctx, src, size, lo, hi, f)
	})
}

// eachChunk calls f with the chunks [lo, hi) of src, which has size bytes.
func eachChunk(ctx context.Context, src Source, size, lo, hi int, f func(i int, chunk []byte) error) error {
	r := newChunkReader(src, size)
	defer r.close()
	for i := lo; i < hi; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		offset := i * ChunkSize
		chunk, err := r.read(offset, min(ChunkSize, size-offset))
		if err == nil {
			err = f(i, chunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
