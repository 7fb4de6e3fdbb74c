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
	r := request{key: k, fails: true, began: clock(), callee: producer[T](compute)}
	types := [...]reflect.Type{reflect.TypeFor[T]()}
	if values, ok := c.recall(ctx, &r, types[:]); ok {
		return one[T](values, nil)
	}
	// Results of a type that is not supported are not in memory either.
	result := doResultOf(types[0])
	if result.err != nil {
		return none, result.err
	}
	r.types = result.types
	return one[T](c.answer(ctx, &r))
}

// Refresh is [Do] without looking: it computes, and stores the result in place of
// what the cache holds for the key. If compute fails, that stays.
func Refresh[T any](ctx context.Context, c *Cache, k Key, compute func(context.Context) (T, error)) (T, error) {
	var none T
	if c == nil || compute == nil {
		return none, fmt.Errorf("%w cache or function given to Refresh", ErrNil)
	}
	r, err := doRequest(k, compute)
	if err != nil {
		return none, err
	}
	r.refresh = true
	return one[T](c.answer(ctx, &r))
}

// doRequest is the request of a call of Do.
func doRequest[T any](k Key, compute func(context.Context) (T, error)) (request, error) {
	result := doResultOf(reflect.TypeFor[T]())
	return request{key: k, types: result.types, fails: true, began: clock(), callee: producer[T](compute)}, result.err
}

// producer is what Do computes with.
type producer[T any] func(context.Context) (T, error)

func (p producer[T]) compute(ctx context.Context, _ []reflect.Value) ([]reflect.Value, error) {
	v, err := p(ctx)
	return []reflect.Value{reflect.ValueOf(&v).Elem()}, err
}

func (producer[T]) unchanged(Key, []reflect.Value) bool { return true } // nobody knows

