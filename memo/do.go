package memo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"sync"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Do returns the result of the call that k names: from the cache, or else from
// compute, whose result it stores. It is the layer below [Func], for results of
// one type that can be stored; another type is [ErrUnsupported], a nil cache or
// function [ErrNil].
//
// The result belongs to the caller, who may change it. Callers in this process
// who ask for the same key meanwhile wait for one computation and get copies; its
// context has the values of the first one's and ends when all have given up. Do
// returns promptly when ctx ends, even if compute goes on: what compute reads must
// then stay as it is. What compute returns after its context has ended is not
// cached. An error of compute is returned as it is and not cached; a panic goes
// on in every caller.
//
// Whatever goes wrong with the cache is counted, logged and no error: the result
// is computed then. So is one whose key is invalid.
func Do[T any](ctx context.Context, c *Cache, k Key, compute func(context.Context) (T, error)) (T, error) {
	var none T
	if c == nil || compute == nil {
		return none, fmt.Errorf("%w cache or function given to Do", ErrNil)
	}
	t := reflect.TypeFor[T]()
	if err := checkDoResult(t); err != nil {
		return none, err
	}
	return one[T](c.do(ctx, doRequest(k, compute)))
}

// Refresh is [Do] without looking: it computes, and stores the result in place of
// what the cache holds for the key. If compute fails, that stays.
func Refresh[T any](ctx context.Context, c *Cache, k Key, compute func(context.Context) (T, error)) (T, error) {
	var none T
	if c == nil || compute == nil {
		return none, fmt.Errorf("%w cache or function given to Refresh", ErrNil)
	}
	if err := checkDoResult(reflect.TypeFor[T]()); err != nil {
		return none, err
	}
	r := doRequest(k, compute)
	r.refresh = true
	return one[T](c.do(ctx, r))
}

// doRequest is the request of a call of Do.
func doRequest[T any](k Key, compute func(context.Context) (T, error)) *request {
	return &request{key: k, types: []reflect.Type{reflect.TypeFor[T]()}, fails: true, began: time.Now(),
		call: func(ctx context.Context) ([]reflect.Value, error) {
			v, err := compute(ctx)
			return []reflect.Value{reflect.ValueOf(&v).Elem()}, err
		}}
}

// one returns the one result of a call of Do.
func one[T any](values []reflect.Value, err error) (T, error) {
	if len(values) == 0 {
		var none T
		return none, err
	}
	return values[0].Interface().(T), err
}

// Dense is [Do] for a matrix. It is not generic, for interpreters that skip
// generic functions.
func (c *Cache) Dense(ctx context.Context, k Key, compute func(context.Context) (*mat.Dense, error)) (*mat.Dense, error) {
	return Do(ctx, c, k, compute)
}

// RefreshDense is [Refresh] for a matrix, as Dense is Do.
func (c *Cache) RefreshDense(ctx context.Context, k Key, compute func(context.Context) (*mat.Dense, error)) (*mat.Dense, error) {
	return Refresh(ctx, c, k, compute)
}

// doResults remembers what checkResult said of a type.
var doResults sync.Map // reflect.Type → error or nil

func checkDoResult(t reflect.Type) error {
	known, ok := doResults.Load(t)
	if !ok {
		known = checkResult(t)
		doResults.Store(t, known)
	}
	err, _ := known.(error)
	return err
}

// request is one call on its way through the cache.
type request struct {
	key     Key
	types   []reflect.Type // of the results
	fails   bool           // the function can return an error
	refresh bool           // compute, whatever the cache holds
	saved   bool           // the results of the call were computed and stored
	began   time.Time      // when the call did: for Func before its arguments were hashed
	// valid reports whether an entry will do; nil where every one does.
	valid func(*Record) bool
	// call calls the function. Its results count only without an error.
	call func(context.Context) ([]reflect.Value, error)
	// unchanged reports whether the arguments are still those of the key, for a
	// caller who gave up may use their memory again; nil where nobody knows.
	unchanged func() bool
}

// maxAttempts bounds how often a call looks into the cache again because some
// other computation ended between its look and its turn.
const maxAttempts = 3

