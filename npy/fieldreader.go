package npy

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// fieldReader reads a stream of records as one of only their bytes in a field.
type fieldReader struct {
	records io.Reader
	of      Header  // of the records
	offset  int64   // bytes of records read so far
	total   int64   // bytes of all records
	path    []Field // from the record to the field
	count   int     // elements of the field in one record
	size    int     // and their bytes
	block   bytes.Buffer
	ready   []byte // bytes of the field, not yet delivered
	memory  []byte // of ready

	header Header // of the array that the field is
	held   int64  // how many bytes of it there are, or unknown
	// Fortran order is that of the records, while each record holds its elements
	// in C order. Where there is both, header says C order and the extents of the
	// records reversed; shape is the one to be had.
	mixed bool
	shape []int
}

// newFieldReader finds the field name in h. held is how many bytes r is known to
// hold, or unknown.
func newFieldReader(r io.Reader, h Header, held int64, name string) (*fieldReader, error) {
	f := &fieldReader{records: r, of: h, path: h.find(name), count: 1, held: unknown}
	if f.path == nil {
		return nil, h.noField(name)
	}
	var inner []int
	for _, part := range f.path {
		f.count *= part.len()
		inner = append(inner, part.Shape...)
	}
	t := f.path[len(f.path)-1].Type
	f.size = f.count * t.ItemSize
	f.shape = append(slices.Clone(h.Shape), inner...)
	f.mixed = !h.inC() && len(inner) > 0
	f.header = Header{Type: t, Fortran: !h.inC() && !f.mixed, Shape: f.shape}
	if f.mixed {
		f.header.Shape = append(reversed(h.Shape), inner...)
	}
	var err error
	if f.total, err = h.DataSize(); err != nil {
		return nil, err
	}
	size, err := f.header.DataSize()
	if err != nil {
		return nil, fmt.Errorf("%w: field %.100q: %w", ErrFormat, name, err)
	}
	if held != unknown {
		if f.held = size; held < f.total {
			return nil, truncated(h, held, f.total)
		}
	}
	return f, nil
}

// Read implements io.Reader. It reads whole records, so that the stream stands
// behind the last one when the last byte of the field was read.
func (f *fieldReader) Read(p []byte) (int, error) {
	for len(f.ready) == 0 {
		if f.offset == f.total {
			return 0, io.EOF
		}
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}

// fill reads some records. The buffer grows as they arrive, so that a header of
// wide records costs nothing.
func (f *fieldReader) fill() error {
	record := f.of.ItemSize
	block := int64(max(1, trusted/record) * record)
	f.block.Reset()
	n, err := io.CopyN(&f.block, f.records, min(block, f.total-f.offset))
	f.offset += n
	if err != nil {
		return short(err, f.of, f.offset, f.total)
	}
	f.memory = f.memory[:0]
	if f.size > 0 {
		for item := range slices.Chunk(f.block.Bytes(), record) {
			f.memory = gather(f.memory, item, f.path)
		}
	}
	f.ready = f.memory
	return nil
}

// gather appends the bytes that item, one record, has in the field at path.
func gather(dst, item []byte, path []Field) []byte {
	f := path[0]
	if len(path) == 1 {
		return append(dst, item[f.Offset:f.Offset+f.size()]...)
	}
	for i := range f.len() {
		at := f.Offset + i*f.Type.ItemSize
		dst = gather(dst, item[at:at+f.Type.ItemSize], path[1:])
	}
	return dst
}

// rest reads the records that are left of a field without any bytes.
func (f *fieldReader) rest() error {
	_, err := io.Copy(io.Discard, f)
	return err
}

// find returns the fields that lead to the one of the given name, which has dots
// between them, or nil. A name may have dots itself.
func (t Type) find(name string) []Field {
	for _, f := range t.Fields {
		if f.Name == name {
			return []Field{f}
		}
		if inner, ok := strings.CutPrefix(name, f.Name+"."); ok {
			if path := f.Type.find(inner); path != nil {
				return append([]Field{f}, path...)
			}
		}
	}
	return nil
}

func (h Header) noField(name string) error {
	if h.Kind != Struct {
		return fmt.Errorf("%w: no field %.100q: elements of type %.200s have no fields", ErrUnsupported, name, h.Descr())
	}
	var names strings.Builder
	for i, f := range h.Fields {
		if i > 0 {
			names.WriteString(", ")
		}
		names.Write(appendQuoted(nil, f.Name))
	}
	return fmt.Errorf("%w: no field %.100q among %.200s", ErrUnsupported, name, names.String())
}
