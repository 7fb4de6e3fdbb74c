package bucket

import (
	"fmt"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

const (
	// failures in a row are what it takes to leave a store alone for restTime: then one
	// operation tries it, and the others go without. A call needs several operations, and
	// should not wait for each of them where it can compute.
	failures = 3
	restTime = 5 * time.Second
)

// rest keeps a program from a store that cannot be had.
type rest struct {
	mu     sync.Mutex
	failed int // in a row
	last   error
	until  time.Time
}

// check returns an error while the store is left alone.
func (r *rest) check() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed < failures {
		return nil
	}
	now := time.Now()
	if now.Before(r.until) {
		return fmt.Errorf("%w: not asked again so soon after: %v", store.ErrUnavailable, r.last)
	}
	r.until = now.Add(restTime) // the caller tries
	return nil
}

// saw tells how an operation ended: nil is one that the server has answered.
func (r *rest) saw(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.failed = 0
		return
	}
	if r.failed, r.last = r.failed+1, err; r.failed >= failures {
		r.until = time.Now().Add(restTime)
	}
}
