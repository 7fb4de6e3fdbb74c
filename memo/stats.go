package memo

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/numcache/numcache/array"
)

// Event tells of one call, or of a fault of the cache.
type Event struct {
	Kind              EventKind
	Key               array.Digest
	Function, Version string
	Compute           time.Duration // what the function took: now for a miss, once for a hit
	Elapsed           time.Duration // what the call took altogether; for Do without making its key
	Err               error         // of a fault, or what the function returned

	missed *missed // of a miss, for Why
}

// EventKind says what an [Event] tells of.
type EventKind int

const (
	// Hit is a call whose results came from the cache.
	Hit EventKind = iota + 1
	// Miss is a call that was computed.
	Miss
	// Fault is something the cache could not do: the disk is full or
	// read-only, a file was damaged. The call goes on.
	Fault
	// Computing is a call that the cache has no results for and that is about to
	// be computed. A Miss follows when it has been.
	Computing
	// Evicted is an entry that was removed to keep the limits. Function and
	// Version are as its folders name them.
	Evicted
)

// String returns "hit", "miss" or "fault".
func (k EventKind) String() string {
	switch k {
	case Hit:
		return "hit"
	case Miss:
		return "miss"
	case Fault:
		return "fault"
	case Computing:
		return "computing"
	case Evicted:
		return "evicted"
	}
	return "unknown event"
}

// Stats counts what a Cache did since it was opened, or since [Cache.ResetStats].
// [Cache.History] has what all processes did.
type Stats struct {
	Hits   int64         // calls answered from the cache
	Misses int64         // calls computed
	Shared int64         // calls that waited for the computation of another
	Faults int64         // things that went wrong without failing a call
	Saved  time.Duration // compute time of the hits, less what they took

	Recomputed int64 // hits that were computed again and compared: Options.Recompute

	Evicted int64 // entries removed from the folder to keep Options.Limits, by this Cache

	// Hottest are the calls that were most often asked for, ten at most, the
	// most frequent first.
	Hottest []HotKey

	MemoryHits    int64 // hits answered from memory; they count in Hits too
	MemoryEvicted int64 // entries that the bounds of Options.Memory pushed out
	MemoryEntries int64 // entries in memory now, about
}

// Stats returns the counters now. It may be called at any time.
func (c *Cache) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	return Stats{
		Hits:   c.counters.hits.Load(),
		Misses: c.counters.misses.Load(),
		Shared: c.counters.shared.Load(),
		Faults: c.counters.faults.Load(),
		Saved:  time.Duration(c.counters.saved.Load()),

		Recomputed: c.counters.recomputed.Load(),

		Evicted: c.counters.evicted.Load(),
		Hottest: c.hot.hottest(),

		MemoryHits:    c.counters.memoryHits.Load(),
		MemoryEvicted: c.memory.evictions(),
		MemoryEntries: c.memory.len(),
	}
}

// ResetStats sets the counters of [Cache.Stats] back to zero. What [Cache.History]
// tells stays.
func (c *Cache) ResetStats() {
	if c == nil {
		return
	}
	for _, n := range []*atomic.Int64{&c.counters.hits, &c.counters.memoryHits, &c.counters.misses, &c.counters.shared, &c.counters.faults, &c.counters.saved, &c.counters.evicted, &c.counters.recomputed} {
		n.Store(0)
	}
	c.memory.resetEvictions()
	c.hot.reset()
}

type counters struct {
	hits, memoryHits, misses, shared, faults, saved, evicted, recomputed atomic.Int64

	seenMu sync.Mutex
	seen   map[string]bool // faults that were logged as warnings
}

// maxSeen bounds the kinds of faults that are told apart in the log.
const maxSeen = 100

// tell counts an event and passes it on.
func (c *Cache) tell(e *Event) {
	switch e.Kind {
	case Hit:
		c.counters.hits.Add(1)
		c.counters.saved.Add(int64(e.Compute - e.Elapsed))
	case Miss:
		c.counters.misses.Add(1)
	case Fault:
		c.counters.faults.Add(1)
		c.warn(e)
	case Evicted:
		c.counters.evicted.Add(1)
	}
	if ctx := context.Background(); e.Kind != Fault && c.logger().Enabled(ctx, slog.LevelDebug) {
		c.logger().LogAttrs(ctx, slog.LevelDebug, "numcache: "+e.Kind.String(), e.attrs()...)
	}
	c.count(e)
	if c.options.OnEvent != nil {
		c.options.OnEvent(*e)
	}
}

// count notes an event for the history and for the hottest keys.
func (c *Cache) count(e *Event) {
	var s FunctionStats
	switch e.Kind {
	case Hit:
		s = FunctionStats{Hits: 1, Saved: e.Compute - e.Elapsed}
	case Miss:
		s = FunctionStats{Misses: 1, Computed: e.Compute}
	case Fault:
		s = FunctionStats{Faults: 1}
	default:
		return
	}
	if e.Kind != Fault && e.Key != (array.Digest{}) {
		c.hot.note(e.Key, e.Function, e.Version)
	}
	if c.unwritten.note(e.Function, &s, c.now) {
		s, release := c.use()
		defer release()
		if s != nil {
			c.flushed(c.flushHistory(context.Background(), s))
		}
	}
}

// logger returns the logger; the zero Cache has no options.
func (c *Cache) logger() *slog.Logger {
	if c.options.Logger == nil {
		return slog.Default()
	}
	return c.options.Logger
}

// fault tells of something that went wrong with the entry of k.
func (c *Cache) fault(k Key, err error) {
	c.tell(&Event{Kind: Fault, Key: k.Digest(), Function: k.function, Version: k.version, Err: err})
}

// warn logs a fault: the first of its kind as a warning, so that a full disk does
// not fill the log too.
func (c *Cache) warn(e *Event) {
	root := e.Err
	for next := root; next != nil; next = errors.Unwrap(next) {
		root = next
	}
	c.counters.seenMu.Lock()
	first := !c.counters.seen[root.Error()] && len(c.counters.seen) < maxSeen
	if first {
		if c.counters.seen == nil {
			c.counters.seen = map[string]bool{}
		}
		c.counters.seen[root.Error()] = true
	}
	c.counters.seenMu.Unlock()
	level := slog.LevelDebug
	if first {
		level = slog.LevelWarn
	}
	c.logger().LogAttrs(context.Background(), level, "numcache: the cache could not serve a call, which goes on without it", e.attrs()...)
}

// tellEvicted tells of an entry that was removed, by the name of its record.
func (c *Cache) tellEvicted(name string) {
	function, version, key := callOf(name)
	c.tell(&Event{Kind: Evicted, Key: key, Function: function, Version: version})
}

func (e Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("function", e.Function), slog.String("version", e.Version), slog.String("key", e.Key.String())}
	switch {
	case e.Err != nil:
		return append(attrs, slog.Any("error", e.Err))
	case e.Kind == Computing || e.Kind == Evicted:
		return attrs
	}
	if e.missed != nil {
		attrs = append(attrs, slog.String("why", e.Why(context.Background()).String()))
	}
	return append(attrs, slog.Duration("compute", e.Compute), slog.Duration("elapsed", e.Elapsed))
}
