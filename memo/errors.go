package memo

import (
	"errors"
	"fmt"
)

// The sentinels of this package; errors wrap them, so test with errors.Is.
var (
	// ErrUnsupported is a function, argument or result of a type that cannot
	// be part of a key or of an entry.
	ErrUnsupported = errors.New("memo: unsupported type")
	// ErrArguments is an option that makes no sense, text that is none of what
	// it should be, or a call of Has, Key or Forget with other arguments than
	// the function takes.
	ErrArguments = errors.New("memo: arguments do not fit the function")
	// ErrNil is a nil cache or function.
	ErrNil = errors.New("memo: nil")
	// ErrNotCache is a folder that holds something else than a cache.
	ErrNotCache = errors.New("memo: not a cache")
	// ErrUnsafe is a folder that everybody can write, or that is another user's:
	// they could forge results.
	ErrUnsafe = errors.New("memo: others can write the cache")
	// ErrFormat is a cache of a format that this version does not know.
	ErrFormat = errors.New("memo: unknown format")
	// ErrDamaged is a record or object whose bytes are not what was written.
	// Callers of a memoized function never see it: the entry is put aside and
	// computed anew.
	ErrDamaged = errors.New("memo: damaged")
	// ErrSecret is an [Options.Secret], or the file of one, that is too short to be a
	// secret, or that everybody can read.
	ErrSecret = errors.New("memo: unfit secret")
	// ErrUnsigned is a record in a cache with Options.Secret that was not stored with
	// this secret. Its call is computed anew, and stored in its place.
	ErrUnsigned = errors.New("memo: not signed with the secret")
	// ErrNotFound is a key or digest that the cache does not hold.
	ErrNotFound = errors.New("memo: not found")
	// ErrReadOnly is a removal from a cache that was opened with
	// Options.ReadOnly.
	ErrReadOnly = errors.New("memo: cache is read-only")
	// ErrTooLarge is results that are not stored because they are larger than
	// the whole cache may be.
	ErrTooLarge = errors.New("memo: too large for the cache")
	// ErrNotDeterministic is a function that returned something else for the same
	// arguments than before: see Options.Recompute.
	ErrNotDeterministic = errors.New("memo: not deterministic")
	// ErrClosed is a cache used after Close. Functions still compute.
	ErrClosed = errors.New("memo: cache is closed")
)

// errMismatch is an intact entry whose results do not have the types the caller
// wants: another program uses the same name and version for something else. It
// counts as a miss.
var errMismatch = errors.New("memo: the stored result has another type")

// errUnread is an array of a result that was not asked for.
var errUnread = errors.New("memo: the array was not read")

// errInvalid is an intact entry that Spec.Valid or Spec.ExpiresAfter turned down. It
// counts as a miss.
var errInvalid = errors.New("memo: the stored result is not valid any more")

// Error says which operation of the cache failed, and on which file or folder.
type Error struct {
	Op   string // "open", "load", "store", "list", …
	Path string // relative to the cache folder, or the folder itself
	Err  error
}

func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	return fmt.Sprintf("memo: %s %s: %v", e.Op, e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
