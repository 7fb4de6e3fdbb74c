package tiered

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
	// maxRound is how much is sent in one round: first, several at once, what others may
	// refer to, then what refers to it.
	maxRound = 256
	senders  = 8
	// maxAttempts bounds how often a blob is sent that the remote store refuses, where
	// it is not the store that is not available.
	maxAttempts = 3
)

// item is something to be done at the remote store, in its turn.
type item struct {
	name     string
	size     int64
	freshen  bool // set its time, rather than send it
	modified time.Time
	release  func() // a lock that is given back, rather than a blob
	attempts int
}

// mark is what has happened to a blob while it was sent.
type mark int

const (
	nothing     mark = iota
	deleted          // it is deleted again, behind that
	quarantined      // so it is where it was not there before
)

// queue holds what is to be sent, by name: it is read from the local store when its turn
// comes.
type queue struct {
	s      *Store
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine that sends has ended

	mu       sync.Mutex
	items    []item
	waiting  map[string]bool // blobs in items
	bytes    int64
	full     bool            // nothing is taken until half has been sent
	sending  map[string]mark // blobs under way
	closing  bool
	wake     chan struct{} // has a token when there may be something to do
	deadline chan struct{} // closed when the queue closes
}

func (q *queue) start(s *Store) {
	q.s = s
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.done, q.wake, q.deadline = make(chan struct{}), make(chan struct{}, 1), make(chan struct{})
	q.waiting, q.sending = map[string]bool{}, map[string]mark{}
	go q.run()
}

// add queues an item, or refuses it. Once one was refused none is taken until there is
// much room again, so that hardly ever a blob is sent that refers to one that was not.
func (q *queue) add(i item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closing:
		return fmt.Errorf("%w: the cache is closed", ErrNotSent)
	case i.release != nil:
	case !i.freshen && q.waiting[i.name]:
		return nil // what stands there when its turn comes is sent
	default:
		count, bytes := len(q.items), q.bytes+i.size
		if q.full {
			count, bytes = 2*count, 2*bytes
		}
		q.full = count >= q.s.options.MaxCount || len(q.items) > 0 && bytes > q.s.options.MaxBytes
		if q.full {
			return fmt.Errorf("%w: more waits already than may", ErrNotSent)
		}
		if !i.freshen {
			q.waiting[i.name] = true
		}
		q.bytes += i.size
	}
	q.items = append(q.items, i)
	q.notify()
	return nil
}

// notify wakes the goroutine that sends; q.mu is locked.
func (q *queue) notify() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// forget takes a blob off the queue that is there no more, and says so of one that is
// being sent.
func (q *queue) forget(name string, m mark) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := q.items[:0]
	for _, i := range q.items {
		if i.release == nil && i.name == name {
			q.bytes -= i.size
			continue
		}
		kept = append(kept, i)
	}
	clear(q.items[len(kept):])
	q.items = kept
	delete(q.waiting, name)
	if _, ok := q.sending[name]; ok {
		q.sending[name] = m
	}
}

// isGone reports whether a blob that may still be sent is there no more.
func (q *queue) isGone(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sending[name] != nothing && !q.waiting[name]
}

// take returns the items of the next round, none when the queue is closed and empty.
func (q *queue) take() []item {
	for {
		q.mu.Lock()
		n := min(len(q.items), maxRound)
		round, closing := append([]item(nil), q.items[:n]...), q.closing
		clear(q.items[:n])
		q.items = q.items[n:]
		for _, i := range round {
			q.bytes -= i.size
			if i.release == nil && !i.freshen {
				delete(q.waiting, i.name)
				q.sending[i.name] = nothing
			}
		}
		q.mu.Unlock()
		if n > 0 || closing {
			return round
		}
		<-q.wake
	}
}

// putBack puts items of a round before those that came meanwhile.
func (q *queue) putBack(failed []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var back []item
	for _, i := range failed {
		if q.sending[i.name] != nothing || q.waiting[i.name] {
			continue
		}
		q.waiting[i.name] = true
		q.bytes += i.size
		back = append(back, i)
	}
	q.items = append(back, q.items...)
	clear(q.sending)
}

