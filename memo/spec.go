package memo

import (
	"fmt"
	"slices"
	"time"
)

// Spec names a function to the cache. Names are given, not found: a function made
// at run time has none, and a name in the source may change.
type Spec struct {
	// Name identifies the function among all that use the cache, in any
	// language. It must not be empty. A path such as "imaging/pca" keeps
	// programs that share a cache apart.
	Name string

	// Version says which behaviour of the function it is. Change it whenever
	// the function would return something else for the same arguments; results
	// of other versions stay.
	Version string

	// Ignore lists the positions of arguments that are no part of the key,
	// counted from 0 without the context: a logger, how many workers. They
	// may be of any type.
	Ignore []int

	// Valid, if set, is asked before a result is taken from the cache. Where
	// it returns false the call computes and stores anew. It may reject by
	// age, by arguments, or what was so quickly computed that it is not worth
	// keeping. It must not change the record, and may be called from several
	// goroutines.
	Valid func(*Record) bool

	// ExpiresAfter is the age from which on a result is computed anew, as is one
	// that was computed after now, by a clock that is wrong or was set back. 0 is
	// never.
	ExpiresAfter time.Duration
}

// check reports a Spec that makes no sense for a function of so many arguments.
func (s Spec) check(arguments int) error {
	switch {
	case s.Name == "":
		return fmt.Errorf("%w: Spec.Name is empty; name the function", ErrArguments)
	case s.ExpiresAfter < 0:
		return fmt.Errorf("%w: Spec.ExpiresAfter of %s is %v; use 0 for never", ErrArguments, s.Name, s.ExpiresAfter)
	}
	for _, i := range s.Ignore {
		if i < 0 || i >= arguments {
			return fmt.Errorf("%w: Spec.Ignore of %s names argument %d; it has %d, counted from 0 without the context", ErrArguments, s.Name, i, arguments)
		}
	}
	return nil
}

// ignores reports whether an argument is no part of the key.
func (s Spec) ignores(i int) bool { return slices.Contains(s.Ignore, i) }

// valid returns what decides on entries of the function, nil where all will do.
func (s Spec) valid(now func() time.Time) func(*Record) bool {
	if s.ExpiresAfter == 0 {
		return s.Valid
	}
	return func(r *Record) bool {
		// An entry from the future is as good as expired: its clock or ours is
		// wrong, and it might never expire.
		age := now().Sub(r.Created)
		return age >= 0 && age < s.ExpiresAfter && (s.Valid == nil || s.Valid(r))
	}
}
