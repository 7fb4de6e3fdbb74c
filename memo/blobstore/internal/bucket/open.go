package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/internal/store"
)

const (
	// headSize is what Open reads: all of a small blob, the header of a larger one.
	headSize = 64 << 10
	// maxWindow is the most that one request asks for ahead of who reads in order.
	maxWindow = 64 << 20
	// A blob of maxWhole at most is asked for as a whole once so much of it was read that
	// somebody seems to read all, in no order: workers who take turns.
	maxWhole = 64 << 20
	readMuch = 1 << 20
	// maxStreams is how many places of a blob are read in order at once.
	maxStreams = 8
)

// opened is a [store.Blob] whose ranges are asked for as they are read. One who reads on
// where he stopped is given what the server sends meanwhile: each request of a run is
// for four times what the one before it was for, so that a row costs a row, and a whole
// blob few requests.
//
// The content cannot change. A small blob is in memory; of a larger one each request
// is for the content that was opened, and fails when the server has another.
type opened struct {
	store    *Bucket
	ctx      context.Context // without an end
	bucket   *blob.Bucket
	name     string
	size     int64
	modified time.Time
	tag      string
	head     []byte

	mu      sync.Mutex
	read    int64     // bytes that were asked for
	streams []*stream // nobody reads from just now, the last used one last
	closed  bool
	release func()
}

// stream is content on its way.
type stream struct {
	r      io.ReadCloser
	watch  *time.Timer
	cancel context.CancelFunc
	at     int64 // in the blob
	left   int64
	window int64
}

func (st *stream) close() {
	st.cancel()
	_ = st.r.Close()
}

// Open implements [store.Store].
func (s *Bucket) Open(ctx context.Context, name string) (store.Blob, error) {
	b, release, err := s.begin(ctx, "open", name, false)
	if err != nil {
		return nil, err
	}
	o := &opened{store: s, ctx: context.WithoutCancel(ctx), bucket: b, name: name, release: release}
	for range tries {
		if err = o.open(ctx); !errors.Is(err, errBroken) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		release()
		return nil, s.fail(ctx, b, "open", name, err)
	}
	return o, nil
}

// open reads the head.
func (o *opened) open(ctx context.Context) error {
	watched, _, cancel := o.store.watched(ctx)
	defer cancel()
	r, err := o.bucket.NewRangeReader(watched, o.name, 0, headSize, nil)
	if err != nil {
		// An empty blob has no such range.
		if info, statErr := o.store.stat(ctx, o.bucket, o.name); statErr == nil && info.Size == 0 {
			o.modified = info.Modified
			return nil
		}
		return err
	}
	defer r.Close()
	o.size, o.modified, o.tag = r.Size(), r.ModTime(), o.tagOf(r)
	o.head = make([]byte, min(o.size, headSize))
	return readWhole(r, o.head)
}

func (o *opened) tagOf(r *blob.Reader) string {
	if o.store.driver.Tag == nil {
		return ""
	}
	return o.store.driver.Tag(r)
}

func (o *opened) Size() int64         { return o.size }
func (o *opened) Modified() time.Time { return o.modified }

// Close implements [store.Blob].
func (o *opened) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return fs.ErrClosed
	}
	o.closed = true
	for _, st := range o.streams {
		st.close()
	}
	o.streams = nil
	o.release()
	return nil
}

// ReadAt implements [io.ReaderAt].
func (o *opened) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, &fs.PathError{Op: "read", Path: o.name, Err: fs.ErrInvalid}
	}
	if offset >= o.size || len(p) == 0 {
		return 0, end(len(p))
	}
	want := p[:min(int64(len(p)), o.size-offset)]
	head, err := o.beginning(int64(len(want)))
	if offset < int64(len(head)) {
		n = copy(want, head[offset:])
	}
	if n < len(want) && err == nil {
		err = o.readOn(want[n:], offset+int64(n))
	}
	if err != nil {
		err = o.store.cause(o.bucket, err)
		if errors.Is(err, errCondition) {
			err = fmt.Errorf("%w any more: %w", fs.ErrNotExist, err)
		}
		return n, &fs.PathError{Op: "read", Path: o.name, Err: err}
	}
	return len(want), end(len(p) - len(want))
}

