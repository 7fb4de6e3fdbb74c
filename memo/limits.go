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
	// reads one from text such as "2G".
	MaxBytes int64

	// MaxEntries bounds the number of records.
	MaxEntries int

	// MaxAge bounds the time since an entry was last used, or with the
	// policy LRI since it was stored. Use is noted at most hourly.
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
	// byte and time since its last use. It is for folders only.
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
