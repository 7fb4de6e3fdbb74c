package memo

import (
	"context"
	"errors"
	"io/fs"

	"github.com/numcache/numcache/memo/internal/store"
)

// touch notes that an entry was used, in the time of modification of its files, so
// that eviction takes those that were not. It does so at most hourly, for the sake of
// the hits. With the policy LRI the time is that of storing, and stays.
//
// An object gets its record's time, and gets it first: then one that is older than a
// record belongs to it no more than to any other.
func (c *Cache) touch(ctx context.Context, s store.Store, r *Record) {
	limits, now := c.options.Limits, c.now()
	if limits.Policy == LRI || recent(r.used, now, limits.touchInterval()) {
		return
	}
	err := func() error {
		for _, v := range r.Results {
			for _, a := range v.Arrays() {
				info, err := statObject(ctx, s, a.Digest)
				if err == nil {
					err = s.Freshen(ctx, info.Name, now)
				}
				if err != nil {
					return err
				}
			}
		}
		for _, v := range r.Args {
			for _, table := range tableDigests(v.raw) {
				info, err := statObject(ctx, s, table)
				if err == nil {
					err = s.Freshen(ctx, info.Name, now)
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) { // the entry is whole without
					return err
				}
			}
		}
		return s.Freshen(ctx, recordName(r.Function, r.Version, r.Key), now)
	}()
	// A hit is a hit: what cannot be noted, because the folder may only be read or
	// the entry was just removed, costs the entry its place in the order at most.
	if err != nil && !unavailable(err) && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
		c.tell(&Event{Kind: Fault, Key: r.Key, Function: r.Function, Version: r.Version, Err: err})
	}
}

// rejects reports whether an entry will not do for a request, or was not used for so
// long that it counts as evicted.
func (c *Cache) rejects(want *request, r *Record) bool {
	age := c.options.Limits.MaxAge
	return age > 0 && c.now().Sub(r.used) > age || want.valid != nil && !want.valid(r)
}
