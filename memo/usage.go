package memo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// usage is what a folder holds, or a change of it.
type usage struct{ bytes, entries int64 }

func (u usage) plus(v usage) usage  { return usage{u.bytes + v.bytes, u.entries + v.entries} }
func (u usage) minus(v usage) usage { return usage{u.bytes - v.bytes, u.entries - v.entries} }

// Usage counts the entries in the folder, and the bytes of their records and objects.
// It lists the folder and reads no file of it.
func (c *Cache) Usage(ctx context.Context) (entries int, bytes int64, err error) {
	if c == nil {
		return 0, 0, ErrNil
	}
	s, release := c.use()
	defer release()
	if s == nil {
		return 0, 0, nil
	}
	for _, folder := range []string{callsFolder, objectsFolder} {
		for info, err := range s.List(orBackground(ctx), folder) {
			if err != nil {
				return entries, bytes, &Error{"list", folder, err}
			}
			bytes += info.Size
			if isRecord(info.Name) {
				entries++
			}
		}
	}
	return entries, bytes, nil
}

// ledger is what the usage file says. The processes that have limits keep it
// together, so that none of them needs to list the folder after every write. It
// drifts, through those that have none and those that are killed: so it is counted
// anew at times.
type ledger struct {
	usage
	counted time.Time // when the folder was last listed
	swept   time.Time // when unreferenced objects were last removed
}

// parseLedger reads the usage file. What is no ledger is one that was never counted.
func parseLedger(raw []byte) (l ledger) {
	var members struct {
		Format         int
		Bytes, Entries int64
		Counted, Swept time.Time
	}
	if err := json.Unmarshal(raw, &members); err == nil && members.Format == format {
		l = ledger{usage{members.Bytes, members.Entries}, members.Counted, members.Swept}
	}
	return l
}

// body is the ledger's file but for the check.
func (l ledger) body() []byte {
	const layout = time.RFC3339Nano
	return fmt.Appendf(nil, `{"format":%d,"bytes":%d,"entries":%d,"counted":%q,"swept":%q,`,
		format, max(l.bytes, 0), max(l.entries, 0), l.counted.UTC().Format(layout), l.swept.UTC().Format(layout))
}

// readLedger reads the usage file; a missing one is one that was never counted.
func readLedger(ctx context.Context, s store.Store) (ledger, error) {
	raw, err := readShared(ctx, s, usageFile)
	return parseLedger(raw), err
}

// account is what one Cache knows of the folder's usage.
type account struct {
	mu     sync.Mutex
	ledger ledger    // as it was last seen, or counted
	own    usage     // what this Cache added since
	seen   time.Time // when the ledger was
	ahead  bool      // the ledger was counted here, and could not be written
}

// enforce notes what was added to the folder, and evicts where it is over the limits.
// When it returns they hold, but for what other processes add meanwhile: each puts
// what it added into the ledger when that is a hundredth of a limit.
func (c *Cache) enforce(ctx context.Context, s store.Store, added usage) error {
	limits := c.options.Limits
	if limits.none() {
		return nil
	}
	a := &c.account
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own = a.own.plus(added)
	now := c.now()
	var unsettled error // a full disk has no room for the ledger either, and all the more needs eviction
	if limits.worthNoting(a.own) || !recent(a.seen, now, limits.touchInterval()) || limits.exceededBy(a.ledger.plus(a.own)) {
		if unsettled = a.settle(ctx, s, now); unsettled != nil && !unavailable(unsettled) {
			return unsettled
		}
	}
	if !limits.exceededBy(a.ledger.plus(a.own)) && recent(a.ledger.counted, now, limits.touchInterval()) {
		return unsettled
	}
	if err := c.evict(ctx, s, a); err != nil {
		return errors.Join(unsettled, err)
	}
	return nil
}

// worthNoting reports whether a change is so large beside the limits that other
// processes should know of it.
func (l Limits) worthNoting(u usage) bool {
	return l.MaxBytes > 0 && u.bytes >= l.MaxBytes/100 || l.MaxEntries > 0 && u.entries >= int64(l.MaxEntries)/100
}

// settle puts what this Cache added into the ledger, and learns what others did, also
// where it cannot be written.
func (a *account) settle(ctx context.Context, s store.Store, now time.Time) error {
	var settled ledger
	err := revise(ctx, s, usageFile, func(raw []byte) []byte {
		if !a.ahead {
			a.ledger = parseLedger(raw)
		}
		settled = a.ledger
		settled.usage = settled.plus(a.own)
		return settled.body()
	})
	if err != nil {
		return err
	}
	a.ledger, a.own, a.seen, a.ahead = settled, usage{}, now, false
	return nil
}

// flushUsage puts what this Cache added into the ledger when it is closed.
func (c *Cache) flushUsage(ctx context.Context, s store.Store) error {
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if c.account.own == (usage{}) {
		return nil
	}
	return c.account.settle(ctx, s, c.now())
}

// evict makes room below the limits, unless another process does.
func (c *Cache) evict(ctx context.Context, s store.Store, a *account) error {
	unlock, err := s.Lock(ctx, collectorLock, 0)
	switch {
	case err == nil:
		defer unlock()
	case errors.Is(err, store.ErrLocked):
		return nil
	case !errors.Is(err, errors.ErrUnsupported) && !unavailable(err): // a full disk may have no room for the file of the locks
		return &Error{"lock", "lock", err}
	}
	before, err := readLedger(ctx, s)
	if err != nil {
		return err
	}
	col := collection{c: c, s: localLevel(s), limits: c.options.Limits, target: c.options.Limits.below(), now: c.now(), swept: before.swept}
	err = col.run(ctx)
	if col.removed.Entries > 0 {
		c.logger().LogAttrs(ctx, slog.LevelInfo, "numcache: evicted what was over the limits", slog.Int("entries", col.removed.Entries), slog.Int64("bytes", col.removed.Bytes))
	}
	if err != nil {
		return err
	}
	if err := a.recount(ctx, s, before, &col); err != nil {
		return err
	}
	a.own = usage{} // which the listing has counted
	return col.unswept
}

// recount puts what a collection found into the ledger. What was added to the ledger
// meanwhile is added here too: some of it may be counted twice, which only means an
// eviction that comes early. This Cache knows it even if it cannot be written.
func (a *account) recount(ctx context.Context, s store.Store, before ledger, col *collection) error {
	err := revise(ctx, s, usageFile, func(raw []byte) []byte {
		meanwhile := parseLedger(raw).minus(before.usage)
		a.ledger, a.seen = ledger{col.left.plus(meanwhile), col.now, col.swept}, col.now
		return a.ledger.body()
	})
	a.ahead = err != nil
	return err
}
