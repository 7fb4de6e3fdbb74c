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
	values, err := c.do(ctx, k, []reflect.Type{t}, true, computation{began: time.Now(), call: func(ctx context.Context) ([]reflect.Value, error) {
		v, err := compute(ctx)
		return []reflect.Value{reflect.ValueOf(&v).Elem()}, err
	}})
	if len(values) == 0 {
		return none, err
	}
	return values[0].Interface().(T), err
}

// Dense is [Do] for a matrix. It is not generic, for interpreters that skip
// generic functions.
func (c *Cache) Dense(ctx context.Context, k Key, compute func(context.Context) (*mat.Dense, error)) (*mat.Dense, error) {
	return Do(ctx, c, k, compute)
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

// computation is what a call does on a miss.
type computation struct {
	began time.Time // when the call did: for Func before its arguments were hashed
	// call calls the function. Its results count only without an error.
	call func(context.Context) ([]reflect.Value, error)
	// unchanged reports whether the arguments are still those of the key, for a
	// caller who gave up may use their memory again; nil where nobody knows.
	unchanged func() bool
}

// maxAttempts bounds how often a call looks into the cache again because some
// other computation ended between its look and its turn.
const maxAttempts = 3

// do is the heart of Do, Func and Wrap. fails says that the function can return
// an error; where it cannot, the call does not end with its context.
func (c *Cache) do(ctx context.Context, k Key, types []reflect.Type, fails bool, compute computation) ([]reflect.Value, error) {
	began := compute.began
	ctx = orBackground(ctx)
	caller := ctx
	if !fails {
		caller = context.WithoutCancel(ctx)
	}
	if err := caller.Err(); err != nil {
		return nil, err
	}
	if err := k.Err(); err != nil {
		c.fault(k, err)
		return c.direct(ctx, k, began, compute)
	}
	if c.passThrough() {
		return c.direct(ctx, k, began, compute)
	}
	k = k.withSum()
	key := k.Digest()
	for attempt := 1; ; attempt++ {
		landed := c.landedFlights()
		if attempt == maxAttempts {
			landed = -1
		}
		values, record, err := c.load(caller, k, types)
		if err == nil {
			c.tell(Event{Kind: Hit, Key: key, Function: k.function, Version: k.version,
				Compute: record.Duration, Elapsed: time.Since(began)})
			return values, nil
		}
		if err := caller.Err(); err != nil {
			return nil, err
		}
		if !isMiss(err) {
			c.fault(k, err)
		}
		f, first := c.join(key, landed)
		if f == nil {
			continue
		}
		if first {
			c.launch(ctx, k, key, f, compute)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			c.leave(key, f, first)
			if fails {
				return nil, ctx.Err()
			}
			<-f.done
		}
		return c.arrived(ctx, f, first, k, began, types, fails, compute)
	}
}

// arrived returns a finished flight's outcome to one of its callers.
func (c *Cache) arrived(ctx context.Context, f *flight, first bool, k Key, began time.Time, types []reflect.Type, fails bool, compute computation) ([]reflect.Value, error) {
	f.rethrow()
	if first {
		c.tell(Event{Kind: Miss, Key: k.Digest(), Function: k.function, Version: k.version,
			Compute: f.took, Elapsed: time.Since(began), Err: f.err})
		return f.values, f.err
	}
	if f.err != nil && fails {
		c.counters.shared.Add(1)
		return nil, f.err // what was returned beside the error is the first caller's
	}
	values, err := f.own(types)
	if err != nil {
		// What cannot be copied is not shared.
		return c.direct(ctx, k, began, compute)
	}
	c.counters.shared.Add(1)
	return values, nil
}

// direct computes in the caller's goroutine and stores nothing.
func (c *Cache) direct(ctx context.Context, k Key, began time.Time, compute computation) ([]reflect.Value, error) {
	values, err := compute.call(ctx)
	took := time.Since(began)
	c.tell(Event{Kind: Miss, Key: k.Digest(), Function: k.function, Version: k.version, Compute: took, Elapsed: took, Err: err})
	return values, err
}

// passThrough reports whether the cache keeps nothing at all.
func (c *Cache) passThrough() bool {
	s, release := c.use()
	defer release()
	return s == nil
}

// isMiss reports whether err is the plain absence of an entry, or an entry that
// is for somebody else: no fault of the cache.
func isMiss(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errMismatch) || errors.Is(err, ErrFormat)
}
