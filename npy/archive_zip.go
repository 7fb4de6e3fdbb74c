package npy

import (
	"archive/zip"
	"encoding/binary"
	"math"
)

// What a zip file has around its members; PKWARE's APPNOTE.TXT describes it.
// archive/zip could write it, but not leave room to align members, nor fill in
// what is known of a member only when it is written.

// entry is what the directory says of a member.
type entry struct {
	name         string
	deflated     bool
	crc          uint32
	size, packed int64
	offset       int64    // of the local header
	blocks       []uint32 // deflated sizes of its blocks
	sizesBehind  bool     // checksum and sizes stand in a descriptor behind the member
}

const (
	zipVersion = 45       // that a reader must know: zip64
	dosDate    = 1<<5 | 1 // 1980-01-01
	zip64Field = 1
	// alignField is the extra field that Android's zipalign pads with.
	alignField = 0xd935
	// ownerOnly are the permissions that unzip gives a file, as np.savez
	// has it; the writer is a unix.
	ownerOnly = 0o600 << 16
	unixHost  = 3 << 8
)

// limit32 is the first size that has no place in 32 bits; a test makes it small.
var limit32 int64 = math.MaxUint32

var le = binary.LittleEndian

func (e *entry) flags() (flags uint16) {
	if e.sizesBehind {
		flags |= 1 << 3
	}
	for i := range len(e.name) {
		if e.name[i] >= 0x80 {
			return flags | 1<<11 // the name is UTF-8
		}
	}
	return flags
}

func (e *entry) method() uint16 {
	if e.deflated {
		return zip.Deflate
	}
	return zip.Store
}

// local returns the local header. Its length depends on the name and the offset
// alone: sizes stand in a zip64 field, whether they need it or not, so that there
// is room for them before they are known. np.savez does the same.
func (e *entry) local() []byte {
	crc, size, packed := e.crc, e.size, e.packed
	if e.sizesBehind {
		crc, size, packed = 0, 0, 0
	}
	b := make([]byte, 0, 256)
	b = append(b, "PK\x03\x04"...)
	b = le.AppendUint16(b, zipVersion)
	b = le.AppendUint16(b, e.flags())
	b = le.AppendUint16(b, e.method())
	b = le.AppendUint16(b, 0) // time
	b = le.AppendUint16(b, dosDate)
	b = le.AppendUint32(b, crc)
	b = le.AppendUint32(b, math.MaxUint32)
	b = le.AppendUint32(b, math.MaxUint32)
	b = le.AppendUint16(b, uint16(len(e.name)))
	extra := len(b)
	b = le.AppendUint16(b, 0) // length of the extra fields, set below
	b = append(b, e.name...)
	fields := len(b)
	b = le.AppendUint16(b, zip64Field)
	b = le.AppendUint16(b, 16)
	b = le.AppendUint64(b, uint64(size))
	b = le.AppendUint64(b, uint64(packed))
	if !e.deflated {
		b = le.AppendUint16(b, alignField)
		end := e.offset + int64(len(b)) + 4 // without padding
		padding := -end & (alignment - 1)
		b = le.AppendUint16(b, uint16(2+padding))
		b = le.AppendUint16(b, alignment)
		b = append(b, make([]byte, padding)...)
	}
	le.PutUint16(b[extra:], uint16(len(b)-fields))
	return b
}

// descriptor returns what stands behind a member whose local header had no sizes.
// They have 64 bits, for that header has a zip64 field.
func (e *entry) descriptor() []byte {
	b := le.AppendUint32([]byte("PK\x07\x08"), e.crc)
	b = le.AppendUint64(b, uint64(e.packed))
	return le.AppendUint64(b, uint64(e.size))
}

// directory is the list of members that ends a zip file.
type directory struct {
	bytes []byte
	count int
}

// add lists a member.
func (d *directory) add(e *entry) {
	var large []byte // what does not fit 32 bits, and then all extra fields
	field := func(n int64) uint32 {
		if n >= limit32 {
			large = le.AppendUint64(large, uint64(n))
		}
		return short32(n)
	}
	size, packed, offset := field(e.size), field(e.packed), field(e.offset)
	if large != nil {
		head := le.AppendUint16(nil, zip64Field)
		head = le.AppendUint16(head, uint16(len(large)))
		large = append(head, large...)
	}
	large = appendBlocks(large, e.blocks)
	b := append(d.bytes, "PK\x01\x02"...)
	b = le.AppendUint16(b, unixHost|zipVersion)
	b = le.AppendUint16(b, zipVersion)
	b = le.AppendUint16(b, e.flags())
	b = le.AppendUint16(b, e.method())
	b = le.AppendUint16(b, 0) // time
	b = le.AppendUint16(b, dosDate)
	b = le.AppendUint32(b, e.crc)
	b = le.AppendUint32(b, packed)
	b = le.AppendUint32(b, size)
	b = le.AppendUint16(b, uint16(len(e.name)))
	b = le.AppendUint16(b, uint16(len(large)))
	b = le.AppendUint16(b, 0) // length of the comment
	b = le.AppendUint16(b, 0) // disk
	b = le.AppendUint16(b, 0) // kind of file
	b = le.AppendUint32(b, ownerOnly)
	b = le.AppendUint32(b, offset)
	b = append(b, e.name...)
	d.bytes = append(b, large...)
	d.count++
}

// end returns the directory and what stands behind it, for a file that has
// offset bytes of members.
func (d *directory) end(offset int64) []byte {
	b, size := d.bytes, int64(len(d.bytes))
	if d.count >= math.MaxUint16 || size >= limit32 || offset >= limit32 {
		record := offset + size
		b = append(b, "PK\x06\x06"...)
		b = le.AppendUint64(b, 44) // bytes of what follows
		b = le.AppendUint16(b, unixHost|zipVersion)
		b = le.AppendUint16(b, zipVersion)
		b = le.AppendUint32(b, 0) // disk
		b = le.AppendUint32(b, 0) // disk of the directory
		b = le.AppendUint64(b, uint64(d.count))
		b = le.AppendUint64(b, uint64(d.count))
		b = le.AppendUint64(b, uint64(size))
		b = le.AppendUint64(b, uint64(offset))
		b = append(b, "PK\x06\x07"...)
		b = le.AppendUint32(b, 0) // disk of the record
		b = le.AppendUint64(b, uint64(record))
		b = le.AppendUint32(b, 1) // number of disks
	}
	count := uint16(min(d.count, math.MaxUint16))
	b = append(b, "PK\x05\x06"...)
	b = le.AppendUint16(b, 0) // disk
	b = le.AppendUint16(b, 0) // disk of the directory
	b = le.AppendUint16(b, count)
	b = le.AppendUint16(b, count)
	b = le.AppendUint32(b, short32(size))
	b = le.AppendUint32(b, short32(offset))
	return le.AppendUint16(b, 0) // length of the comment
}

// short32 is n in 32 bits, or the value that refers to the 64-bit one.
func short32(n int64) uint32 {
	if n >= limit32 {
		return math.MaxUint32
	}
	return uint32(n)
}
