package memo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/parallel"
)

// The numbers of a cache's locks; FORMAT.md has them. Those of keys are below
// firstOwnLock.
const (
	firstOwnLock  = 1 << 61
	collectorLock = firstOwnLock     // held by the one who evicts
	ledgerLock    = firstOwnLock + 1 // held while a shared count is rewritten
)

// keyLock returns the number of a key's lock. That two keys may share one makes
// nothing wrong, and is as likely as a collision of 61 bits.
func keyLock(key array.Digest) uint64 { return binary.BigEndian.Uint64(key[:8]) >> 3 }

// turn waits until no other process computes the key, and returns the results if
// one has stored them by then. Otherwise it is the caller's turn to compute, and to
// unlock afterwards. Without locks, or when the one that holds the lock shows no
// sign of life, it is the caller's turn too: locks only save work.
//
// A nested call waits no longer than its patience, whether the holder lives or not: it
// may wait, in another process, for a call that this one is nested in.
//
// A refresh takes no turns, as it computes whatever others do and store.
func (c *Cache) turn(ctx context.Context, r *request, f *flight) (values []reflect.Value, took time.Duration, unlock func()) {
	free := func() {}
	s := c.current()
	if s == nil || c.options.Patience < 0 || f.within() {
		return nil, 0, free
	}
	waiting := ctx
	if f.around != nil {
		var stop context.CancelFunc
		waiting, stop = context.WithTimeout(ctx, c.options.Patience)
		defer stop()
	}
	fault := func(err error) {
		c.fault(r.key, &Error{"lock", recordName(r.key.function, r.key.version, r.key.Digest()), err})
	}
	release, err := s.Lock(waiting, keyLock(r.key.Digest()), c.options.Patience)
	switch {
	case err == nil:
	case ctx.Err() == nil && waiting.Err() != nil:
		release = free
	case errors.Is(err, store.ErrLocked):
		fault(fmt.Errorf("the process that computes it has shown no sign of life for %v, so it is computed here too: %w", c.options.Patience, err))
		release = free
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, ErrClosed), errors.Is(err, fs.ErrClosed), ctx.Err() != nil:
		return nil, 0, free
	case unavailable(err): // storing will say so
		return nil, 0, free
	default:
		fault(err)
		return nil, 0, free
	}
	mine := false
	defer func() { // also where OnEvent ends this goroutine
		if !mine {
			release()
		}
	}()
	values, took, err = c.lookAgain(ctx, r)
	if err == nil {
		return values, took, free
	}
	// A record that is not signed stays where it is, and was told of at the first look.
	if !isMiss(err) && !errors.Is(err, ErrUnsigned) && ctx.Err() == nil {
		c.fault(r.key, err)
	}
	mine = true
	return nil, 0, release
}

// lookAgain is lookup where others wait: Spec.Valid must not end this goroutine.
// Its panic is an error here, and a runtime.Goexit turns the entry down.
func (c *Cache) lookAgain(ctx context.Context, r *request) (values []reflect.Value, took time.Duration, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = errInvalid
		err = parallel.Protect(func() (err error) {
			values, took, err = c.lookup(ctx, r)
			return err
		})
	}()
	<-done
	return values, took, err
}
