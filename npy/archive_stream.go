package npy

import (
	"archive/zip"
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/flate"
)

// memberReader reads a member from its beginning, inflated, and checks its length
// and checksum at its end.
type memberReader struct {
	m      *member
	r      io.Reader
	inflow *inflater // that r reads from, of a deflated member
	read   int64
	crc    uint32
	err    error // that every further Read returns
}

// inflater is what it takes to inflate: some 50 KB, which many small members
// share.
type inflater struct {
	buffer *bufio.Reader
	flate  io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	buffer := bufio.NewReaderSize(nil, 1<<14)
	return &inflater{buffer, flate.NewReader(buffer)}
}}

// open returns the bytes of a member that check has passed.
func (a *Archive) open(m *member) (*memberReader, error) {
	if err := m.check(a.options); err != nil {
		return nil, err
	}
	packed := io.NewSectionReader(a.r, m.offset, m.packed)
	if m.method == zip.Store {
		return &memberReader{m: m, r: packed}, nil
	}
	inflow := inflaters.Get().(*inflater)
	inflow.buffer.Reset(packed)
	if err := inflow.flate.(flate.Resetter).Reset(inflow.buffer, nil); err != nil {
		return nil, err
	}
	return &memberReader{m: m, r: inflow.flate, inflow: inflow}, nil
}

// Read implements io.Reader.
func (r *memberReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.r.Read(p)
	r.crc = crc32.Update(r.crc, crc32.IEEETable, p[:n])
	r.read += int64(n)
	switch {
	case r.read > r.m.size:
		r.err = fmt.Errorf("%w: it has more than the %d bytes that it is said to have", ErrFormat, r.m.size)
	case err == io.EOF && r.read < r.m.size:
		r.err = fmt.Errorf("%w: it has %d of the %d bytes that it is said to have", ErrFormat, r.read, r.m.size)
	case err == io.EOF && r.crc != r.m.crc:
		r.err = fmt.Errorf("%w: its checksum is %08x, not %08x: it is damaged", ErrFormat, r.crc, r.m.crc)
	case err == io.EOF:
		r.err = io.EOF
	case err != nil:
		r.err = inflateError(err)
	}
	return n, r.err
}

// finish reads what is left and checks the whole.
func (r *memberReader) finish() error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// Close implements io.Closer.
func (r *memberReader) Close() error {
	if r.inflow != nil {
		r.inflow.buffer.Reset(nil) // it must not keep the file in memory
		inflaters.Put(r.inflow)
		r.inflow = nil
	}
	r.err = fs.ErrClosed
	return nil
}

// inflateError tells damage from a file that cannot be read.
func inflateError(err error) error {
	switch e := err.(type) {
	case flate.CorruptInputError:
		return fmt.Errorf("%w: damaged at byte %d of its deflated bytes", ErrFormat, int64(e))
	case flate.InternalError: // some damage is found so late that it is taken for a mistake
		return fmt.Errorf("%w: its deflated bytes are damaged", ErrFormat)
	}
	return zipError(err)
}
