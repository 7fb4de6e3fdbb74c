package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/numcache/numcache/memo/internal/store"
)

// leases is the folder of the blobs that stand for locks that are held.
const leases = "lock"

const (
	// A waiter looks soon at first, for most computations are short, and then so that
	// many waiters cost little.
	minPoll = 20 * time.Millisecond
	maxPoll = 250 * time.Millisecond
	// beat is the time between two signs of life; what is left of a [store.Pulse] is for
	// the requests.
	beat = store.Pulse * 2 / 3
	// sure is how long after a sign of life the lease is certainly the holder's own:
	// nobody removes one that was watched for less, see dead.
	sure = 2 * store.Pulse
	// dead is how long a lease must not have changed to be removed.
	dead = 3 * store.Pulse
	// unlockTime bounds what a caller waits for a server that takes no lease back.
	unlockTime = 5 * time.Second
)

func leaseName(number uint64) string { return fmt.Sprintf("%s/%016x", leases, number) }

// Lock implements [store.Store]. A lease is a blob that is made only where there is none
// and rewritten while it is held. Waiters go by whether it changes, as they look, and
// never by its time, so that no clock but their own matters. One that is dead is
// removed by who gave it up, so that it costs nobody else patience.
//
// Where a server does not know conditions each caller has the lock.
func (s *Bucket) Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error) {
	if number > store.MaxLock {
		return nil, fmt.Errorf("lock %d: %w", number, fs.ErrInvalid)
	}
	if s.readOnly {
		return nil, fmt.Errorf("%w: the store is only read", errors.ErrUnsupported)
	}
	b, release, err := s.begin(ctx, "lock", leaseName(number), true)
	if err != nil {
		return nil, err
	}
	l := &lease{store: s, bucket: b, name: leaseName(number), token: rand.Text(), leave: release}
	if err := l.acquire(ctx, patience); err != nil {
		release()
		return nil, err
	}
	l.start()
	return l.release, nil
}

// lease is a lock that is held or waited for.
type lease struct {
	store  *Bucket
	bucket *blob.Bucket
	name   string
	token  string
	leave  func()

	mu       sync.Mutex
	content  string    // as it was last written
	since    time.Time // before it was
	released bool
	lost     bool // to another holder
	timer    *time.Timer
	number   int
}

// acquire makes the lease, or waits for whoever has it as long as he gives signs of life.
func (l *lease) acquire(ctx context.Context, patience time.Duration) error {
	var quiet time.Duration // waited without a change
	last := ""
	for wait := minPoll; ; wait = min(2*wait, maxPoll) {
		err := l.write(ctx, blob.WriterOptions{IfNotExist: true})
		if err == nil {
			return nil
		}
		found, readErr := l.read(ctx)
		if errors.Is(readErr, fs.ErrNotExist) && isCondition(err) {
			found, readErr, wait = "", nil, minPoll // it was given back just now
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case readErr != nil && !isCondition(err):
			return err
		case readErr != nil:
			return readErr
		case found == l.content: // the answer was lost, and the request repeated
			return nil
		}
		if found != last {
			quiet, last = 0, found
		}
		if quiet >= patience {
			if quiet >= dead {
				_ = l.remove(ctx, found)
			}
			return store.ErrLocked
		}
		wait := min(wait/2+mathrand.N(wait), patience-quiet)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.store.closed:
			return fs.ErrClosed
		case <-time.After(wait):
		}
		quiet += wait
	}
}

func isCondition(err error) bool { return errors.Is(err, errCondition) }

// read returns what stands in the lease.
func (l *lease) read(ctx context.Context) (string, error) {
	content, _, err := l.store.get(ctx, l.bucket, l.name, 1<<10)
	return string(content), l.store.fail(ctx, l.bucket, "lock", l.name, err)
}

// write writes what never stood in a lease before.
func (l *lease) write(ctx context.Context, o blob.WriterOptions) error {
	since := time.Now()
	l.number++
	content := fmt.Sprintf("%s %d\n", l.token, l.number)
	o.ContentType = "text/plain"
	bounded, cancel := l.store.within(ctx, 0)
	defer cancel()
	l.content = content
	if err := l.bucket.WriteAll(bounded, l.name, []byte(content), &o); err != nil {
		return l.store.fail(ctx, l.bucket, "lock", l.name, err)
	}
	l.since = since
	return nil
}

// remove removes the lease if it is still that.
func (l *lease) remove(ctx context.Context, found string) error {
	now, err := l.read(ctx)
	if err != nil || now != found {
		return err
	}
	return l.store.delete(ctx, l.bucket, l.name)
}

// start has the holder give signs of life, the first one after a while, so that short
// work pays nothing for them.
func (l *lease) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(beat, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.released || l.lost {
			return
		}
		began := time.Now()
		l.beat()
		l.timer.Reset(max(beat-time.Since(began), beat/4))
	})
}

// beat rewrites the lease, unless it is somebody else's by now.
func (l *lease) beat() {
	ctx, cancel := context.WithTimeout(context.Background(), unlockTime)
	defer cancel()
	watched, _, stop := l.store.watched(ctx)
	defer stop()
	r, err := l.bucket.NewReader(watched, l.name, nil)
	if err != nil {
		l.lost = l.store.missing(l.bucket, err)
		return // else the next one may show
	}
	defer r.Close()
	found := make([]byte, min(r.Size(), 1<<10))
	if err := readWhole(r, found); err != nil {
		return
	}
	if string(found) != l.content {
		// It may be what an earlier request wrote whose answer never came.
		var token string
		var number int
		if n, _ := fmt.Sscan(string(found), &token, &number); n != 2 || token != l.token {
			l.lost = true
			return
		}
	}
	var o blob.WriterOptions
	if d := l.store.driver; d.Tag != nil && d.WriteTagged != nil {
		o.BeforeWrite = d.WriteTagged(d.Tag(r))
	}
	_ = l.write(ctx, o)
}

// release gives the lock back. A second call does nothing.
func (l *lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return
	}
	l.released = true
	l.timer.Stop()
	defer l.leave()
	if l.lost {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(unlockTime, l.store.timeout))
	defer cancel()
	if time.Since(l.since) < sure {
		_ = l.store.delete(ctx, l.bucket, l.name)
	} else {
		_ = l.remove(ctx, l.content)
	}
}
