package memo

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/parallel"
)

// flight is the computation of one key, for all the callers in this process that
// ask for it meanwhile. It runs in a goroutine of its own, so that the caller
// who came first can give up without ending it for the others; when the last one
// has given up, its context ends.
type flight struct {
	cancel context.CancelFunc

	// Guarded by Cache.flightsMu.
	callers  int  // still waiting
	shared   bool // more than one ever waited
	orphaned bool // the first one, whose arguments these are, has given up

	// done is closed when the fields below are set.
	done   chan struct{}
	found  bool            // another process computed it: it is in the cache now
	values []reflect.Value // what the function returned, for the first caller
	stored *stored         // for the others, nil where it could not be encoded
	saved  bool            // they are in the folder
	copies map[array.Digest]array.Any
	err    error
	panic  *panicked
	goexit bool
	took   time.Duration
}

// newFlight returns the flight of one caller, to be launched.
func newFlight() *flight { return &flight{callers: 1, done: make(chan struct{})} }

// panicked is a panic of a memoized function on its way to the callers.
type panicked struct{ *parallel.PanicError }

func (p *panicked) Error() string {
	return fmt.Sprintf("%v [in a memoized function]\n\n%s", p.Value, p.Stack)
}

// join returns the flight for a key, and whether the caller is its first: then it
// must launch it. It returns nil if a flight has landed since the count was
// landed: the result may be in the cache by now.
func (c *Cache) join(key array.Digest, landed int) (f *flight, first bool) {
	c.flightsMu.Lock()
	defer c.flightsMu.Unlock()
	if f := c.flights[key]; f != nil {
		f.callers++
		f.shared = true
		return f, false
	}
	if landed >= 0 && landed != c.landed {
		return nil, false
	}
	f = newFlight()
	c.flights[key] = f
	return f, true
}

// landedFlights counts the flights that ended.
func (c *Cache) landedFlights() int {
	c.flightsMu.Lock()
	defer c.flightsMu.Unlock()
	return c.landed
}

// leave takes one caller off the flight. The last one ends it, and later callers
// start anew.
func (c *Cache) leave(key array.Digest, f *flight, first bool) {
	c.flightsMu.Lock()
	defer c.flightsMu.Unlock()
	f.orphaned = f.orphaned || first
	if f.callers--; f.callers > 0 {
		return
	}
	f.cancel()
	if c.flights[key] == f {
		delete(c.flights, key)
	}
}

// land takes the flight off the list, so that nobody joins it any more, and
// reports whether more than one caller ever waited.
func (c *Cache) land(key array.Digest, f *flight) (shared bool) {
	c.flightsMu.Lock()
	defer c.flightsMu.Unlock()
	c.landed++
	if c.flights[key] == f {
		delete(c.flights, key)
	}
	return f.shared
}

// launch computes and stores in the background, when it is this process's turn. The
// function's context has the values of ctx and lives as long as somebody waits.
func (c *Cache) launch(ctx context.Context, r *request, f *flight) {
	ctx = context.WithoutCancel(ctx)
	running, cancel := context.WithCancel(ctx)
	f.cancel = cancel
	go func() {
		defer close(f.done)
		defer cancel()
		if !r.refresh {
			values, took, unlock := c.turn(running, r)
			defer unlock()
			f.values, f.took, f.found = values, took, values != nil
			if !f.found && r.fails {
				f.err = running.Err() // nobody waits for it any more
			}
			if f.found || f.err != nil {
				c.land(r.key.Digest(), f)
				return
			}
		}
		began, returned := time.Now(), false
		// Deferred, because the function may end this goroutine in any way.
		defer func() {
			f.took = time.Since(began)
			if !returned {
				f.goexit = true
				if v := recover(); v != nil {
					f.goexit, f.panic = false, &panicked{&parallel.PanicError{Value: v, Stack: debug.Stack()}}
				}
			}
			sound := func() bool { return running.Err() == nil && c.sound(f, r) }
			defer func() {
				if c.land(r.key.Digest(), f) && f.stored != nil {
					f.copy()
					if !sound() {
						f.stored = nil
					}
				}
			}()
			if returned && f.err == nil {
				f.keep(ctx, c, r, sound)
			}
		}()
		f.values, f.err = r.call(running)
		returned = true
	}()
}

// sound reports whether the results are those of the key's arguments for certain.
// A caller who gave up may use the memory of the arguments again while the function
// still reads them, or while results that share it are encoded. Together with a
// context that has not ended, for a function that is told to stop may return
// anything, this decides what is kept.
func (c *Cache) sound(f *flight, r *request) bool {
	c.flightsMu.Lock()
	orphaned := f.orphaned
	c.flightsMu.Unlock()
	return !orphaned || r.unchanged == nil || r.unchanged()
}

// keep encodes the results and stores them if they are sound then. That they are
// there does not hang on who waits, so it does not end with the callers.
func (f *flight) keep(ctx context.Context, c *Cache, r *request, sound func() bool) {
	err := parallel.Protect(func() error {
		results, err := storeResults(ctx, f.values)
		if err != nil || !sound() {
			return err
		}
		f.stored = results
		created := c.now()
		c.memory.put(r, f.values, created, f.took)
		if c.options.ReadOnly {
			return nil
		}
		err = c.save(ctx, r.key, results, created, f.took)
		f.saved = err == nil
		return err
	})
	if err != nil {
		c.fault(r.key, err)
	}
}

// copy takes the arrays of the results before the first caller can change them.
func (f *flight) copy() {
	f.copies = make(map[array.Digest]array.Any, len(f.stored.objects))
	for _, o := range f.stored.objects {
		a, err := array.Copy(o.source)
		if err != nil {
			f.stored = nil
			return
		}
		f.copies[o.digest] = a
	}
}

// own returns the results as a caller's own copy.
func (f *flight) own(types []reflect.Type) ([]reflect.Value, error) {
	if f.stored == nil {
		return nil, errMismatch
	}
	d := resultDecoder{load: func(ref arrayRef) (array.Any, error) {
		a := f.copies[ref.Digest]
		if a == nil {
			return nil, errMismatch
		}
		return array.Copy(a)
	}}
	return d.results(f.stored.json, types)
}

// rethrow ends the caller's goroutine as the function ended its own.
func (f *flight) rethrow() {
	if f.panic != nil {
		panic(f.panic)
	}
	if f.goexit {
		runtime.Goexit()
	}
}
