package memo

import (
	"context"
	"fmt"
	"reflect"
)

// Memoized is a memoized function with every verb but the call, for which it
// needs no type: [Function] has them by it, and interpreters that skip generic
// types get one from [Cache.Memoize].
//
// Its methods take the arguments of the call as the function itself does, the
// context optional: a nil is an argument, and never a context. Numbers may be of any
// type that holds them exactly. Arguments that do not fit are [ErrArguments].
type Memoized struct {
	cache   *Cache
	spec    Spec
	fn      reflect.Value
	params  []reflect.Type // without the context
	results []reflect.Type // without the error
	takes   bool           // a context first
	fails   bool           // an error last
	valid   func(*Record) bool
}

// Memoize is [Func] for interpreters that skip generic functions.
//
//	m, err := c.Memoize(memo.Spec{Name: "gram", Version: "2"}, gram)
//	gram := m.CallFunc().(func(*mat.Dense) (*mat.Dense, error))
//	ok, err := m.Has(x)
func (c *Cache) Memoize(spec Spec, fn any) (*Memoized, error) {
	return newMemoized(c, spec, reflect.ValueOf(fn))
}

// CallFunc returns the memoized function, of the function's own type; nil where m
// is nil.
func (m *Memoized) CallFunc() any { return m.funcOf(false) }

// RefreshFunc returns the function that computes whatever the cache holds, and
// stores; see [Function.Refresh].
func (m *Memoized) RefreshFunc() any { return m.funcOf(true) }

func (m *Memoized) funcOf(refresh bool) any {
	if m == nil || m.cache == nil {
		return nil
	}
	return m.memoized(refresh).Interface()
}

// Has reports whether a call with these arguments would be a hit: whether the
// cache holds its results, and Spec.Valid and Spec.ExpiresAfter let them pass. It
// does not read them.
func (m *Memoized) Has(args ...any) (bool, error) {
	ctx, r, err := m.bind(args)
	if err != nil {
		return false, err
	}
	return m.cache.has(ctx, r)
}

// Key returns the key of a call with these arguments.
func (m *Memoized) Key(args ...any) (Key, error) {
	_, r, err := m.bind(args)
	if r == nil {
		return Key{err: err}, err
	}
	return r.key, err
}

// Record returns the record of a call with these arguments: when it was computed,
// how long that took. One that is not in the folder is [ErrNotFound].
func (m *Memoized) Record(args ...any) (*Record, error) {
	ctx, r, err := m.bind(args)
	if err != nil {
		return nil, err
	}
	return m.cache.Record(ctx, r.key)
}

// Forget removes the results of a call with these arguments.
func (m *Memoized) Forget(args ...any) error {
	ctx, r, err := m.bind(args)
	if err != nil {
		return err
	}
	return m.cache.Forget(ctx, r.key)
}

// Clear removes the results of all calls of the function, of every version, as
// [Cache.ClearFunction] does. It returns how many there were.
func (m *Memoized) Clear(ctx context.Context) (removed int, err error) {
	if m == nil || m.cache == nil {
		return 0, fmt.Errorf("%w memoized function", ErrNil)
	}
	return m.cache.ClearFunction(ctx, m.spec.Name)
}

// Shelve calls the function with these arguments, unless the cache holds the
// results, and returns a reference to them in place of the results themselves:
// they need not fit in memory together. What the function returns as its error is
// returned. Where results are in no folder, for a cache in memory only, a disabled
// one, a full disk or want of a valid key, the reference holds them itself, whatever is
// evicted.
func (m *Memoized) Shelve(args ...any) (Ref, error) {
	ctx, r, err := m.bind(args)
	if r == nil {
		return Ref{}, err
	}
	return m.cache.shelve(ctx, r)
}
