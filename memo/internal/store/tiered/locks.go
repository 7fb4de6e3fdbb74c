package tiered

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// locks are locks of the remote store that are given back when what was put under them
// has been sent: else the next one to hold them would not find it there.
type locks struct {
	mu      sync.Mutex
	pending map[uint64]*pendingLock // by number
}

// pendingLock is one that is to be given back, or just is.
type pendingLock struct {
	release func()
	begun   bool
	done    chan struct{} // closed when it was
}

// Lock implements [store.Store]: the local lock comes first, then the remote one, so that
// of each machine one waits there. Without the remote one, for it may not be there, the
// local one has to do.
func (s *Store) Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error) {
	near, err := s.local.Lock(ctx, number, patience)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) || s.options.ReadOnly || !s.options.LockBoth(number) {
		return near, err
	}
	if near == nil {
		near = func() {}
	}
	far := s.locks.takeOver(number)
	if far == nil {
		farLock, farErr := s.remote.Lock(ctx, number, patience)
		switch {
		case farErr == nil:
			far = farLock
		case ctx.Err() != nil, errors.Is(farErr, store.ErrLocked):
			near()
			return nil, farErr
		default:
			if !errors.Is(farErr, errors.ErrUnsupported) {
				s.options.Fault("lock", "lock", farErr)
			}
			if err != nil {
				return nil, err
			}
			return near, nil
		}
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			p := s.locks.later(number, far)
			if s.queue.add(item{release: func() { s.locks.release(number, p) }}) != nil {
				s.locks.release(number, p) // the queue is closed
			}
			near()
		})
	}, nil
}

// later notes a lock that is to be given back.
func (l *locks) later(number uint64, release func()) *pendingLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &pendingLock{release: release, done: make(chan struct{})}
	l.pending[number] = p
	return p
}

// takeOver returns what gives back a lock that is still held here, for the next one who
// wants it; nil where there is none. One that is just given back is waited for.
func (l *locks) takeOver(number uint64) (release func()) {
	l.mu.Lock()
	p := l.pending[number]
	if p == nil {
		l.mu.Unlock()
		return nil
	}
	if p.begun {
		l.mu.Unlock()
		<-p.done
		return nil
	}
	delete(l.pending, number)
	l.mu.Unlock()
	return p.release
}

// release gives a lock back, unless somebody has taken it over.
func (l *locks) release(number uint64, p *pendingLock) {
	l.mu.Lock()
	if l.pending[number] != p || p.begun {
		l.mu.Unlock()
		return
	}
	p.begun = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.pending, number)
		close(p.done)
	}()
	p.release()
}

// releaseAll gives back what was to be.
func (l *locks) releaseAll() {
	l.mu.Lock()
	pending := maps.Clone(l.pending)
	l.mu.Unlock()
	for number, p := range pending {
		l.release(number, p)
	}
}
