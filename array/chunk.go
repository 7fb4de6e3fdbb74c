package array

import (
	"iter"
	"sync"
)

// ChunkSize is the bytes of one chunk of format 1; the last chunk of an array
// may be shorter. It fits the second-level cache of current processors, and is
// a multiple of every element's size.
const ChunkSize = 1 << 18

// chunkBuffers holds the buffers that gather chunks of arrays without a byte
// view.
var chunkBuffers = sync.Pool{New: func() any { return new([ChunkSize]byte) }}

// Chunks yields the elements of src in C order, little-endian, as the chunks
// that are hashed: [ChunkSize] bytes each, the last one shorter, none for an
// empty array. A chunk may be src's own memory: it must not be written to and is
// valid until the next step. After an error there are no more chunks.
func Chunks(src Source) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		size, err := sourceSize(src)
		if err != nil {
			yield(nil, err)
			return
		}
		read, done := chunkReader(src)
		defer done()
		for offset := 0; offset < size; offset += ChunkSize {
			chunk, err := read(offset, min(size, offset+ChunkSize))
			if !yield(chunk, err) || err != nil {
				return
			}
		}
	}
}

// sourceSize returns the bytes of src's elements.
func sourceSize(src Source) (int, error) {
	n, err := Elements(src.Shape(), src.DType().Size())
	return n * src.DType().Size(), err
}

// chunkReader returns a function that reads the bytes [from, to) of src, at
// most a chunk, and one that gives its buffer back. It serves one goroutine.
func chunkReader(src Source) (read func(from, to int) ([]byte, error), done func()) {
	if a, ok := src.(Any); ok {
		if b, ok := a.Bytes(); ok {
			return func(from, to int) ([]byte, error) { return b[from:to], nil }, func() {}
		}
	}
	buffer, itemsize := chunkBuffers.Get().(*[ChunkSize]byte), src.DType().Size()
	read = func(from, to int) ([]byte, error) {
		chunk := buffer[:to-from]
		return chunk, src.Encode(chunk, from/itemsize)
	}
	return read, func() { chunkBuffers.Put(buffer) }
}