// one returns the one result of a call of Do.
func one[T any](values []reflect.Value, err error) (T, error) {
	if len(values) == 0 {
		var none T
		return none, err
	}
	if v := values[0]; v.CanAddr() {
		return *v.Addr().Interface().(*T), err // Interface alone would allocate
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

// doResult is what is known of a type as the result of Do.
type doResult struct {
	types []reflect.Type // it alone
	err   error          // of checkResult
}

var doResults sync.Map // reflect.Type → *doResult

func doResultOf(t reflect.Type) *doResult {
	if known, ok := doResults.Load(t); ok {
		return known.(*doResult)
	}
	result := &doResult{[]reflect.Type{t}, checkResult(t)}
	doResults.Store(t, result)
	return result
}

// request is one call on its way through the cache.
type request struct {
	key     Key
	types   []reflect.Type // of the results
	fails   bool           // the function can return an error
	refresh bool           // compute, whatever the cache holds
	began   time.Duration  // when the call did, on clock: for Func before its arguments were hashed
	// saved, if set, learns whether the results were computed and stored.
	saved *bool
	// cause is why the cache did not answer.
	cause error
	// inMemory is set where the results came from the memory tier.
	inMemory bool
	// valid reports whether an entry will do; nil where every one does.
	valid func(*Record) bool

	callee callee
	args   []reflect.Value
}

// clock tells the time for measuring how long something takes. It does so at half the
// cost of time.Now, which a hit in memory notices.
func clock() time.Duration { return time.Since(clockStart) }

var clockStart = time.Now()

// callee is what a call calls.
type callee interface {
	// compute calls the function. Its results count only without an error.
	compute(ctx context.Context, args []reflect.Value) ([]reflect.Value, error)
	// unchanged reports whether the arguments are still those of the key, for a
	// caller who gave up may use their memory again.
	unchanged(k Key, args []reflect.Value) bool
}

// maxAttempts bounds how often a call looks into the cache again because some
// other computation ended between its look and its turn.
const maxAttempts = 3

// do is the heart of Func and Wrap, as its two halves are of Do.
func (c *Cache) do(ctx context.Context, r *request) ([]reflect.Value, error) {
	if values, ok := c.recall(ctx, r, r.types); ok {
		return values, nil
	}
	return c.answer(ctx, r)
}

// recall answers a call from memory, with results of the given types, and reports
// whether it did. It keeps no pointer to the request, so that nobody need allocate one.
func (c *Cache) recall(ctx context.Context, r *request, types []reflect.Type) ([]reflect.Value, bool) {
	if c.memory == nil || r.refresh || r.key.check() != nil || r.fails && ctx != nil && ctx.Err() != nil {
		return nil, false
	}
	r.key.sum, r.key.summed = c.memory.digest(&r.key), true
	values, took, ok := c.memory.get(r, types)
	if !ok {
		return nil, false
	}
	r.inMemory = true
	c.hit(r, took)
	if c.options.Recompute > 0 {
		c.recompute(r.caller(ctx), *r, values)
	}
	return values, true
}

// caller is the context with which the call of ctx ends: where the function cannot
// return an error, with none.
func (r *request) caller(ctx context.Context) context.Context {
	if !r.fails {
		return withoutCancel(orBackground(ctx))
	}
	return orBackground(ctx)
}

// answer answers a call that memory does not. It keeps no pointer to the request.
func (c *Cache) answer(ctx context.Context, r *request) ([]reflect.Value, error) {
	ctx = orBackground(ctx)
	caller := r.caller(ctx)
	if err := caller.Err(); err != nil {
		return nil, err
	}
	if err := r.key.check(); err != nil {
		c.fault(r.key, err)
		return c.direct(ctx, r)
	}
	r.key = r.key.withSum()
	if c.passThrough() {
		return c.direct(ctx, r)
	}
	return c.look(ctx, caller, *r)
}

// look looks into the cache until the call is answered or computed. It takes the
// request by value, as flights keep pointers to it.
func (c *Cache) look(ctx, caller context.Context, r request) ([]reflect.Value, error) {
	if r.refresh {
		values, err, _ := c.board(ctx, &r, newFlight(r.key.digest()), true)
		return values, err
	}
	for attempt := 1; ; attempt++ {
		landed := c.landed.Load()
		if attempt == maxAttempts {
			landed = -1
		}
		values, took, err := c.lookup(caller, &r)
		if err == nil {
			c.hit(&r, took)
			if c.options.Recompute > 0 {
				c.recompute(caller, r, values)
			}
			return values, nil
		}
		if err := caller.Err(); err != nil {
			return nil, err
		}
		if !isMiss(err) {
			c.fault(r.key, err)
		}
		if r.cause == nil { // later ones are of what others computed
			r.cause = err
		}
		f, first := c.join(r.key.digest(), landed)
		if f == nil {
			continue
		}
		if values, err, done := c.board(ctx, &r, f, first); done {
			return values, err
		}
	}
}

// lookup returns what the cache holds for a call, from memory or else from the
// folder, and what it took to compute. The results belong to the caller.
func (c *Cache) lookup(ctx context.Context, r *request) (values []reflect.Value, took time.Duration, err error) {
	if values, took, r.inMemory = c.memory.get(r, r.types); r.inMemory {
		return values, took, nil
	}
	changes := c.memory.changes(r)
	values, record, err := c.load(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	c.memory.fill(r, values, record, changes)
	return values, record.Duration, nil
}

// board takes a caller along on a flight, and returns its outcome. It is not done
// where the results are in the cache now, for everybody to look up.
func (c *Cache) board(ctx context.Context, r *request, f *flight, first bool) (values []reflect.Value, err error, done bool) {
	around := flightAround(ctx)
	stop, ok := around.waitFor(f)
	if !ok {
		c.leave(r.key.digest(), f, false)
		ctx, leave := around.enter(ctx)
		defer leave()
		values, err = c.direct(ctx, r)
		return values, err, true
	}
	defer stop()
	if first {
		f.around = around
		c.launch(ctx, r, f)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(r.key.digest(), f, first)
		if r.fails {
			return nil, ctx.Err(), true
		}
		<-f.done
	}
	f.rethrow()
	if r.saved != nil {
		*r.saved = f.saved
	}
	switch {
	case first && f.found:
		c.hit(r, f.took)
		return f.values, nil, true
	case first:
		c.tell(&Event{Kind: Miss, Key: r.key.digest(), Function: r.key.function, Version: r.key.version,
			Compute: f.took, Elapsed: clock() - r.began, Err: f.err, missed: c.missed(r)})
		return f.values, f.err, true
	case f.found:
		return nil, nil, false
	case f.err != nil && r.fails && !errors.As(f.err, new(*linkError)):
		c.share(r)
		return nil, f.err, true // what was returned beside the error is the first caller's
	}
	values, err = f.own(c, r.types)
	if err != nil {
		// What cannot be copied is not shared.
		values, err = c.direct(ctx, r)
		return values, err, true
	}
	c.share(r)
	return values, nil, true
}

// share tells of a call that was answered with another's computation.
func (c *Cache) share(r *request) {
	c.counters.shared.Add(1)
	c.unwritten.note(r.key.function, &FunctionStats{Shared: 1}, c.now)
}

// hit tells of a call that was answered from the cache.
func (c *Cache) hit(r *request, took time.Duration) {
	if r.inMemory {
		c.counters.memoryHits.Add(1)
	}
	c.tell(&Event{Kind: Hit, Key: r.key.digest(), Function: r.key.function, Version: r.key.version,
		Compute: took, Elapsed: clock() - r.began})
}

// direct computes in the caller's goroutine and stores nothing.
func (c *Cache) direct(ctx context.Context, r *request) ([]reflect.Value, error) {
	c.tell(&Event{Kind: Computing, Key: r.key.digest(), Function: r.key.function, Version: r.key.version})
	values, err := r.callee.compute(ctx, r.args)
	took := clock() - r.began
	c.tell(&Event{Kind: Miss, Key: r.key.digest(), Function: r.key.function, Version: r.key.version, Compute: took, Elapsed: took, Err: err, missed: c.missed(r)})
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
