package memo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// The numbers of a cache's locks; FORMAT.md has them. Those of keys are below
// firstOwnLock.
const (
	firstOwnLock  = 1 << 62
	collectorLock = firstOwnLock     // held by the one who evicts
	ledgerLock    = firstOwnLock + 1 // held while a shared count is rewritten
)

// keyLock returns the number of a key's lock. That two keys may share one makes
// nothing wrong, and is as likely as a collision of 62 bits.
func keyLock(key array.Digest) uint64 { return binary.BigEndian.Uint64(key[:8]) >> 2 }

// turn waits until no other process computes the key, and returns the results if
// one has stored them by then. Otherwise it is the caller's turn to compute, and to
// unlock afterwards. Without locks, or when the one that holds the lock shows no
// sign of life, it is the caller's turn too: locks only save work.
func (c *Cache) turn(ctx context.Context, r *request) (values []reflect.Value, took time.Duration, unlock func()) {
	unlock = func() {}
	s := c.current()
	if s == nil || c.options.Patience < 0 {
		return nil, 0, unlock
	}
	release, err := s.Lock(ctx, keyLock(r.key.Digest()), c.options.Patience)
	if err != nil {
		switch {
		case errors.Is(err, store.ErrLocked):
			c.fault(r.key, fmt.Errorf("the process that computes it has shown no sign of life for %v, so it is computed here too: %w", c.options.Patience, err))
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, ErrClosed), ctx.Err() != nil:
		case unavailable(err): // storing will say so
		default:
			c.fault(r.key, err)
		}
		return nil, 0, unlock
	}
	values, took, err = c.lookup(ctx, r)
	if err != nil {
		if !isMiss(err) && ctx.Err() == nil {
			c.fault(r.key, err)
		}
		return nil, 0, release
	}
	release()
	return values, took, unlock
}
