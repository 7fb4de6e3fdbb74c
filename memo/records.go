package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/numcache/numcache/memo/internal/store"
)

// Records yields the calls in the cache, one after the other, ordered by function
// and version as their folders are named, then by key. A record that cannot be
// read comes as an error, and the next one follows; it is left where it is. An
// error that ends the listing is the last thing yielded. Entries that come and go
// meanwhile may be listed or not.
func (c *Cache) Records(ctx context.Context) iter.Seq2[*Record, error] {
	return c.find(ctx, "")
}

// Find yields the calls whose key begins with prefix, given in hex, as
// [Cache.Records] does. No records but theirs are read.
func (c *Cache) Find(ctx context.Context, prefix string) iter.Seq2[*Record, error] {
	return c.find(ctx, strings.ToLower(prefix))
}

func (c *Cache) find(ctx context.Context, prefix string) iter.Seq2[*Record, error] {
	ctx = orBackground(ctx)
	return func(yield func(*Record, error) bool) {
		if c == nil {
			yield(nil, ErrNil)
			return
		}
		s, release := c.use()
		defer release()
		if s == nil {
			return
		}
		for info, err := range s.List(ctx, callsFolder) {
			if err != nil {
				yield(nil, &Error{"list", callsFolder, err})
				return
			}
			if err := ctx.Err(); err != nil {
				yield(nil, &Error{"list", callsFolder, err})
				return
			}
			base := path.Base(info.Name)
			if !isRecord(base) || !strings.HasPrefix(base, prefix) {
				continue
			}
			r, err := c.recordAt(ctx, s, info.Name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // forgotten since it was listed
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// recordAt reads the record in a file, and checks that it belongs there and, where the
// cache has a secret, that it is signed.
func (c *Cache) recordAt(ctx context.Context, s store.Store, name string) (*Record, error) {
	raw, modified, err := s.Get(ctx, name, maxRecord)
	if errors.Is(err, store.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, &Error{"read", name, err}
	}
	r, err := c.signer.parse(raw)
	if err == nil && recordName(r.Function, r.Version, r.Key) != name {
		err = fmt.Errorf("%w: it is the record of another call", ErrDamaged)
	}
	if err != nil {
		return nil, &Error{"read", name, err}
	}
	r.used = modified
	return r, nil
}
