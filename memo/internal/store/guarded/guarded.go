// Package guarded keeps a store that may not answer, as one on a server, from holding up
// a program: what makes no progress ends, and a store that has failed is left alone for a
// while, so that a server that is down costs one wait and not one for each call.
package guarded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

const (
	// Timeout bounds the time in which an operation makes no progress.
	Timeout = 20 * time.Second
	// Pause is how long a store is left alone that did not answer in time, and
	// FailurePause one that failed at once: to try that again costs little.
	Pause        = 30 * time.Second
	FailurePause = 5 * time.Second

	// maxFailures is how many operations fail, one after the other, before the store is
	// left alone. One that did not answer in time is enough.
	maxFailures = 3
	// slowest is the rate, in bytes a second, at which a blob is sent at least that was
	// written as a whole before.
	slowest = 1 << 20
)

// ErrResting is a store that is left alone, as it has failed before. It is an
// [store.ErrUnavailable].
var ErrResting = fmt.Errorf("%w: it is left alone for a while, as it has failed before", store.ErrUnavailable)

// errSlow ends an operation that makes no progress.
var errSlow = errors.New("no answer in time")

// Options are settings of a guarded store. The zero value is the defaults.
type Options struct {
	Timeout, Pause time.Duration // 0 is the constants of these names; a Pause is both
	// Prepare, if set, is called before the first operation, and again before later
	// ones until it returns nil. Its errors are those of a store that has failed.
	Prepare func(ctx context.Context, s store.Store) error
}

// Store is a store with a guard.
type Store struct {
	s       store.Store
	options Options
	failure time.Duration // how long the store is left alone that failed at once

	preparing chan struct{} // holds one token while nobody prepares

	mu       sync.Mutex
	prepared bool
	failures int       // one after the other
	until    time.Time // the store is left alone; zero where it has not failed
	trying   bool      // somebody tries whether it is there again
}

// New returns s with a guard, which closes it.
func New(s store.Store, o Options) *Store {
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	failure := o.Pause
	if o.Pause == 0 {
		o.Pause, failure = Pause, FailurePause
	}
	g := &Store{s: s, options: o, failure: failure, preparing: make(chan struct{}, 1), prepared: o.Prepare == nil}
	g.preparing <- struct{}{}
	return g
}

// Ready prepares the store, if that was not done yet.
func (g *Store) Ready(ctx context.Context) error {
	return g.do(ctx, func(context.Context, *time.Timer) error { return nil })
}

// admit reports a store that is left alone. Else the operation goes on, and ends with
// settle; trial says that it finds out whether the store is there again.
func (g *Store) admit() (trial bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until.IsZero() {
		return false, nil
	}
	if g.trying || time.Now().Before(g.until) {
		return false, ErrResting
	}
	g.trying = true
	return true, nil
}

// resting reports whether the store has failed, and was not there again since.
func (g *Store) resting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.until.IsZero()
}

// outcome is how an operation ended, as far as the store is concerned.
type outcome int

const (
	unknown outcome = iota // the caller has ended it
	answered
	failed
	slow
)

// settle notes how an operation ended.
func (g *Store) settle(trial bool, o outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if trial {
		g.trying = false
	}
	switch o {
	case answered:
		g.failures, g.until = 0, time.Time{}
	case failed, slow:
		if g.failures++; o == slow || trial || g.failures >= maxFailures {
			pause := g.failure
			if o == slow {
				pause = g.options.Pause
			}
			g.until = time.Now().Add(pause)
		}
	}
}

// judge tells how an operation ended with err, and returns what the caller is told.
func (g *Store) judge(ctx, bounded context.Context, err error) (outcome, error) {
	switch {
	case err == nil:
		return answered, nil
	case ctx.Err() != nil:
		return unknown, err
	case context.Cause(bounded) == errSlow:
		return slow, fmt.Errorf("%w: no answer within %v", store.ErrUnavailable, g.options.Timeout)
	}
	for _, answer := range []error{fs.ErrNotExist, store.ErrForeign, store.ErrTooLarge, store.ErrLocked, errors.ErrUnsupported, fs.ErrInvalid, fs.ErrClosed, io.EOF} {
		if errors.Is(err, answer) {
			return answered, err
		}
	}
	return failed, err
}

// do performs an operation that ends where it makes no progress: when the timer that it
// gets, and may set again, has run out.
func (g *Store) do(ctx context.Context, f func(ctx context.Context, timer *time.Timer) error) error {
	bounded, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	return g.doBounded(ctx, bounded, stop, func(timer *time.Timer) error { return f(bounded, timer) })
}

func (g *Store) doBounded(ctx, bounded context.Context, stop context.CancelCauseFunc, f func(*time.Timer) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	trial, err := g.admit()
	if err != nil {
		return err
	}
	how := unknown // also where f panics
	defer func() { g.settle(trial, how) }()
	timer := time.AfterFunc(g.options.Timeout, func() { stop(errSlow) })
	defer timer.Stop()
	if err = g.prepare(bounded); err == nil {
		timer.Reset(g.options.Timeout)
		err = f(timer)
	}
	var own callbackError
	if errors.As(err, &own) {
		return own.error
	}
	how, err = g.judge(ctx, bounded, err)
	return err
}

// prepare calls Options.Prepare where nobody has with success.
func (g *Store) prepare(ctx context.Context) error {
	g.mu.Lock()
	prepared := g.prepared
	g.mu.Unlock()
	if prepared {
		return nil
	}
	select {
	case <-g.preparing:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { g.preparing <- struct{}{} }()
	g.mu.Lock()
	prepared = g.prepared
	g.mu.Unlock()
	if prepared {
		return nil
	}
	err := g.options.Prepare(ctx, g.s)
	if err == nil {
		g.mu.Lock()
		g.prepared = true
		g.mu.Unlock()
	}
	return err
}

// Get implements [store.Store].
func (g *Store) Get(ctx context.Context, name string, limit int64) (b []byte, modified time.Time, err error) {
	err = g.do(ctx, func(ctx context.Context, _ *time.Timer) (err error) {
		b, modified, err = g.s.Get(ctx, name, limit)
		return err
	})
	return b, modified, err
}

// Stat implements [store.Store].
func (g *Store) Stat(ctx context.Context, name string) (info store.Info, err error) {
	err = g.do(ctx, func(ctx context.Context, _ *time.Timer) (err error) {
		info, err = g.s.Stat(ctx, name)
		return err
	})
	return info, err
}

// Freshen implements [store.Store].
func (g *Store) Freshen(ctx context.Context, name string, modified time.Time) error {
	return g.do(ctx, func(ctx context.Context, _ *time.Timer) error { return g.s.Freshen(ctx, name, modified) })
}

// Delete implements [store.Store].
func (g *Store) Delete(ctx context.Context, name string) error {
	return g.do(ctx, func(ctx context.Context, _ *time.Timer) error { return g.s.Delete(ctx, name) })
}

// Quarantine implements [store.Store].
func (g *Store) Quarantine(ctx context.Context, name string) error {
	return g.do(ctx, func(ctx context.Context, _ *time.Timer) error { return g.s.Quarantine(ctx, name) })
}

// Sweep implements [store.Store]. It takes the time it takes.
func (g *Store) Sweep(ctx context.Context, now time.Time) (freed int64, err error) {
	err = g.do(ctx, func(ctx context.Context, timer *time.Timer) (err error) {
		timer.Stop()
		freed, err = g.s.Sweep(ctx, now)
		return err
	})
	return freed, err
}

// Close implements [store.Store].
func (g *Store) Close() error { return g.s.Close() }
