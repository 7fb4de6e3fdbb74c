package memo

import (
	"errors"
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

	// OnEvent, if set, is called for every [Event], from the goroutine that
	// had it, maybe from several at once. It must not call back into a
	// function that is being computed, nor Trim.
	OnEvent func(Event)

	// Limits bound what the folder holds. They are enforced as entries are
	// written: when a call has returned they hold, by up to a hundredth for each
	// further process that writes. See [Cache.Trim].
	Limits Limits

	// Memory, if set, keeps results in memory too. With no folder (Open("", …))
	// the cache is in memory only.
	Memory *Memory

	// Remote, if set, is a URL of a second level behind the folder, such as
	// s3://bucket/prefix, in a program that imports
	// github.com/numcache/numcache/memo/blobstore; see Open for URLs. What the folder
	// has not is looked for there, and then kept in the folder; what is computed is
	// stored in the folder, and sent there in the background. So machines, each with a
	// folder of its own, share results, and two of them that want the same call at once
	// compute it once.
	//
	// The folder comes first, and the call does not wait for the second level but to
	// find out whether that has the results. A server that does not answer within 20
	// seconds, or fails, is a fault; it is then left alone for up to half a minute, and the
	// program goes on with the folder. What cannot be sent yet waits, in a queue of at
	// most 10,000 files and 4 GiB that is in memory by name only; what goes beyond that
	// is a fault, stays in the folder, and is sent when it is stored again.
	// [Cache.Close] sends what waits, for half a minute at most, and tells of the rest
	// as a fault. A program that ends without Close sends no more.
	//
	// Limits, Trim, Usage, Records and Verify are those of the folder, and Sync too.
	// Forget removes an entry from both, and fails where the second level cannot be
	// reached; so does Clear, for the records that the folder has. With ReadOnly results
	// are read from the second level, and nothing is written to either.
	Remote string

	// Compress is the level, 1 to 9, with which objects are deflated: each is
	// then an .npz file with one member, which numpy.load opens too. 0 stores
	// plain .npy files, which are faster to read and can be mapped. Whatever
	// the level, both are read.
	Compress int

	// ReadOnly serves what the folder holds and changes nothing in it. The
	// folder must be there; a missing one is a fault, and everything is computed.
	// What would remove something is [ErrReadOnly].
	ReadOnly bool

	// Group shares the folder with the members of its group, who may all read and
	// write it, and forge results: folders get the mode 2770 and files 0660,
	// whatever the umask. Without it they are private, 0700 and 0600. A folder
	// that is there already must belong to the group that is meant and have the
	// setgid bit (chgrp GROUP DIR; chmod 2770 DIR); one that Open makes gets the
	// bit, and the group that the system gives it. Every member sets Group.
	// Windows and Plan 9 have no such bits, and Group does nothing there.
	Group bool

	// Recompute is a share of the hits, 0 to 1, that are computed again and compared,
	// bit by bit: a function that depends on something else than its arguments, such
	// as the time, the order of a map or another program's file, is a fault, with a
	// [*DifferenceError] that names the rows. The call returns what the cache holds,
	// when that has been done. Within such a computation no hit is computed again.
	// Where it is 0, the environment variable NUMCACHE_VERIFY says it, so that any
	// program can be checked: NUMCACHE_VERIFY=0.01. Refs are not computed again.
	Recompute float64

	// Secret, if set, signs what is stored: a record gets an HMAC-SHA256 over all it
	// says and over the SHA-256 of its arrays, and only what was signed with the same
	// secret is read. So others may write the folder, and not forge results. They can
	// still remove entries, put back older ones of the same call, and make calls wait.
	//
	// A record without its MAC counts as a fault, is computed anew and replaced, and
	// is never put aside: those without the secret may have use for it. They read
	// signed entries like others. A secret is 32 random bytes or more, kept where
	// those cannot read it who write the folder; see [ReadSecret]. With another secret
	// everything is computed anew. Open keeps a copy. One that is too short is
	// [ErrSecret].
	Secret Secret

	// Patience bounds how long a call waits for another process that computes
	// the same key and shows no sign of life, because it is stopped or its
	// machine is gone: then the call computes. One that lives is waited for, if
	// patience is some seconds: it gives a sign each second. 0 is
	// DefaultPatience; with a negative one no call waits for another process, and
	// none for it.
	Patience time.Duration

	// WarnStale is an aid while a program is being written, for functions whose
	// Version is set by hand: Func, Wrap and Memoize look into the source file, where
	// it is at hand, and log a warning when the function's own text is another than it
	// was for the results in the folder and the version is the same. Comments and
	// white space do not count. What the function calls is not looked at: for that there
	// is numcache stamp. The digests of the texts are kept in the folder, in sources.json.
	WarnStale bool

	// Now tells the time that records and freshened objects get. nil is
	// time.Now. One before 1970 or after 2261, which files do not have
	// everywhere, counts as the first or last of these years.
	//
	// A clock may be wrong, and be set while the folder is in use. No result is
	// wrong then, and Limits hold. An entry that was last used more than an hour
	// after now, by this clock, counts as not used for an hour from the next time that
	// limits are enforced: it is older than what was used since the clock was set. For
	// Spec.ExpiresAfter it is too old.
	Now func() time.Time
}

// DefaultPatience is long beside the second in which a process that computes gives
// its signs of life.
const DefaultPatience = 30 * time.Second

// Sync says when files are synced to disk before they are published. It never
// matters for correctness, as every load is verified; it decides whether an
// entry that was written is still there after a power cut.
type Sync int

const (
	// SyncAuto syncs entries that took [SyncThreshold], 100 ms, or longer to compute:
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
// machine's disk; go test -run '^$' -bench Sync ./memo); the rest leaves room
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
	if err := errors.Join(set.Limits.check("Options.Limits"), set.Memory.check()); err != nil {
		return set, err
	}
	if set.Compress < 0 || set.Compress > 9 {
		return set, fmt.Errorf("%w: Options.Compress is %d; use 1 to 9, or 0 for none", ErrArguments, set.Compress)
	}
	if err := set.Secret.check("Options.Secret"); err != nil {
		return set, err
	}
	var err error
	if set.Recompute, err = recomputeRate(set.Recompute); err != nil {
		return set, err
	}
	if set.Patience == 0 {
		set.Patience = DefaultPatience
	}
	if set.Logger == nil {
		set.Logger = slog.Default()
	}
	if set.Now == nil {
		set.Now = time.Now
	}
	return set, nil
}
