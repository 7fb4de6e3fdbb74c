package joblib

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

const xzMagic = "\xfd7zXZ\x00"

// xzReader reads the .xz container around LZMA2 data, of which package lzma reads the
// streams. Package xz would read it whole, but takes the size of each block's
// dictionary, up to 4 GB, for what the file says. The index at the end, which repeats
// the lengths, is not read: each block has a check of its own.
type xzReader struct {
	in    *bufio.Reader
	sum   func() hash.Hash // of the stream's check
	size  int              // of the check
	block io.Reader        // nil between blocks
	read  int64            // of the block, its header and data as they are in the file
	check hash.Hash
	err   error
}

func (x *xzReader) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.block == nil {
			x.err = x.next()
			continue
		}
		n, err := x.block.Read(p)
		x.check.Write(p[:n])
		if err == io.EOF {
			err = x.endBlock()
		}
		x.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// countingReader counts what a block takes, which its padding depends on.
type countingReader struct {
	in   *bufio.Reader
	read *int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	*c.read += int64(n)
	return n, err
}

func (c countingReader) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err == nil {
		*c.read++
	}
	return b, err
}

// next begins the next block; io.EOF where there is none.
func (x *xzReader) next() error {
	if x.sum == nil {
		if err := x.streamHeader(); err != nil {
			return err
		}
	}
	size, err := x.in.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if size == 0 { // the index
		return io.EOF
	}
	header := make([]byte, 4*(int(size)+1))
	header[0] = size
	if _, err := io.ReadFull(x.in, header[1:]); err != nil {
		return unexpected(err)
	}
	body, sum := header[:len(header)-4], binary.LittleEndian.Uint32(header[len(header)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return errors.New("the header of an xz block is damaged")
	}
	dictionary, err := xzDictionary(body)
	if err != nil {
		return err
	}
	x.read = 0
	x.block, err = lzma.Reader2Config{DictCap: dictionary}.NewReader2(countingReader{x.in, &x.read})
	x.check = x.sum()
	return err
}

func (x *xzReader) streamHeader() error {
	var h [12]byte
	if _, err := io.ReadFull(x.in, h[:]); err != nil {
		return unexpected(err)
	}
	if string(h[:6]) != xzMagic || crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) || h[6] != 0 {
		return errors.New("the xz header is damaged")
	}
	switch h[7] {
	case 0:
		x.sum = func() hash.Hash { return crc32.NewIEEE() }
	case 1:
		x.sum, x.size = func() hash.Hash { return crc32.NewIEEE() }, 4
	case 4:
		x.sum, x.size = func() hash.Hash { return crc64.New(crc64.MakeTable(crc64.ECMA)) }, 8
	case 10:
		x.sum, x.size = sha256.New, 32
	default:
		return errors.New("an xz check of unknown kind")
	}
	return nil
}

// xzDictionary reads the size of the dictionary from a block's header, which must name
// LZMA2 alone.
func xzDictionary(header []byte) (int, error) {
	flags, rest := header[1], header[2:]
	if flags&0x3f != 0 {
		return 0, errors.New("an xz block with other filters than LZMA2")
	}
	for _, flag := range []byte{0x40, 0x80} { // lengths, which the data tells too
		if flags&flag == 0 {
			continue
		}
		_, n := binary.Uvarint(rest)
		if n <= 0 {
			return 0, errors.New("the header of an xz block is damaged")
		}
		rest = rest[n:]
	}
	if len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 || rest[2] > 40 {
		return 0, errors.New("an xz block with other filters than LZMA2")
	}
	size, err := lzma.DecodeDictCap(rest[2])
	if err != nil {
		return 0, err
	}
	if size > maxDictionary {
		return 0, ErrTooLarge
	}
	return int(max(size, lzma.MinDictCap)), nil
}

// endBlock reads what follows a block's data: zeros up to four bytes, and its check.
func (x *xzReader) endBlock() error {
	tail := make([]byte, -x.read&3+int64(x.size))
	if _, err := io.ReadFull(x.in, tail); err != nil {
		return unexpected(err)
	}
	found := x.check.Sum(nil)
	if x.size == 4 || x.size == 8 { // little-endian, unlike Go's
		for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
			found[i], found[j] = found[j], found[i]
		}
	}
	if x.size > 0 && string(found) != string(tail[len(tail)-x.size:]) {
		return errors.New("the check of an xz block does not match")
	}
	x.block = nil
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
