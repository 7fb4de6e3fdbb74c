package guarded

import (
	"context"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// callbackError is the error of a callback, which says nothing about the store.
type callbackError struct{ error }

// Put implements [store.Store].
func (g *Store) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	return g.do(ctx, func(ctx context.Context, timer *time.Timer) error {
		return g.put(timer, write, func(write func(io.Writer) error) error { return g.s.Put(ctx, name, o, write) })
	})
}

// PutIfAbsent implements [store.Store].
func (g *Store) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (written bool, err error) {
	err = g.do(ctx, func(ctx context.Context, timer *time.Timer) error {
		return g.put(timer, write, func(write func(io.Writer) error) (err error) {
			written, err = g.s.PutIfAbsent(ctx, name, size, o, write)
			return err
		})
	})
	return written, err
}

// put has a blob put, with a timer that is set again with each write.
func (g *Store) put(timer *time.Timer, write func(io.Writer) error, put func(write func(io.Writer) error) error) error {
	var own error
	err := put(func(w io.Writer) error {
		progress := progressWriter{w: w, timer: timer, timeout: g.options.Timeout}
		own = write(&progress)
		if progress.err != nil {
			own = nil // it is the store's
			return progress.err
		}
		// What the store has only kept until now, it sends.
		timer.Reset(g.options.Timeout + time.Duration(progress.written/slowest)*time.Second)
		return own
	})
	if err != nil && own != nil {
		return callbackError{err}
	}
	return err
}

// progressWriter sets a timer again with each write.
type progressWriter struct {
	w       io.Writer
	timer   *time.Timer
	timeout time.Duration
	written int64
	err     error // of w
}

func (p *progressWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.written += int64(n)
	if err != nil {
		p.err = err
	}
	p.timer.Reset(p.timeout)
	return n, err
}

// Open implements [store.Store].
func (g *Store) Open(ctx context.Context, name string) (store.Blob, error) {
	// The blob may need the context as long as it is open.
	bounded, stop := context.WithCancelCause(ctx)
	var b store.Blob
	err := g.doBounded(ctx, bounded, stop, func(*time.Timer) (err error) {
		b, err = g.s.Open(bounded, name)
		return err
	})
	if err != nil {
		stop(nil)
		return nil, err
	}
	return &blob{b, g, ctx, bounded, stop}, nil
}

// blob is an open blob with a guard on each read.
type blob struct {
	store.Blob
	g            *Store
	ctx, bounded context.Context
	stop         context.CancelCauseFunc
}

// ReadAt implements [io.ReaderAt].
func (b *blob) ReadAt(p []byte, offset int64) (n int, err error) {
	// That the blob has ended is no fault, and nothing for others to wait for.
	err = b.g.doBounded(b.ctx, b.bounded, b.stop, func(*time.Timer) (err error) {
		n, err = b.Blob.ReadAt(p, offset)
		return err
	})
	return n, err
}

// Close implements [io.Closer].
func (b *blob) Close() error {
	defer b.stop(nil)
	return b.Blob.Close()
}

// List implements [store.Store].
func (g *Store) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		ended := false
		err := g.do(ctx, func(ctx context.Context, timer *time.Timer) error {
			for info, err := range g.s.List(ctx, prefix) {
				if err != nil {
					return err
				}
				timer.Stop() // the caller takes his time
				if !yield(info, nil) {
					ended = true
					return nil
				}
				timer.Reset(g.options.Timeout)
			}
			return nil
		})
		if err != nil && !ended {
			yield(store.Info{}, err)
		}
	}
}

// Lock implements [store.Store]. Its waiting is not bounded, for the holder may live and
// work long; but a store that does not answer meanwhile ends it.
func (g *Store) Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error) {
	if g.resting() { // who waits for a lock is not the one to try
		return nil, ErrResting
	}
	var release func()
	held, stop := context.WithCancelCause(ctx) // as long as the lock is held: it may need it
	err = g.doBounded(ctx, held, stop, func(timer *time.Timer) (err error) {
		timer.Stop()
		probing, end := context.WithCancel(held)
		var probe sync.WaitGroup
		probe.Go(func() { g.probe(probing, stop) })
		defer probe.Wait()
		defer end()
		release, err = g.s.Lock(held, number, patience)
		return err
	})
	if err != nil {
		stop(nil)
		return nil, err
	}
	return func() {
		release()
		stop(nil)
	}, nil
}

// probe looks at times whether the store is there, until ctx ends. If it is not, it
// calls stop.
func (g *Store) probe(ctx context.Context, stop context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(g.options.Timeout):
		}
		bounded, end := context.WithTimeoutCause(ctx, g.options.Timeout, errSlow)
		_, err := g.s.Stat(bounded, "format.json")
		how, _ := g.judge(ctx, bounded, err)
		end()
		if how == failed || how == slow {
			stop(errSlow)
			return
		}
	}
}
