package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// Cause says why a call is not answered from the cache.
type Cause int

const (
	// Stored is a call that the cache holds: it would be a hit.
	Stored Cause = iota
	// NeverSeen is a call of a function of which the folder holds no call.
	NeverSeen
	// OtherVersion is a call that is there with another version of the function.
	OtherVersion
	// OtherArguments is a call of a function that was called with others.
	OtherArguments
	// Expired is a call that Spec.Valid, Spec.ExpiresAfter or Limits.MaxAge turns down.
	Expired
	// WasEvicted is a call that was removed to keep the limits.
	WasEvicted
	// Damaged is a call whose files are not what was written.
	Damaged
	// Unsigned is a call that was stored without Options.Secret, or with another one.
	Unsigned
	// OtherTypes is a call whose results have other types than the function's.
	OtherTypes
	// LaterFormat is a call that was written in a later format.
	LaterFormat
	// Refreshed is a call that was to be computed whatever the cache holds.
	Refreshed
	// NoFolder is a cache without a folder to look into, or a folder that cannot be
	// read.
	NoFolder
	// InvalidKey is a call whose arguments make no key.
	InvalidKey
)

var causeNames = [...]string{"stored", "never seen", "other version", "other arguments", "expired", "evicted", "damaged", "unsigned", "other types",
	"later format", "refreshed", "no folder", "invalid key"}

// String returns the cause in a word or two.
func (c Cause) String() string {
	if c < 0 || int(c) >= len(causeNames) {
		return fmt.Sprintf("Cause(%d)", int(c))
	}
	return causeNames[c]
}

// Explanation says why a call is not answered from the cache.
type Explanation struct {
	Cause             Cause
	Function, Version string
	Key               array.Digest

	// Neighbour is the stored call of the function that is most like this one, by the
	// number of equal arguments, nil where there is none; Changes is what is not
	// the same.
	Neighbour *Record
	Changes   []Change

	// Err is what went wrong, for the causes that are faults.
	Err error
}

// String says why in a sentence without a full stop.
func (e Explanation) String() string {
	near := e.Neighbour
	if near == nil {
		near = &Record{}
	}
	var changes []string
	for _, c := range e.Changes {
		changes = append(changes, c.String())
	}
	changed := strings.Join(changes, ", ")
	switch e.Cause {
	case Stored:
		return "it is in the cache"
	case NeverSeen:
		return fmt.Sprintf("no call of %s is in the cache", e.Function)
	case OtherVersion:
		return fmt.Sprintf("the version of %s changed from %q to %q", e.Function, near.Version, e.Version)
	case OtherArguments:
		if near.Version != e.Version {
			changed = fmt.Sprintf("the version changed from %q to %q, %s", near.Version, e.Version, changed)
		}
		if len(near.Args) != 0 && len(changes) == 0 {
			changed = "the number of arguments changed"
		}
		return "since the most similar call that is in the cache, " + changed
	case Expired:
		return "what is in the cache is too old, or turned down by Spec.Valid"
	case WasEvicted:
		return "it was evicted to keep the limits"
	case Damaged:
		return fmt.Sprintf("its files were damaged (%v)", e.Err)
	case Unsigned:
		return "it was stored without Options.Secret, with another one, or it is forged"
	case OtherTypes:
		return "what is in the cache has other types than the function returns; give one of the two functions another name or version"
	case LaterFormat:
		return fmt.Sprintf("it was written by a newer numcache (%v)", e.Err)
	case Refreshed:
		return "it was to be computed, whatever is in the cache"
	case NoFolder:
		if e.Err != nil {
			return fmt.Sprintf("the cache cannot be read (%v)", e.Err)
		}
		return "there is no folder to look into"
	case InvalidKey:
		return fmt.Sprintf("its arguments make no key (%v)", e.Err)
	}
	return e.Cause.String()
}

// Explain says whether the cache holds the call, and if not why. It looks at every
// stored call of the function, which takes as long as to read their records. In an
// array of more than 16 MB it names the rows that changed, to the chunk of 256 KB: the
// chunk tables of such arguments are kept, but not of a [Result].
func (c *Cache) Explain(ctx context.Context, k Key) (Explanation, error) {
	if c == nil {
		return Explanation{}, ErrNil
	}
	return c.explain(orBackground(ctx), &request{key: k.withSum()})
}

// Explain is [Cache.Explain] for a call with these arguments. An entry that is turned
// down by Spec.Valid or has other types than the function returns is no hit for it.
func (m *Memoized) Explain(args ...any) (Explanation, error) {
	ctx, r, err := m.bind(args)
	if r == nil {
		return Explanation{}, err
	}
	return m.cache.explain(orBackground(ctx), r)
}

func (c *Cache) explain(ctx context.Context, r *request) (Explanation, error) {
	if err := r.key.Err(); err != nil {
		return c.why(ctx, &missed{key: r.key, err: err}, 0)
	}
	if c.memory.peek(r) != nil {
		return c.why(ctx, &missed{key: r.key}, 0)
	}
	_, err := c.stored(ctx, r)
	if ctx.Err() != nil {
		return Explanation{}, ctx.Err()
	}
	return c.why(ctx, &missed{key: r.key, err: err}, 0)
}

// missed is what is known of a call at the moment that it is computed.
type missed struct {
	cache   *Cache
	key     Key
	err     error // why the cache did not answer; nil where it would have
	refresh bool
}

