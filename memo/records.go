package memo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"strings"

	"github.com/numcache/numcache/memo/internal/store"
)

// Records yields the calls in the cache, one after the other, ordered by function
// and version as their folders are named, then by key. A record that cannot be
// read comes as an error, and the next one follows; it is left where it is. An
// error that ends the listing is the last thing yielded. Some records are read ahead of
// who asks, many at the same time where many are asked for. Entries that come and go
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
		ahead := newRecordsAhead(ctx, c, s, yield)
		defer ahead.stop()
		for info, err := range s.List(ctx, callsFolder) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				if ctx.Err() != nil || ahead.yieldAll() {
					yield(nil, &Error{"list", callsFolder, err})
				}
				return
			}
			base := path.Base(info.Name)
			if !isRecord(base) || !strings.HasPrefix(base, prefix) {
				continue
			}
			if !ahead.read(info.Name) {
				return
			}
		}
		ahead.yieldAll()
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
