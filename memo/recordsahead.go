package memo

import (
	"context"
	"errors"
	"io/fs"

	"github.com/numcache/numcache/memo/internal/store"
)

// recordsAhead reads records ahead of who asks for them, some beside each other, and
// yields them in order.
type recordsAhead struct {
	ctx    context.Context
	cancel context.CancelFunc
	c      *Cache
	s      store.Store
	yield  func(*Record, error) bool

	crew  *crew
	next  []string              // are read one after another
	begun []<-chan []readRecord // in order
	most  int                   // of begun
}

// recordBatch is how many records are read one after another: to hand one over costs
// as much as a part of reading it.
const recordBatch = 4

type readRecord struct {
	record *Record
	err    error
}

func newRecordsAhead(ctx context.Context, c *Cache, s store.Store, yield func(*Record, error) bool) *recordsAhead {
	a := &recordsAhead{c: c, s: s, yield: yield, crew: newCrew()}
	a.ctx, a.cancel = context.WithCancel(ctx)
	return a
}

// stop ends the reading of what nobody asks for any more.
func (a *recordsAhead) stop() {
	a.cancel()
	a.crew.wait()
}

// read has a record read, and yields those before that are due; false where the listing
// is over. It begins with one at a time, so that who wants no more than the first waits
// for no more.
func (a *recordsAhead) read(name string) bool {
	a.next = append(a.next, name)
	if len(a.next) < min(a.most, recordBatch) {
		return true
	}
	a.begin()
	if len(a.begun) <= a.most {
		return true
	}
	a.most = min(a.most+1, inFlight-1)
	return a.yieldNext()
}

// begin has those read that are next.
func (a *recordsAhead) begin() {
	names := a.next
	a.next = nil
	done := make(chan []readRecord, 1)
	a.begun = append(a.begun, done)
	a.crew.do(func() {
		records := make([]readRecord, len(names))
		for i, name := range names {
			r, err := a.c.recordAt(a.ctx, a.s, name)
			records[i] = readRecord{r, err}
		}
		done <- records
	})
}

// yieldNext yields the records that are due.
func (a *recordsAhead) yieldNext() bool {
	next := <-a.begun[0]
	a.begun = a.begun[1:]
	for _, r := range next {
		if err := a.ctx.Err(); err != nil {
			a.yield(nil, &Error{"list", callsFolder, err})
			return false
		}
		if errors.Is(r.err, fs.ErrNotExist) {
			continue // forgotten since it was listed
		}
		if !a.yield(r.record, r.err) {
			return false
		}
	}
	return true
}

// yieldAll yields all that were begun.
func (a *recordsAhead) yieldAll() bool {
	if len(a.next) > 0 {
		a.begin()
	}
	for len(a.begun) > 0 {
		if !a.yieldNext() {
			return false
		}
	}
	return true
}
