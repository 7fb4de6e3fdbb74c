package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/internal/store"
)

// tries is how often content is asked for that does not arrive whole. The requests
// themselves are repeated by the drivers, which cannot do that once content flows.
const tries = 3

// Get implements [store.Store].
func (s *Bucket) Get(ctx context.Context, name string, limit int64) (content []byte, modified time.Time, err error) {
	b, release, err := s.begin(ctx, "read", name, false)
	if err != nil {
		return nil, modified, err
	}
	defer release()
	for range tries {
		content, modified, err = s.get(ctx, b, name, limit)
		if !errors.Is(err, errBroken) || ctx.Err() != nil {
			break
		}
	}
	return content, modified, s.fail(ctx, b, "read", name, err)
}

// errBroken is content that ended early, or is not what the server said it is.
var errBroken = fmt.Errorf("%w: the content did not arrive whole", store.ErrUnavailable)

func (s *Bucket) get(ctx context.Context, b *blob.Bucket, name string, limit int64) (content []byte, modified time.Time, err error) {
	watched, watch, cancel := s.watched(ctx)
	defer cancel() // which also ends a content that is not read
	r, err := b.NewReader(watched, name, nil)
	if err != nil {
		return nil, modified, err
	}
	defer r.Close()
	if r.Size() > limit {
		return nil, modified, fmt.Errorf("%w: %d bytes", store.ErrTooLarge, r.Size())
	}
	content = make([]byte, r.Size())
	watch.Reset(s.allow(r.Size()))
	if err := readWhole(r, content); err != nil {
		return nil, modified, err
	}
	return content, r.ModTime(), nil
}

// readWhole fills p from r, which ends then.
func readWhole(r io.Reader, p []byte) error {
	n, err := io.ReadFull(r, p)
	if err == nil {
		var more [1]byte
		var extra int
		extra, err = r.Read(more[:]) // where the driver tells of a wrong checksum
		for extra == 0 && err == nil {
			extra, err = r.Read(more[:])
		}
		if extra > 0 {
			err = errors.New("there is more")
		} else if err == io.EOF {
			return nil
		}
	}
	if errors.Is(err, context.Canceled) { // in time, or by the caller
		return err
	}
	return fmt.Errorf("%w: %d of %d bytes: %v", errBroken, n, len(p), err)
}

// Stat implements [store.Store].
func (s *Bucket) Stat(ctx context.Context, name string) (store.Info, error) {
	b, release, err := s.begin(ctx, "stat", name, false)
	if err != nil {
		return store.Info{}, err
	}
	defer release()
	info, err := s.stat(ctx, b, name)
	return info, s.fail(ctx, b, "stat", name, err)
}

func (s *Bucket) stat(ctx context.Context, b *blob.Bucket, name string) (store.Info, error) {
	bounded, cancel := s.within(ctx, 0)
	defer cancel()
	a, err := b.Attributes(bounded, name)
	if err != nil {
		return store.Info{}, err
	}
	return store.Info{Name: name, Size: a.Size, Modified: a.ModTime}, nil
}

// missing reports whether err tells of a blob that is not there.
func (s *Bucket) missing(b *blob.Bucket, err error) bool {
	return err != nil && errors.Is(s.cause(b, err), fs.ErrNotExist)
}
