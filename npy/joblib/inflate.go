package joblib

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
)

// maxDictionary is the largest dictionary that xz and lzma may ask for: that of their
// highest level. It is memory that a short file could claim.
const maxDictionary = 64 << 20

// inflate returns what a file holds, by its first bytes, as joblib.load does.
func inflate(r *bufio.Reader, limit int64) (*bufio.Reader, error) {
	head, err := r.Peek(13)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var open func() (io.Reader, error)
	has := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch {
	case len(head) == 0:
		return nil, damaged("it is empty")
	case has("ZF"):
		return nil, refused("a ZF file, which joblib before 0.10 wrote; load it with joblib and dump it again")
	case has("x"):
		open = func() (io.Reader, error) { return zlib.NewReader(r) }
	case has("\x1f\x8b"):
		open = func() (io.Reader, error) { return gzip.NewReader(r) }
	case has("BZ"):
		open = func() (io.Reader, error) { return bzip2.NewReader(r), nil }
	case has(xzMagic):
		open = func() (io.Reader, error) { return &xzReader{in: r}, nil }
	case has("\x5d\x00"):
		if len(head) < 13 {
			return nil, damaged("it ends after %d bytes", len(head))
		}
		size := binary.LittleEndian.Uint32(head[1:])
		if size > maxDictionary {
			return nil, fmt.Errorf("%w: an lzma dictionary of %d bytes; %d are allowed", ErrTooLarge, size, maxDictionary)
		}
		open = func() (io.Reader, error) {
			return lzma.ReaderConfig{DictCap: int(max(size, lzma.MinDictCap))}.NewReader(r)
		}
	case has("\x04\x22\x4d\x18"):
		open = func() (io.Reader, error) { return lz4.NewReader(r), nil }
	default:
		return r, nil
	}
	inflated, err := open()
	if err != nil {
		return nil, notCompressed(err)
	}
	return bufio.NewReaderSize(&bounded{r: inflated, left: limit, limit: limit}, 1<<16), nil
}

// bounded ends a stream that inflates to more than limit bytes.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (n int, err error) {
	defer func() {
		// The decompressors have seen many a wrong file, but it is none of the
		// caller's business how well they took each.
		if v := recover(); v != nil {
			n, err = 0, damaged("it cannot be decompressed: %v", v)
		}
	}()
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: it inflates to more than %d bytes", ErrTooLarge, b.limit)
	}
	n, err = b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		err = notCompressed(err)
	}
	return n, err
}

func notCompressed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.ErrUnexpectedEOF
	}
	for _, known := range []error{ErrFormat, ErrRefused, ErrTooLarge} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: it cannot be decompressed: %w", ErrFormat, err)
}