// run sends until the queue is closed and empty, or what is left cannot be sent.
func (q *queue) run() {
	defer close(q.done)
	for {
		round := q.take()
		if len(round) == 0 {
			return
		}
		failed := q.send(round)
		q.putBack(failed)
		if len(failed) == 0 {
			continue
		}
		select {
		case <-time.After(q.s.options.Retry):
		case <-q.deadline:
			if q.ctx.Err() != nil || q.hopeless() {
				return
			}
		}
	}
}

// hopeless sends once more, for a queue that is being closed, and reports whether it
// still could not.
func (q *queue) hopeless() bool {
	failed := q.send(q.take())
	q.putBack(failed)
	return len(failed) > 0
}

// send sends the items of a round, and returns those that are to be sent again. Locks are
// given back whether or not what was put under them could be sent.
func (q *queue) send(round []item) (failed []item) {
	var first, last []item
	for _, i := range round {
		switch {
		case i.release != nil:
			defer i.release()
		case q.s.options.Last(i.name) && !i.freshen:
			last = append(last, i)
		default:
			first = append(first, i)
		}
	}
	if failed = q.sendAll(first); len(failed) > 0 {
		return append(failed, last...) // they may refer to what is not there yet
	}
	return q.sendAll(last)
}

// sendAll sends items, several at once.
func (q *queue) sendAll(items []item) (failed []item) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan item)
	for range min(senders, len(items)) {
		wg.Go(func() {
			for i := range next {
				if again := q.sendOne(&i); again {
					mu.Lock()
					failed = append(failed, i)
					mu.Unlock()
				}
			}
		})
	}
	for _, i := range items {
		next <- i
	}
	close(next)
	wg.Wait()
	return failed
}

// sendOne sends a blob, and reports whether it is to be sent again.
func (q *queue) sendOne(i *item) (again bool) {
	if i.freshen {
		_ = q.s.remote.Freshen(q.ctx, i.name, i.modified)
		return false
	}
	written, err := q.s.upload(q.ctx, i.name)
	if err == nil || errors.Is(err, fs.ErrNotExist) { // it was removed since
		q.settle(i.name, written)
		return false
	}
	if q.ctx.Err() != nil {
		return true
	}
	q.s.options.Fault("send", i.name, err)
	if !errors.Is(err, store.ErrUnavailable) {
		if i.attempts++; i.attempts >= maxAttempts {
			return false
		}
	}
	return true
}

// settle deletes a blob again that was deleted while it was sent, or put aside as damaged:
// then only where that has brought it there.
func (q *queue) settle(name string, written bool) {
	q.mu.Lock()
	m := q.sending[name]
	if m == nothing {
		delete(q.sending, name)
	}
	q.mu.Unlock()
	if m == nothing {
		return
	}
	if m == deleted || written {
		if err := q.s.remote.Delete(q.ctx, name); err != nil {
			q.s.options.Fault("forget", name, err)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.sending, name)
}

// upload sends a blob as the local store has it. One that is there already is not sent,
// unless it refers to others, or may be damaged there.
func (s *Store) upload(ctx context.Context, name string) (written bool, err error) {
	b, err := s.local.Open(ctx, name)
	if err != nil {
		return false, err
	}
	defer b.Close()
	s.mu.Lock()
	anew := s.distrust || s.options.Last(name)
	s.mu.Unlock()
	o := store.PutOptions{Modified: b.Modified()}
	write := func(w io.Writer) error {
		readErr, writeErr := copyBlob(w, b)
		return errors.Join(readErr, writeErr)
	}
	if anew {
		written, err = true, s.remote.Put(ctx, name, o, write)
	} else {
		written, err = s.remote.PutIfAbsent(ctx, name, b.Size(), o, write)
	}
	return written, err
}

// close sends what waits, no longer than timeout, and returns how many blobs were not
// sent.
func (q *queue) close(timeout time.Duration) (left int) {
	q.mu.Lock()
	if !q.closing {
		q.closing = true
		close(q.deadline)
		q.notify()
	}
	q.mu.Unlock()
	timer := time.AfterFunc(timeout, q.cancel)
	<-q.done
	timer.Stop()
	q.cancel()
	q.mu.Lock()
	items := q.items
	q.items, q.waiting, q.bytes = nil, map[string]bool{}, 0
	q.mu.Unlock()
	for _, i := range items {
		switch {
		case i.release != nil:
			i.release()
		case !i.freshen:
			left++
		}
	}
	return left
}
