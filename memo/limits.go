package memo

import (
	"fmt"
	"time"
)

// Limits bound what a cache's folder holds. A zero field is no limit. Entries
// over a limit go in the order that Policy says, whole: the record, and those of
// its objects that no entry of later use shares.
type Limits struct {
	// MaxBytes bounds the bytes of records and objects together. [ParseSize]
	// reads one from text such as "2G". Results that are larger by themselves
	// are not stored; that is a fault, [ErrTooLarge].
	MaxBytes int64

	// MaxEntries bounds the number of records.
	MaxEntries int

	// MaxAge bounds the time since an entry was last used, or with the
	// policy LRI since it was stored. An older one is not served from the folder,
	// and removed when limits are next enforced. Use is noted at most hourly, or ten times
	// in a MaxAge that is shorter.
	MaxAge time.Duration

	// Policy says which entries go first.
	Policy Policy
}

// Policy says which entries go first where there is a limit.
type Policy int

const (
	// DefaultPolicy is LRU in a folder. In memory it is W-TinyLFU
	// (Einziger, Friedman, Manes: TinyLFU, 2017), which keeps what is used
	// often and is not spoiled by a scan.
	DefaultPolicy Policy = iota
	// LRU evicts the least recently used entry first.
	LRU
	// LRI evicts the least recently inserted entry first.
	LRI
	// LeastCost evicts first the entry with the smallest compute time per
	// byte and time since its last use. It is for folders only, and reads
	// every record where the others look at names and times.
	LeastCost
)

// String returns "default", "LRU", "LRI" or "least cost".
func (p Policy) String() string {
	switch p {
	case DefaultPolicy:
		return "default"
	case LRU:
		return "LRU"
	case LRI:
		return "LRI"
	case LeastCost:
		return "least cost"
	}
	return fmt.Sprintf("Policy(%d)", int(p))
}

// check reports limits that make no sense; what names them.
func (l Limits) check(what string) error {
	switch {
	case l.MaxBytes < 0:
		return fmt.Errorf("%w: %s.MaxBytes is %d; use 0 for no limit", ErrArguments, what, l.MaxBytes)
	case l.MaxEntries < 0:
		return fmt.Errorf("%w: %s.MaxEntries is %d; use 0 for no limit", ErrArguments, what, l.MaxEntries)
	case l.MaxAge < 0:
		return fmt.Errorf("%w: %s.MaxAge is %v; use 0 for no limit", ErrArguments, what, l.MaxAge)
	case l.Policy < DefaultPolicy || l.Policy > LeastCost:
		return fmt.Errorf("%w: %s.Policy is %d; use LRU, LRI or LeastCost", ErrArguments, what, l.Policy)
	}
	return nil
}

// none reports limits that bound nothing.
func (l Limits) none() bool { return l.MaxBytes == 0 && l.MaxEntries == 0 && l.MaxAge == 0 }

// exceededBy reports whether usage is over a limit of bytes or entries.
func (l Limits) exceededBy(u usage) bool {
	return l.MaxBytes > 0 && u.bytes > l.MaxBytes || l.MaxEntries > 0 && u.entries > int64(l.MaxEntries)
}

// below returns the limits less a twentieth. What goes over a limit takes so much
// more along, for each eviction lists the folder. Up to 19 entries it is none.
func (l Limits) below() Limits {
	l.MaxBytes -= l.MaxBytes / 20
	l.MaxEntries -= l.MaxEntries / 20
	return l
}

// touchInterval is how old the time of an entry's last use may be before a hit
// renews it.
func (l Limits) touchInterval() time.Duration {
	if l.MaxAge > 0 {
		return min(time.Hour, l.MaxAge/10)
	}
	return time.Hour
}

// admit refuses results that would push everything else out and then themselves.
func (l Limits) admit(results *stored) error {
	total := int64(len(results.json))
	for _, o := range results.objects {
		total += o.fileSize()
	}
	if l.MaxBytes > 0 && total > l.MaxBytes {
		return fmt.Errorf("%w: results of %d bytes, and Limits.MaxBytes is %d", ErrTooLarge, total, l.MaxBytes)
	}
	return nil
}
