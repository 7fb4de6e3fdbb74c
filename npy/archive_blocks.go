package npy

import (
	"context"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/parallel"
)

// A deflated member of several blocks lists their sizes in an extra field of the
// directory, so that as many cores can inflate it as have deflated it. Other
// readers pass over the field, and this one does where it is wrong: the member is
// then one stream, as it is to them.

// blocksField is the extra field: the size of a block, uint32, and the deflated
// sizes of all blocks, uint32 each.
const blocksField = 0x636e // "nc"

// appendBlocks appends the field, if there is use and room for it.
func appendBlocks(extra []byte, sizes []uint32) []byte {
	length := 4 + 4*len(sizes)
	if len(sizes) < 2 || len(extra)+4+length > 1<<16-1 {
		return extra
	}
	extra = le.AppendUint16(extra, blocksField)
	extra = le.AppendUint16(extra, uint16(length))
	extra = le.AppendUint32(extra, deflateBlock)
	for _, n := range sizes {
		extra = le.AppendUint32(extra, n)
	}
	return extra
}

// parseBlocks returns the sizes in a member's extra fields, nil where they are not
// those of all its blocks.
func (m *member) parseBlocks(extra []byte) []uint32 {
	for len(extra) >= 4 {
		id, length := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if length > len(extra) {
			return nil
		}
		field := extra[:length]
		extra = extra[length:]
		if id != blocksField {
			continue
		}
		n := (m.size + deflateBlock - 1) / deflateBlock
		if int64(length) != 4+4*n || le.Uint32(field) != deflateBlock {
			return nil
		}
		sizes := make([]uint32, n)
		sum := int64(0)
		for i := range sizes {
			sizes[i] = le.Uint32(field[4+4*i:])
			sum += int64(sizes[i])
		}
		if sum != m.packed {
			return nil
		}
		return sizes
	}
	return nil
}

// readBlocks reads an array from a member of blocks, behind a .npy header of the
// given size. It reports false where that cannot be done, or does not give what
// the checksum is of.
func (a *Archive) readBlocks(m *member, h Header, size int64) (array.Any, bool) {
	data, err := h.DataSize()
	if err != nil || len(m.blocks) < 2 || !asInFile(h) || m.held(size) == unknown || size > deflateBlock || size+data != m.size {
		return nil, false
	}
	x, err := array.Uninitialized(h.DType, h.Shape...)
	if err != nil {
		return nil, false
	}
	elements, ok := x.Bytes()
	if !ok {
		return nil, false
	}
	offsets := make([]int64, len(m.blocks))
	at := m.offset
	for i, packed := range m.blocks {
		offsets[i] = at
		at += int64(packed)
	}
	header := make([]byte, size)
	err = parallel.ForRange(context.Background(), nil, len(m.blocks), func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			packed := io.NewSectionReader(a.r, offsets[i], int64(m.blocks[i]))
			begin := int64(i)*deflateBlock - size // among the elements
			end := min(begin+deflateBlock, data)
			parts := [][]byte{elements[max(begin, 0):end]}
			if begin < 0 {
				parts = [][]byte{header, parts[0]}
			}
			if err := inflateInto(parts, packed); err != nil {
				return err
			}
		}
		return nil
	})
	crc := crc32.Update(crc32.ChecksumIEEE(header), crc32.IEEETable, elements)
	return x, err == nil && crc == m.crc
}

// inflateInto fills the parts, one after the other.
func inflateInto(parts [][]byte, packed io.Reader) error {
	inflow := inflaters.Get().(*inflater)
	defer inflaters.Put(inflow)
	inflow.buffer.Reset(packed)
	defer inflow.buffer.Reset(nil)
	if err := inflow.flate.(flate.Resetter).Reset(inflow.buffer, nil); err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := io.ReadFull(inflow.flate, part); err != nil {
			return err
		}
	}
	return nil
}
