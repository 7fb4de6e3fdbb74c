package memo

import (
	"fmt"
	"log/slog"
	"time"
)

// Options are the settings of a cache. The zero value, and nil, are the
// defaults.
type Options struct {
	// Sync says when entries are made safe against a power cut.
	Sync Sync

	// Logger gets faults as warnings, the first of each kind, and repeated
	// ones, hits and misses at debug level. nil is slog.Default().
	Logger *slog.Logger

	// OnEvent, if set, is called for every hit, miss and fault, from the
	// goroutine that had it, maybe from several at once. It must not call
	// back into a function that is being computed.
	OnEvent func(Event)

	// Now tells the time that records and freshened objects get. nil is
	// time.Now.
	Now func() time.Time
}

// Sync says when files are synced to disk before they are published. It never
// matters for correctness, as every load is verified; it decides whether an
// entry that was written is still there after a power cut.
type Sync int

const (
	// SyncAuto syncs entries that took [SyncThreshold] or longer to compute:
	// those that it would hurt to lose. It is the default.
	SyncAuto Sync = iota
	// SyncFull syncs every entry: once the call has returned, a power cut
	// does not lose it.
	SyncFull
	// SyncNone syncs none.
	SyncNone
)

// SyncThreshold is the compute time from which on SyncAuto syncs. To sync a small
// entry, its files and folders, took 1 to 3 ms where this was chosen (a virtual
// machine's disk; go test -bench Sync ./memo); the rest leaves room
// for disks many times slower. What computes faster is cheaper to compute again.
const SyncThreshold = 100 * time.Millisecond

// durable reports whether an entry that took so long to compute is synced.
func (s Sync) durable(took time.Duration) bool {
	return s == SyncFull || s == SyncAuto && took >= SyncThreshold
}

// withDefaults returns a copy of o, which may be nil, with every field set.
func (o *Options) withDefaults() (Options, error) {
	var set Options
	if o != nil {
		set = *o
	}
	if set.Sync < SyncAuto || set.Sync > SyncNone {
		return set, fmt.Errorf("%w: Options.Sync is %d; use SyncAuto, SyncFull or SyncNone", ErrArguments, set.Sync)
	}
	if set.Logger == nil {
		set.Logger = slog.Default()
	}
	if set.Now == nil {
		set.Now = time.Now
	}
	return set, nil
}
