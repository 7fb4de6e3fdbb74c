// Package tiered is a store of two levels: a local one, which answers where it can, and a
// remote one behind it, from which it takes what it has not, and to which it sends what it
// gets, later. Whatever goes wrong with the remote one, the local one serves.
package tiered

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Options are settings of a store of two levels. The zero value is the defaults.
type Options struct {
	// Both reports whether a blob is in both stores, or else in the local one only; nil
	// where all are.
	Both func(name string) bool
	// Last reports whether a blob is sent behind those that were put before it, as it
	// refers to them; nil where none is.
	Last func(name string) bool
	// LockBoth is Both for locks.
	LockBoth func(number uint64) bool
	// ReadOnly has what only the remote store has be served from there, and not stored.
	ReadOnly bool
	// Arrived, if set, is called when a blob has been fetched into the local store.
	Arrived func(ctx context.Context, name string, size int64)
	// Fault, if set, is told what went wrong without failing a call, from any goroutine.
	Fault func(op, name string, err error)
	// Now is the time that fetched blobs get; nil is time.Now.
	Now func() time.Time

	// MaxCount and MaxBytes bound what waits to be sent, 0 is DefaultCount and
	// DefaultBytes. FlushTimeout bounds what Close waits for it, Retry is the time
	// after which what failed is sent again; 0 is the constant of that name.
	MaxCount     int
	MaxBytes     int64
	FlushTimeout time.Duration
	Retry        time.Duration
}

const (
	// DefaultCount and DefaultBytes bound what waits to be sent: no more than a name is
	// held in memory of it.
	DefaultCount = 10_000
	DefaultBytes = 4 << 30
	// FlushTimeout bounds what Close waits for what is to be sent.
	FlushTimeout = 30 * time.Second
	// Retry is the time after which what could not be sent is sent again.
	Retry = 10 * time.Second
)

// ErrNotSent is what the local store has and the remote one did not get.
var ErrNotSent = errors.New("not sent to the second level")

// Store is a store of two levels.
type Store struct {
	local, remote store.Store
	options       Options
	queue         queue
	locks         locks

	mu        sync.Mutex
	unkept    map[string]bool      // blobs that came from the remote store, and went on as they came
	distrust  bool                 // the remote store had a damaged blob: all is sent anew
	freshened map[string]time.Time // when the remote store last learnt that a blob is used
}

// maxNoted bounds what is noted of blobs; beyond it the notes begin anew.
const maxNoted = 100_000

// New returns the store with the given levels, both of which it closes. It sends blobs
// from a goroutine of its own.
func New(local, remote store.Store, o Options) *Store {
	all := func(string) bool { return true }
	if o.Both == nil {
		o.Both = all
	}
	if o.Last == nil {
		o.Last = func(string) bool { return false }
	}
	if o.LockBoth == nil {
		o.LockBoth = func(uint64) bool { return true }
	}
	if o.Fault == nil {
		o.Fault = func(string, string, error) {}
	}
	if o.Arrived == nil {
		o.Arrived = func(context.Context, string, int64) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxCount == 0 {
		o.MaxCount = DefaultCount
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultBytes
	}
	if o.FlushTimeout == 0 {
		o.FlushTimeout = FlushTimeout
	}
	if o.Retry == 0 {
		o.Retry = Retry
	}
	s := &Store{
		local: local, remote: remote, options: o,
		unkept: map[string]bool{}, freshened: map[string]time.Time{},
	}
	s.locks.pending = map[uint64]*pendingLock{}
	s.queue.start(s)
	return s
}

// Local returns the local store.
func (s *Store) Local() store.Store { return s.local }

// only reports whether the local store's answer err is the last word.
func (s *Store) only(name string, err error) bool {
	return !errors.Is(err, fs.ErrNotExist) || !s.options.Both(name) || s.queue.isGone(name)
}

// missing returns the answer for a blob that the local store has not, and the remote one
// could not be asked for: a fault unless it has not got it either. The local answer it is,
// unless the caller gave up.
func (s *Store) missing(ctx context.Context, op, name string, local, remote error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !errors.Is(remote, fs.ErrNotExist) {
		s.options.Fault(op, name, remote)
	}
	return local
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, name string, limit int64) (b []byte, modified time.Time, err error) {
	b, modified, err = s.local.Get(ctx, name, limit)
	if err == nil || s.only(name, err) {
		return b, modified, err
	}
	b, modified, remoteErr := s.remote.Get(ctx, name, limit)
	if errors.Is(remoteErr, store.ErrTooLarge) {
		s.notKept(name)
		return nil, modified, remoteErr
	}
	if remoteErr != nil {
		return nil, modified, s.missing(ctx, "read", name, err, remoteErr)
	}
	if s.options.ReadOnly {
		return b, modified, nil
	}
	modified = s.options.Now()
	putErr := s.local.Put(ctx, name, store.PutOptions{Modified: modified}, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if putErr != nil {
		s.notKept(name)
		s.options.Fault("write", name, putErr)
	} else {
		s.options.Arrived(ctx, name, int64(len(b)))
	}
	return b, modified, nil
}

// Open implements [store.Store]. A blob that only the remote store has is fetched first.
func (s *Store) Open(ctx context.Context, name string) (store.Blob, error) {
	b, err := s.local.Open(ctx, name)
	if err == nil || s.only(name, err) {
		return b, err
	}
	far, remoteErr := s.remote.Open(ctx, name)
	if remoteErr != nil {
		return nil, s.missing(ctx, "read", name, err, remoteErr)
	}
	if s.options.ReadOnly {
		return far, nil
	}
	readErr, putErr := s.fetch(ctx, name, far)
	if readErr == nil && putErr == nil {
		b, putErr = s.local.Open(ctx, name)
		if putErr == nil {
			_ = far.Close() // all of it was read
			s.options.Arrived(ctx, name, b.Size())
			return b, nil
		}
	}
	if readErr != nil {
		_ = far.Close()
		return nil, s.missing(ctx, "read", name, err, readErr)
	}
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, far.Close())
	}
	s.notKept(name)
	s.options.Fault("write", name, putErr)
	return far, nil // it can be read, if not kept
}

