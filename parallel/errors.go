package parallel

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is wrapped by the errors that report a mistake in the call itself:
// a nil context, function or matrix, a negative count or grain, a shape that
// cannot be. No item has run.
var ErrInvalid = errors.New("parallel: invalid argument")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Error reports which item ended a parallel call.
type Error struct {
	// Index is the position of the item: in the slice or sequence that items
	// come from, in [0, n) of ForRange, or the number of the row where a
	// matrix is worked on.
	Index int

	// Err is what the item's function returned, a *PanicError if it panicked,
	// or ErrGoexit.
	Err error

	// reported is set once a call has returned the Error, and tells it from
	// one that a function makes to name an index of the current call.
	reported bool
}

// Error returns the item's index and the text of Err.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("parallel: item %d failed", e.Index)
	}
	return fmt.Sprintf("parallel: item %d: %s", e.Index, strings.TrimPrefix(e.Err.Error(), "parallel: "))
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// named lets a function that was given the items [lo, hi) name the one that
// failed: it takes an *Error of the function's own making apart into at and
// its Err. An *Error that another call has returned speaks of that call's items
// and stays whole.
func named(err error, lo, hi int, at *int) error {
	e, ok := err.(*Error)
	if !ok || e == nil || e.reported || e.Err == nil || e.Index < lo || e.Index >= hi {
		return err
	}
	*at = e.Index
	return e.Err
}

// cancelled returns the error of a call whose caller ended ctx. It matches both
// ctx.Err() and the cause, which the caller may have given in its place.
func cancelled(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// causedBy reports whether err only passes on that ctx has ended.
func causedBy(err error, ctx context.Context) bool {
	ended := ctx.Err()
	return ended != nil && (errors.Is(err, ended) || errors.Is(err, context.Cause(ctx)))
}