// do is the heart of Do, Func and Wrap. Where the function cannot return an error,
// the call does not end with its context.
func (c *Cache) do(ctx context.Context, r *request) ([]reflect.Value, error) {
	ctx = orBackground(ctx)
	caller := ctx
	if !r.fails {
		caller = context.WithoutCancel(ctx)
	}
	if err := caller.Err(); err != nil {
		return nil, err
	}
	if err := r.key.Err(); err != nil {
		c.fault(r.key, err)
		return c.direct(ctx, r)
	}
	r.key = r.key.withSum()
	if c.passThrough() {
		return c.direct(ctx, r)
	}
	if r.refresh {
		values, err, _ := c.board(ctx, r, newFlight(), true)
		return values, err
	}
	for attempt := 1; ; attempt++ {
		landed := c.landedFlights()
		if attempt == maxAttempts {
			landed = -1
		}
		values, took, err := c.lookup(caller, r)
		if err == nil {
			c.hit(r, took)
			return values, nil
		}
		if err := caller.Err(); err != nil {
			return nil, err
		}
		if !isMiss(err) {
			c.fault(r.key, err)
		}
		f, first := c.join(r.key.Digest(), landed)
		if f == nil {
			continue
		}
		if values, err, done := c.board(ctx, r, f, first); done {
			return values, err
		}
	}
}

// lookup returns what the cache holds for a call, from memory or else from the
// folder, and what it took to compute. The results belong to the caller.
func (c *Cache) lookup(ctx context.Context, r *request) (values []reflect.Value, took time.Duration, err error) {
	if values, took, ok := c.memory.get(r); ok {
		return values, took, nil
	}
	values, record, err := c.load(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	c.memory.put(r, values, record.Created, record.Duration)
	return values, record.Duration, nil
}

// board takes a caller along on a flight, and returns its outcome. It is not done
// where the results are in the cache now, for everybody to look up.
func (c *Cache) board(ctx context.Context, r *request, f *flight, first bool) (values []reflect.Value, err error, done bool) {
	if first {
		c.launch(ctx, r, f)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(r.key.Digest(), f, first)
		if r.fails {
			return nil, ctx.Err(), true
		}
		<-f.done
	}
	f.rethrow()
	r.saved = f.saved
	switch {
	case first && f.found:
		c.hit(r, f.took)
		return f.values, nil, true
	case first:
		c.tell(Event{Kind: Miss, Key: r.key.Digest(), Function: r.key.function, Version: r.key.version,
			Compute: f.took, Elapsed: time.Since(r.began), Err: f.err})
		return f.values, f.err, true
	case f.found:
		return nil, nil, false
	case f.err != nil && r.fails:
		c.counters.shared.Add(1)
		return nil, f.err, true // what was returned beside the error is the first caller's
	}
	values, err = f.own(r.types)
	if err != nil {
		// What cannot be copied is not shared.
		values, err = c.direct(ctx, r)
		return values, err, true
	}
	c.counters.shared.Add(1)
	return values, nil, true
}

// hit tells of a call that was answered from the cache.
func (c *Cache) hit(r *request, took time.Duration) {
	c.tell(Event{Kind: Hit, Key: r.key.Digest(), Function: r.key.function, Version: r.key.version,
		Compute: took, Elapsed: time.Since(r.began)})
}

// direct computes in the caller's goroutine and stores nothing.
func (c *Cache) direct(ctx context.Context, r *request) ([]reflect.Value, error) {
	values, err := r.call(ctx)
	took := time.Since(r.began)
	c.tell(Event{Kind: Miss, Key: r.key.Digest(), Function: r.key.function, Version: r.key.version, Compute: took, Elapsed: took, Err: err})
	return values, err
}

// passThrough reports whether the cache keeps nothing at all.
func (c *Cache) passThrough() bool {
	return c.memory == nil && c.current() == nil
}

// isMiss reports whether err is the plain absence of an entry, or an entry that
// is for somebody else or will not do any more: no fault of the cache.
func isMiss(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errMismatch) || errors.Is(err, errInvalid) || errors.Is(err, ErrFormat)
}
