package memo

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// readOnlyStore serves what a store holds and refuses to change it.
type readOnlyStore struct{ store.Store }

// Put refuses.
func (readOnlyStore) Put(context.Context, string, store.PutOptions, func(io.Writer) error) error {
	return ErrReadOnly
}

// PutIfAbsent refuses.
func (readOnlyStore) PutIfAbsent(context.Context, string, int64, store.PutOptions, func(io.Writer) error) (bool, error) {
	return false, ErrReadOnly
}

// Freshen leaves the blob's time as it is: who only reads leaves no trace.
func (readOnlyStore) Freshen(context.Context, string, time.Time) error { return nil }

// Delete refuses.
func (readOnlyStore) Delete(context.Context, string) error { return ErrReadOnly }

// Quarantine leaves a damaged blob for those who may write.
func (readOnlyStore) Quarantine(context.Context, string) error { return nil }

// Sweep refuses.
func (readOnlyStore) Sweep(context.Context, time.Time) (int64, error) { return 0, ErrReadOnly }

// Lock refuses: who stores nothing makes nobody wait.
func (readOnlyStore) Lock(context.Context, uint64, time.Duration) (func(), error) {
	return nil, errors.ErrUnsupported
}