// fetch copies a blob of the remote store into the local one. The errors are those of the
// one and of the other.
func (s *Store) fetch(ctx context.Context, name string, far store.Blob) (readErr, putErr error) {
	putErr = s.local.Put(ctx, name, store.PutOptions{Modified: s.options.Now()}, func(w io.Writer) error {
		var err error
		readErr, err = copyBlob(w, far)
		return errors.Join(readErr, err)
	})
	return readErr, putErr
}

// step is how much of a blob is copied at once: each is a request to a server.
const step = 8 << 20

// copyBlob copies a whole blob. The errors are those of reading and of writing.
func copyBlob(w io.Writer, b store.Blob) (readErr, writeErr error) {
	p := make([]byte, min(b.Size(), step))
	for offset := int64(0); offset < b.Size(); {
		p = p[:min(int64(len(p)), b.Size()-offset)]
		n, err := b.ReadAt(p, offset)
		if n < len(p) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err, nil
		}
		if _, err := w.Write(p); err != nil {
			return nil, err
		}
		offset += int64(n)
	}
	return nil, nil
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, name string) (store.Info, error) {
	info, err := s.local.Stat(ctx, name)
	if err == nil || s.only(name, err) {
		return info, err
	}
	info, remoteErr := s.remote.Stat(ctx, name)
	if remoteErr != nil {
		return store.Info{}, s.missing(ctx, "stat", name, err, remoteErr)
	}
	return info, nil
}

// Put implements [store.Store]. When it has returned the local store has the blob.
func (s *Store) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	size, err := int64(0), error(nil)
	err = s.local.Put(ctx, name, o, counting(&size, write))
	if err == nil {
		s.send(name, size)
	}
	return err
}

// PutIfAbsent implements [store.Store]. What the local store has already is sent too,
// for the remote one may not have it.
func (s *Store) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (written bool, err error) {
	length := max(size, 0)
	written, err = s.local.PutIfAbsent(ctx, name, size, o, counting(&length, write))
	if err == nil {
		s.send(name, length)
	}
	return written, err
}

// PutTogether implements [store.Together] where the local store does. The blobs are sent in
// their order, which has those first that the last one may refer to.
func (s *Store) PutTogether(ctx context.Context, blobs []store.NewBlob, modified time.Time) (name string, err error) {
	local, ok := s.local.(store.Together)
	if !ok {
		return "", errors.ErrUnsupported
	}
	counted, sizes := slices.Clone(blobs), make([]int64, len(blobs))
	for i := range counted {
		counted[i].Write = counting(&sizes[i], counted[i].Write)
	}
	name, err = local.PutTogether(ctx, counted, modified)
	if err == nil {
		for i, b := range blobs {
			s.send(b.Name, sizes[i])
		}
	}
	return name, err
}

// counting has size be the number of bytes that write writes.
func counting(size *int64, write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		*size = 0
		return write(countingWriter{w, size})
	}
}

type countingWriter struct {
	w    io.Writer
	size *int64
}

func (c countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	*c.size += int64(n)
	return n, err
}

// send queues a blob for the remote store.
func (s *Store) send(name string, size int64) {
	if !s.options.Both(name) {
		return
	}
	s.mu.Lock()
	delete(s.unkept, name) // what is there now is ours
	s.mu.Unlock()
	if err := s.queue.add(item{name: name, size: size}); err != nil {
		s.options.Fault("send", name, err)
	}
}

// Freshen implements [store.Store]. The remote store learns it once an hour at most.
func (s *Store) Freshen(ctx context.Context, name string, modified time.Time) error {
	err := s.local.Freshen(ctx, name, modified)
	if err == nil && s.options.Both(name) && s.stale(name) {
		_ = s.queue.add(item{name: name, freshen: true, modified: modified}) // it does not matter enough for a fault
	}
	return err
}

// stale reports whether the remote store is to learn that a blob is used, and notes that
// it does.
func (s *Store) stale(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.freshened[name]) < time.Hour {
		return false
	}
	if len(s.freshened) >= maxNoted {
		clear(s.freshened)
	}
	s.freshened[name] = time.Now()
	return true
}

// List implements [store.Store]. It lists the local store, and that alone.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return s.local.List(ctx, prefix)
}

// Sweep implements [store.Store], for the local store.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int64, error) {
	return s.local.Sweep(ctx, now)
}

// Delete implements [store.Store]. An error may mean that the remote store still has the
// blob, which comes back then.
func (s *Store) Delete(ctx context.Context, name string) error {
	err := s.local.Delete(ctx, name)
	if err != nil || !s.options.Both(name) {
		return err
	}
	s.queue.forget(name, deleted)
	if err := s.remote.Delete(ctx, name); err != nil {
		return fmt.Errorf("the second level may still have it: %w", err)
	}
	return nil
}

// Close implements [store.Store]. It waits until what is to be sent has been, no longer
// than Options.FlushTimeout, and tells as a fault what was not.
func (s *Store) Close() error {
	left := s.queue.close(s.options.FlushTimeout)
	if left > 0 {
		s.options.Fault("close", "", fmt.Errorf("%w: %d files, which this folder keeps", ErrNotSent, left))
	}
	s.locks.releaseAll()
	return errors.Join(s.local.Close(), s.remote.Close())
}
