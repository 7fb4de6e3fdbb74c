package store

import (
	"context"
	"io"
	"time"
)

// draft is a blob in the staging folder: written, and without its name.
type draft struct {
	d         *Dir
	file      File
	temporary string
	release   func() // gives back the lock that keeps a sweep away
	closed    bool
	published bool
}

// draft has a blob written to the staging folder. The caller finishes it, and discards it
// in any case.
func (d *Dir) draft(ctx context.Context, durable bool, write func(io.Writer) error) (*draft, error) {
	file, temporary, release, err := d.stage()
	if err != nil {
		return nil, err
	}
	b := &draft{d: d, file: file, temporary: temporary, release: release}
	written := false
	defer func() { // also where write panics
		if !written {
			b.discard()
		}
	}()
	if err := write(&draftWriter{ctx: ctx, f: b.file, durable: durable}); err != nil {
		return nil, err
	}
	written = true
	return b, nil
}

// finish syncs the blob where it is to be durable, closes it, and sets its time of
// modification where one is given.
func (b *draft) finish(durable bool, modified time.Time) (err error) {
	if durable {
		err = b.file.Sync()
	}
	b.closed = true
	if closeErr := b.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil && !modified.IsZero() {
		err = b.d.files.Chtimes(b.temporary, modified)
	}
	return err
}

// discard ends the draft, and removes it unless it was published. It is best effort: what
// stays is swept with the staging folder.
func (b *draft) discard() {
	if !b.closed {
		_ = b.file.Close()
	}
	if !b.published {
		_ = b.d.files.Remove(b.temporary)
	}
	b.release() // after all that is done with the file
}

// draftWriter stops a long write when its context ends. Where a sync will follow it has
// the disk begin meanwhile.
type draftWriter struct {
	ctx     context.Context
	f       File
	durable bool
	held    int // written since the disk was last told to begin
}

// step is the most that is written between two looks at the context, and what the disk is
// told to begin with.
const step = 16 << 20

// Write implements [io.Writer].
func (w *draftWriter) Write(p []byte) (n int, err error) {
	for {
		if err := w.ctx.Err(); err != nil {
			return n, err
		}
		k, err := w.f.Write(p[n:min(len(p), n+step)])
		if w.held += k; w.durable && w.held >= step {
			w.f.BeginSync()
			w.held = 0
		}
		if n += k; err != nil || n == len(p) {
			return n, err
		}
	}
}
