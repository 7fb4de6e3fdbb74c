package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/internal/store"
)

const (
	// partSize and uploads are the bytes of one part of a large blob, and how many
	// parts are under way at once. A blob has 10,000 parts at most.
	partSize = 8 << 20
	uploads  = 4
	// abortTime is for a server that is told that an upload comes to nothing.
	abortTime = 5 * time.Second
)

// Put implements [store.Store]. What a server has accepted is as durable as it ever
// gets, whatever o says.
func (s *Bucket) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	b, release, err := s.begin(ctx, "put", name, true)
	if err != nil {
		return err
	}
	defer release()
	return s.put(ctx, b, name, blob.WriterOptions{}, write)
}

// PutIfAbsent implements [store.Store]. It looks first, which is cheap beside an upload;
// the server is asked to keep what came while that went on. Whether it does, and how it
// says so, differs: a connection that breaks may be all that tells of it. So after any
// failure it looks again.
func (s *Bucket) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (written bool, err error) {
	b, release, err := s.begin(ctx, "put", name, true)
	if err != nil {
		return false, err
	}
	defer release()
	info, err := s.stat(ctx, b, name)
	absent := s.missing(b, err)
	switch {
	case err != nil && !absent:
		return false, s.fail(ctx, b, "put", name, err)
	case err == nil && fits(info, size) && s.freshen(ctx, b, name) == nil:
		return false, nil
	}
	// One of another size is worth nothing, and is replaced.
	err = s.put(ctx, b, name, blob.WriterOptions{IfNotExist: absent}, write)
	var ours *callbackError
	if err == nil || errors.As(err, &ours) || ctx.Err() != nil {
		return err == nil, err
	}
	info, again := s.stat(ctx, b, name)
	if again == nil && fits(info, size) {
		return false, nil
	}
	if errors.Is(err, errCondition) && (again == nil || s.missing(b, again)) {
		err = s.put(ctx, b, name, blob.WriterOptions{}, write)
	}
	return err == nil, err
}

func fits(info store.Info, size int64) bool { return size < 0 || info.Size == size }

// callbackError is an error of who writes a blob, not of the store.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }
func (e *callbackError) Unwrap() error { return e.err }

// put uploads what write writes. It is not to be seen before all of it is there.
func (s *Bucket) put(ctx context.Context, b *blob.Bucket, name string, o blob.WriterOptions, write func(io.Writer) error) error {
	// The context of the upload ends after the caller's, so that the server can be told.
	uploading, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r, pipe := io.Pipe()
	u := &upload{ctx: ctx, pipe: pipe, cancel: cancel, store: s}
	u.watch = time.AfterFunc(time.Hour, func() { u.drop(errStalled) })
	u.watch.Stop()
	stop := context.AfterFunc(ctx, func() { u.drop(ctx.Err()) })
	defer stop()

	o.ContentType = ContentType(name)
	o.BufferSize, o.MaxConcurrency = partSize, uploads
	done := make(chan error, 1)
	go func() {
		err := b.Upload(uploading, name, r, &o)
		_ = r.CloseWithError(fmt.Errorf("%w: the upload has ended: %v", store.ErrUnavailable, err))
		done <- err
	}()
	finished := false
	defer func() {
		if !finished { // write panics, or ends its goroutine
			u.drop(errors.New("its writer ended"))
			<-done
		}
	}()
	written := write(u)
	finished = true
	if written == nil {
		written = ctx.Err()
	}
	if written != nil {
		u.drop(written)
	} else {
		u.allow(u.bytes)
		_ = pipe.Close()
	}
	err := <-done
	u.watch.Stop()
	switch {
	case ctx.Err() != nil && (err != nil || written != nil):
		return s.fail(ctx, b, "put", name, ctx.Err())
	case u.failed == nil && written != nil:
		return &callbackError{written}
	}
	if err == nil {
		err = u.failed
	}
	return s.fail(ctx, b, "put", name, err)
}

var errStalled = fmt.Errorf("%w: the store took nothing for too long", store.ErrUnavailable)

// upload is what a blob is written to.
type upload struct {
	ctx    context.Context
	store  *Bucket
	pipe   *io.PipeWriter
	cancel context.CancelFunc
	watch  *time.Timer
	bytes  int64
	failed error // to take what was written
}

// allow has the store take what is on its way to it, in bounded time.
func (u *upload) allow(bytes int64) { u.watch.Reset(u.store.allow(min(bytes, partSize*(uploads+1)))) }

// Write implements [io.Writer].
func (u *upload) Write(p []byte) (n int, err error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	u.allow(u.bytes + int64(len(p)))
	n, err = u.pipe.Write(p)
	u.watch.Stop()
	u.bytes += int64(n)
	u.failed = err
	return n, err
}

// drop ends the upload: for a driver that goes by the content first by that, so that
// the server hears of it, and then by the context.
func (u *upload) drop(err error) {
	if !u.store.driver.DropsUnread || err == errStalled {
		u.cancel()
	} else {
		time.AfterFunc(abortTime, u.cancel)
	}
	_ = u.pipe.CloseWithError(err)
}

// ContentType is what a blob says of itself, for people who look at the bucket.
func ContentType(name string) string {
	if strings.HasSuffix(name, ".json") {
		return "application/json"
	}
	return "application/octet-stream"
}