// missed keeps what explains a miss, should somebody ask.
func (c *Cache) missed(r *request) *missed {
	err := r.cause
	if err == nil {
		err = fs.ErrNotExist // nobody looked: there is nowhere to look, or the call is within itself
	}
	return &missed{c, r.key, err, r.refresh}
}

// maxCompared is how many records are looked at for the explanation of an event.
const maxCompared = 256

// Why explains an event that is a [Miss], as [Cache.Explain] does but from 256
// records of the function at most. It reads them when it is called, not before: an
// event of which nobody asks why costs nothing. Of other events it is the zero
// Explanation.
func (e Event) Why(ctx context.Context) Explanation {
	if e.missed == nil {
		return Explanation{}
	}
	x, _ := e.missed.cache.why(orBackground(ctx), e.missed, maxCompared) // what cannot be read is in it
	return x
}

// why explains a call by the error of looking for it, or else by its nearest
// neighbour among the first records, of which 0 is all.
func (c *Cache) why(ctx context.Context, m *missed, records int) (Explanation, error) {
	x := Explanation{Function: m.key.function, Version: m.key.version, Key: m.key.Digest(), Err: m.err}
	switch {
	case m.key.Err() != nil:
		x.Cause = InvalidKey
		return x, nil
	case m.refresh:
		x.Cause = Refreshed
		return x, nil
	case m.err == nil:
		x.Cause = Stored
		return x, nil
	case errors.Is(m.err, errInvalid):
		x.Cause, x.Err = Expired, nil
		return x, nil
	case errors.Is(m.err, errMismatch):
		x.Cause, x.Err = OtherTypes, nil
		return x, nil
	case errors.Is(m.err, ErrFormat):
		x.Cause = LaterFormat
		return x, nil
	case errors.Is(m.err, ErrUnsigned):
		x.Cause, x.Err = Unsigned, nil
		return x, nil
	case errors.Is(m.err, ErrDamaged), errors.Is(m.err, store.ErrForeign):
		x.Cause = Damaged
		return x, nil
	case !isGone(m.err):
		x.Cause = NoFolder
		return x, nil
	}
	x.Err = nil
	s, release := c.use()
	defer release()
	if s == nil {
		x.Cause = NoFolder
		return x, nil
	}
	if wasEvicted(ctx, s, m.key.Digest()) {
		x.Cause = WasEvicted
		return x, nil
	}
	return c.compare(ctx, tableReader{s, m.key.tables()}, newRecord(m.key, clockStart, 0), records)
}

// Compare says how a stored call differs from the one that is most like it, as
// [Cache.Explain] does for a call that is not stored: the cause is NeverSeen where
// the function has no other call, and OtherVersion or OtherArguments else.
func (c *Cache) Compare(ctx context.Context, r *Record) (Explanation, error) {
	if c == nil || r == nil {
		return Explanation{}, fmt.Errorf("%w cache or record", ErrNil)
	}
	s, release := c.use()
	defer release()
	if s == nil {
		return Explanation{Cause: NoFolder, Function: r.Function, Version: r.Version, Key: r.Key}, nil
	}
	return c.compare(orBackground(ctx), tableReader{s: s}, r, 0)
}

// compare explains a call by its nearest neighbour among the first records, 0 for all.
func (c *Cache) compare(ctx context.Context, tables tableReader, mine *Record, records int) (Explanation, error) {
	x := Explanation{Function: mine.Function, Version: mine.Version, Key: mine.Key}
	near, err := c.nearest(ctx, tables.s, mine, records)
	if err != nil {
		x.Cause, x.Err = NoFolder, err
		return x, err
	}
	x.Neighbour = near
	switch {
	case near == nil:
		x.Cause = NeverSeen
	case near.Version != mine.Version && len(near.Args) == len(mine.Args) && equalArguments(mine, near) == len(mine.Args):
		x.Cause = OtherVersion
	default:
		x.Cause, x.Changes = OtherArguments, changedArguments(mine, near)
		for i := range x.Changes {
			x.Changes[i].Rows = tables.rows(ctx, x.Changes[i])
		}
	}
	return x, nil
}

// nearest returns the stored call of the same function that has most arguments equal
// to those of mine; of several one of the same version, and then the one that was
// used last. It looks at some records at most, 0 for all.
func (c *Cache) nearest(ctx context.Context, s store.Store, mine *Record, records int) (near *Record, err error) {
	equal, looked := -1, 0
	for info, err := range s.List(ctx, callsFolder+"/"+segment(mine.Function)) {
		if err != nil {
			return nil, &Error{"list", callsFolder, err}
		}
		if !isRecord(info.Name) {
			continue
		}
		if looked++; records > 0 && looked > records {
			break
		}
		r, err := c.recordAt(ctx, s, info.Name)
		if err != nil || r.Function != mine.Function || r.Key == mine.Key && r.Version == mine.Version {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue
		}
		n := equalArguments(mine, r)
		sameVersion := near != nil && near.Version == mine.Version
		better := n > equal || n == equal && r.Version == mine.Version && !sameVersion ||
			n == equal && (r.Version == mine.Version) == sameVersion && r.used.After(near.used)
		if better {
			near, equal = r, n
		}
	}
	return near, nil
}