// beginning returns what is in memory, for somebody who reads so many bytes: the head, or
// all.
func (o *opened) beginning(reads int64) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read += reads
	if o.read <= readMuch || o.size > maxWhole || int64(len(o.head)) == o.size || o.closed {
		return o.head, nil
	}
	st, err := o.request(int64(len(o.head)), o.size)
	if err != nil {
		return o.head, err
	}
	defer st.close()
	st.watch.Reset(o.store.allow(st.left))
	whole := make([]byte, o.size)
	if err := readWhole(st.r, whole[copy(whole, o.head):]); err != nil {
		return o.head, nil // readOn tries again
	}
	o.head = whole
	return whole, nil
}

// end is what is told beside the last byte of a blob, where more is asked for.
func end(lacking int) error {
	if lacking > 0 {
		return io.EOF
	}
	return nil
}

// readOn fills p with what stands at offset, from a stream that is there already where
// one is.
func (o *opened) readOn(p []byte, offset int64) error {
	st, err := o.take(offset)
	if err != nil {
		return err
	}
	window, failed := int64(0), 0
	for len(p) > 0 {
		if st == nil || st.left == 0 {
			if st != nil {
				window = min(16*st.window, maxWindow)
				st.close()
			}
			if st, err = o.request(offset, max(window, int64(len(p)))); err != nil {
				if st = nil; errors.Is(err, errBroken) && failed < tries-1 {
					failed++
					continue
				}
				return err
			}
		}
		piece := p[:min(int64(len(p)), st.left)]
		st.watch.Reset(o.store.allow(int64(len(piece))))
		n, err := io.ReadFull(st.r, piece)
		st.watch.Stop()
		st.at, st.left = st.at+int64(n), st.left-int64(n)
		p, offset = p[n:], offset+int64(n)
		if err == nil && st.left == 0 {
			err = readWhole(st.r, nil)
		}
		if err != nil {
			window = st.window
			st.close()
			if st = nil; errors.Is(err, context.Canceled) || failed == tries-1 {
				return fmt.Errorf("%w: %v", errBroken, err)
			}
			failed++
		}
	}
	o.give(st)
	return nil
}

// take returns the stream that goes on at offset, nil where there is none.
func (o *opened) take(offset int64) (*stream, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, fs.ErrClosed
	}
	for i, st := range o.streams {
		if st.at == offset {
			o.streams = append(o.streams[:i], o.streams[i+1:]...)
			return st, nil
		}
	}
	return nil, nil
}

// give keeps a stream for who reads on.
func (o *opened) give(st *stream) {
	if st == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || st.at == o.size {
		st.close()
		return
	}
	if len(o.streams) == maxStreams {
		o.streams[0].close()
		o.streams = o.streams[1:]
	}
	o.streams = append(o.streams, st)
}

// request asks for the content from offset on.
func (o *opened) request(offset, length int64) (*stream, error) {
	length = min(length, o.size-offset)
	watched, watch, cancel := o.store.watched(o.ctx)
	var options blob.ReaderOptions
	if o.tag != "" && o.store.driver.ReadTagged != nil {
		options.BeforeRead = o.store.driver.ReadTagged(o.tag)
	}
	r, err := o.bucket.NewRangeReader(watched, o.name, offset, length, &options)
	if err != nil {
		cancel()
		return nil, err
	}
	watch.Stop()
	st := &stream{r: r, watch: watch, cancel: cancel, at: offset, left: length, window: length}
	if r.Size() != o.size || o.tagOf(r) != o.tag || o.tag == "" && !r.ModTime().Equal(o.modified) {
		st.close()
		return nil, errCondition
	}
	return st, nil
}
