package memo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Small sealed files in which the processes that use a cache keep a count
// together; stale.go has another. None decides about a result, and each can be deleted at any time.
const (
	usageFile = "usage.json" // bytes and entries, for the limits
	statsFile = "stats.json" // hits and misses, for people
)

// revisePatience is long beside the time it takes to rewrite a small file.
const revisePatience = 200 * time.Millisecond

// maxShared bounds a shared file.
const maxShared = 8 << 20

// readShared returns what a shared file holds, nil where that is not intact or missing,
// or where something else has its name, which the next revision replaces.
func readShared(ctx context.Context, s store.Store, name string) ([]byte, error) {
	raw, _, err := s.Get(ctx, name, maxShared)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, store.ErrTooLarge) && !errors.Is(err, store.ErrForeign) {
		return nil, &Error{"read", name, err}
	}
	if !unseal(raw) {
		return nil, nil
	}
	return raw, nil
}

// revise rewrites a shared file: f gets what it holds, nil where that is not intact
// or missing, and returns the new body, all but the check. It keeps other processes
// out meanwhile where that can be done. An error leaves the file as it was.
func revise(ctx context.Context, s store.Store, name string, f func(raw []byte) (body []byte)) error {
	// Without the lock two may write at once, and the counts of one be lost.
	if unlock, err := s.Lock(ctx, ledgerLock, revisePatience); err == nil {
		defer unlock()
	}
	raw, err := readShared(ctx, s, name)
	if err != nil {
		return err
	}
	sealed := seal(f(raw))
	err = s.Put(ctx, name, store.PutOptions{}, func(w io.Writer) error {
		_, err := w.Write(sealed)
		return err
	})
	if err != nil {
		return &Error{"write", name, err}
	}
	return nil
}
