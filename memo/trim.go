package memo

import (
	"context"
	"errors"
	"fmt"

	"github.com/numcache/numcache/memo/internal/store"
)

// TrimOptions are settings of [Cache.Trim]; nil is the defaults.
type TrimOptions struct {
	// DryRun counts what would be removed, and removes nothing.
	DryRun bool

	// Progress, if set, is called for every file that is looked at or removed,
	// from the calling goroutine. How many there will be is not known: Total
	// is 0. BytesDone is what was freed.
	Progress func(Progress)
}

// Trimmed is what [Cache.Trim] removed, and what it left.
type Trimmed struct {
	Entries, Objects int   // removed
	Bytes            int64 // freed
	LeftEntries      int
	LeftBytes        int64 // of records and objects
}

// Trim removes entries until the folder is within limits, in the order that their
// Policy says. It also removes objects that no entry refers to any more, if they are
// older than five minutes, and what writers left unfinished that were killed more than
// an hour ago (a day, but for Linux); with zero limits nothing but these. It is joblib's
// reduce_size.
//
// Where each object has the time of a record, as it has in a folder in which nothing was
// forgotten or refreshed, it lists the files and reads no record, but for those it
// removes. (Of two entries that were used in the same nanosecond, and one of which was
// forgotten, the object stays until the other is used again.) Else it reads every record
// once, many at the same time, to find out which objects are referred to. It needs some
// tens of megabytes of memory and 16 bytes for each entry. Where that cannot be found out,
// because a record cannot be read or is of a later format, entries are removed all
// the same, objects are not, and the error says why. What a
// reader has open stays readable to it. Other processes may go on to read and write;
// only one trims at a time, and it is an error to have waited for half a minute to be the
// one. When ctx ends Trim stops; what it removed until then it
// tells.
func (c *Cache) Trim(ctx context.Context, limits Limits, o *TrimOptions) (Trimmed, error) {
	if c == nil {
		return Trimmed{}, ErrNil
	}
	if err := limits.check("limits"); err != nil {
		return Trimmed{}, err
	}
	if o == nil {
		o = &TrimOptions{}
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	if s == nil {
		return Trimmed{}, nil
	}
	if _, readOnly := s.(readOnlyStore); readOnly && !o.DryRun {
		return Trimmed{}, &Error{"trim", c.dir, ErrReadOnly}
	}
	if !o.DryRun {
		unlock, err := s.Lock(ctx, collectorLock, DefaultPatience)
		switch {
		case err == nil:
			defer unlock()
		case errors.Is(err, store.ErrLocked):
			return Trimmed{}, &Error{"lock", "lock", fmt.Errorf("%w: others have been trimming for %v; try again when they are done", err, DefaultPatience)}
		case !errors.Is(err, errors.ErrUnsupported) && !unavailable(err):
			return Trimmed{}, &Error{"lock", "lock", err}
		}
	}
	before, err := readLedger(ctx, s)
	if err != nil {
		return Trimmed{}, err
	}
	col := collection{c: c, s: localLevel(s), limits: limits, target: limits, now: c.now(), sweepNow: true, dryRun: o.DryRun, progress: o.Progress}
	err = col.run(ctx)
	col.removed.LeftEntries, col.removed.LeftBytes = int(col.left.entries), col.left.bytes
	if err == nil && !o.DryRun && !c.options.Limits.none() {
		c.account.mu.Lock()
		defer c.account.mu.Unlock()
		err = c.account.recount(ctx, s, before, &col)
	}
	return col.removed, errors.Join(err, col.unswept)
}
