package npy

import (
	"bytes"
	"runtime"

	"github.com/klauspost/compress/flate"
)

// deflateBlock is how much of a member one core deflates by itself. As blocks do
// not refer to each other, what a larger one would save is little.
const deflateBlock = 1 << 20

// deflater deflates one member after the other, block by block on all cores, as
// pigz does: each block but the last ends at a byte, so that together they are one
// stream. Where blocks begin depends on nothing but the data, and so does what it
// makes of it.
type deflater struct {
	level int
	put   func([]byte) error // takes the stream
	sizes []uint32           // of the blocks, deflated
	free  []*piece           // not in use
	queue []*piece           // being deflated, in order
	next  *piece             // being filled
}

// piece is a part of a member, and what deflates it.
type piece struct {
	in   []byte
	out  bytes.Buffer
	w    *flate.Writer
	err  error
	done chan struct{}
}

func newDeflater(level int) *deflater { return &deflater{level: level} }

// begin starts a member, whose stream put takes.
func (d *deflater) begin(put func([]byte) error) {
	d.put = put
	d.sizes = nil
	d.next = d.piece()
}

// piece returns one to fill.
func (d *deflater) piece() *piece {
	if n := len(d.free); n > 0 {
		b := d.free[n-1]
		d.free = d.free[:n-1]
		return b
	}
	return &piece{done: make(chan struct{}, 1)}
}

// write takes the next bytes of the member.
func (d *deflater) write(p []byte) error {
	for len(p) > 0 {
		if len(d.next.in) == deflateBlock { // and is not the last one
			if err := d.submit(); err != nil {
				return err
			}
		}
		n := min(len(p), deflateBlock-len(d.next.in))
		d.next.in = append(d.next.in, p[:n]...)
		p = p[n:]
	}
	return nil
}

// submit deflates the block that is full, while the next one is filled.
func (d *deflater) submit() error {
	if len(d.queue) >= runtime.GOMAXPROCS(0) {
		if err := d.collect(); err != nil {
			return err
		}
	}
	b := d.next
	d.queue = append(d.queue, b)
	d.next = d.piece()
	go func() {
		b.deflate(d.level, false)
		b.done <- struct{}{}
	}()
	return nil
}

// collect passes on what the first block in the queue has become.
func (d *deflater) collect() error {
	b := d.queue[0]
	<-b.done
	d.queue = append(d.queue[:0], d.queue[1:]...)
	return d.pass(b)
}

func (d *deflater) pass(b *piece) error {
	err := b.err
	if err == nil {
		d.sizes = append(d.sizes, uint32(b.out.Len()))
		err = d.put(b.out.Bytes())
	}
	b.in = b.in[:0]
	d.free = append(d.free, b)
	return err
}

// finish deflates what is left.
func (d *deflater) finish() error {
	last := d.next
	d.next = nil
	last.deflate(d.level, true)
	for len(d.queue) > 0 {
		if err := d.collect(); err != nil {
			return err
		}
	}
	return d.pass(last)
}

// wait returns when no block is being deflated, after an error.
func (d *deflater) wait() {
	for _, b := range d.queue {
		<-b.done
	}
	d.queue, d.next = nil, nil
}

// deflate makes out of in. The last block ends the stream.
func (b *piece) deflate(level int, last bool) {
	b.out.Reset()
	if b.w == nil {
		if b.w, b.err = flate.NewWriter(&b.out, level); b.err != nil {
			return
		}
	} else {
		b.w.Reset(&b.out)
	}
	if _, b.err = b.w.Write(b.in); b.err != nil {
		return
	}
	if last {
		b.err = b.w.Close()
	} else {
		b.err = b.w.Flush()
	}
}
