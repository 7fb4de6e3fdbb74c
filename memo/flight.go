package memo

import (
	"context"
	"errors"
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
	key    array.Digest
	around *flight // in which it is nested, nil where there is none
	cancel context.CancelFunc
	again  bool // it computes a hit again

	waits map[*flight]int // flights that nested calls wait for; guarded by nesting.mu

	// Guarded by Cache.flightsMu.
	callers  int  // still waiting
	shared   bool // more than one ever waited
	orphaned bool // the first one, whose arguments these are, has given up

	// done is closed when the fields below are set.
	done   chan struct{}
	found  bool            // another process computed it: it is in the cache now
	values []reflect.Value // what the function returned, for the first caller
	master []reflect.Value // what the others get copies of, nil where they get nothing
	saved  bool            // they are in the folder
	err    error
	panic  *panicked
	goexit bool
	took   time.Duration
}

// newFlight returns the flight of one caller, to be launched.
func newFlight(key array.Digest) *flight {
	return &flight{key: key, callers: 1, done: make(chan struct{})}
}

// panicked is a panic of a memoized function on its way to the callers.
type panicked struct{ *parallel.PanicError }

func (p *panicked) Error() string {
	return fmt.Sprintf("%v [in a memoized function]\n\n%s", p.Value, p.Stack)
}

// join returns the flight for a key, and whether the caller is its first: then it
// must launch it. It returns nil if a flight has landed since the count was
// landed: the result may be in the cache by now.
func (c *Cache) join(key array.Digest, landed int64) (f *flight, first bool) {
	c.flightsMu.Lock()
	defer c.flightsMu.Unlock()
	if f := c.flights[key]; f != nil {
		f.callers++
		f.shared = true
		return f, false
	}
	if landed >= 0 && landed != c.landed.Load() {
		return nil, false
	}
	f = newFlight(key)
	c.flights[key] = f
	return f, true
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
	c.landed.Add(1)
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
		running, leave := f.enter(running)
		defer leave()
		ended := false
		defer func() {
			if !ended { // by Options.OnEvent
				f.goexit = true
				c.land(r.key.Digest(), f)
			}
		}()
		if !r.refresh {
			values, took, unlock := c.turn(running, r, f)
			defer unlock()
			f.values, f.took, f.found = values, took, values != nil
			if !f.found && r.fails {
				f.err = running.Err() // nobody waits for it any more
			}
			if f.found || f.err != nil {
				ended = true
				c.land(r.key.Digest(), f)
				return
			}
		}
		c.tell(&Event{Kind: Computing, Key: r.key.Digest(), Function: r.key.function, Version: r.key.version})
		ended = true
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
			kept := false
			defer func() {
				if c.land(r.key.Digest(), f) && kept && f.master == nil {
					f.copy(c, sound)
				}
			}()
			if returned && f.err == nil {
				kept = f.keep(ctx, c, r, sound)
			}
		}()
		f.values, f.err = r.callee.compute(running, r.args)
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
	return !orphaned || r.callee.unchanged(r.key, r.args)
}

// keep stores the results, in memory and in the folder, if they are sound once they
// were copied and encoded, and reports whether they were. That they are there does
// not hang on who waits, so it does not end with the callers.
func (f *flight) keep(ctx context.Context, c *Cache, r *request, sound func() bool) (kept bool) {
	err := parallel.Protect(func() error {
		inMemory, err := c.memory.entry(f.values, 0)
		var encoded *stored
		if c.writes() {
			var encodeErr error
			encoded, encodeErr = storeResults(ctx, f.values, c.signer != nil)
			err = errors.Join(err, encodeErr)
		}
		if kept = sound(); !kept {
			return err
		}
		created := c.now()
		if encoded != nil {
			saveErr := c.save(ctx, r.key, encoded, created, f.took)
			f.saved = saveErr == nil
			err = errors.Join(err, saveErr)
		}
		// Behind the folder, from which a reader might otherwise fill the memory with
		// what was there before.
		c.memory.put(r, inMemory, newRecord(r.key, created, f.took))
		if inMemory != nil {
			f.master = inMemory.values
		}
		return err
	})
	if err != nil {
		c.fault(r.key, err)
	}
	return kept
}

// copy takes the results for those who share them before the first caller can
// change them.
func (f *flight) copy(c *Cache, sound func() bool) {
	err := parallel.Protect(func() (err error) {
		f.master, err = c.memory.own(f.values)
		return err
	})
	if err != nil || !sound() {
		f.master = nil
	}
}

// own returns the results as a caller's own copy, or where results are shared as
// everybody's. errMismatch says that there are none of these types.
func (f *flight) own(c *Cache, types []reflect.Type) ([]reflect.Value, error) {
	if f.master == nil || !haveTypes(f.master, types) {
		return nil, errMismatch
	}
	return c.memory.own(f.master)
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
