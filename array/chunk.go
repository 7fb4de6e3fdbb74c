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
// valid until the next step. An error comes with a nil chunk, and ends the
// sequence: what src's Encode returned, or [ErrNil], [ErrDType] or [ErrShape] for
// a src that cannot be read.
func Chunks(src Source) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		size, err := sourceSize(src)
		if err != nil {
			yield(nil, err)
			return
		}
		r := newChunkReader(src, size)
		defer r.close()
		for offset := 0; offset < size; offset += ChunkSize {
			chunk, err := r.read(offset, min(ChunkSize, size-offset))
			if !yield(chunk, err) || err != nil {
				return
			}
		}
	}
}

// sourceSize returns the bytes of src's elements.
func sourceSize(src Source) (int, error) {
	if err := checkSource(src); err != nil {
		return 0, err
	}
	n, err := Elements(src.Shape(), src.DType().Size())
	return n * src.DType().Size(), err
}

// chunkReader reads the chunks of one Source, for one goroutine. It is a value,
// so that a range of chunks costs no allocation.
type chunkReader struct {
	src    Source
	direct []byte           // src's own memory, or
	buffer *[ChunkSize]byte // where chunks are gathered
}

// newChunkReader returns a reader of src, which has size bytes of elements. Its
// close must be called.
func newChunkReader(src Source, size int) chunkReader {
	if a, ok := src.(Any); ok {
		// The length can differ where a foreign type embeds an Any and
		// overrides its shape.
		if b, ok := a.Bytes(); ok && len(b) == size {
			return chunkReader{src: src, direct: b}
		}
	}
	return chunkReader{src: src, buffer: chunkBuffers.Get().(*[ChunkSize]byte)}
}

// read returns length bytes from offset on, at most a chunk. They are valid until
// the next read.
func (r *chunkReader) read(offset, length int) ([]byte, error) {
	if r.buffer == nil {
		return r.direct[offset : offset+length], nil
	}
	chunk := r.buffer[:length]
	if err := r.src.Encode(chunk, offset/r.src.DType().Size()); err != nil {
		return nil, err
	}
	return chunk, nil
}

func (r *chunkReader) close() {
	if r.buffer != nil {
		chunkBuffers.Put(r.buffer)
	}
}
