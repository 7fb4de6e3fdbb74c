package memo

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// closedStore takes the place of the store of a closed cache.
type closedStore struct{}

func (closedStore) Get(context.Context, string, int64) ([]byte, time.Time, error) {
	return nil, time.Time{}, ErrClosed
}
func (closedStore) Open(context.Context, string) (store.Blob, error) { return nil, ErrClosed }
func (closedStore) Stat(context.Context, string) (store.Info, error) { return store.Info{}, ErrClosed }
func (closedStore) Delete(context.Context, string) error             { return ErrClosed }
func (closedStore) Quarantine(context.Context, string) error         { return ErrClosed }
func (closedStore) Freshen(context.Context, string, time.Time) error { return ErrClosed }
func (closedStore) Lock(context.Context, uint64, time.Duration) (func(), error) {
	return nil, ErrClosed
}
func (closedStore) Sweep(context.Context, time.Time) (int64, error) { return 0, ErrClosed }
func (closedStore) Close() error                                    { return nil }

func (closedStore) Put(context.Context, string, store.PutOptions, func(io.Writer) error) error {
	return ErrClosed
}

func (closedStore) PutIfAbsent(context.Context, string, int64, store.PutOptions, func(io.Writer) error) (bool, error) {
	return false, ErrClosed
}

func (closedStore) List(context.Context, string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) { yield(store.Info{}, ErrClosed) }
}
