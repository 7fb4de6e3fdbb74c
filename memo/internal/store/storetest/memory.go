package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Memory is a store in memory: it shows that nothing above the seam needs a file
// system, and makes tests with many thousand writes quick. The zero Memory is
// ready for use.
type Memory struct {
	// FixedTimes has it tell the times at which blobs were written and no others, as
	// the servers of object stores do.
	FixedTimes bool

	mu     sync.Mutex
	closed bool
	blobs  map[string]memoryBlob
	aside  int                      // blobs put aside
	locks  map[uint64]chan struct{} // each closed when it is free
}

type memoryBlob struct {
	content  []byte
	modified time.Time
}

// Blobs returns what the store holds, as a copy.
func (s *Memory) Blobs() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	blobs := map[string][]byte{}
	for name, b := range s.blobs {
		blobs[name] = bytes.Clone(b.content)
	}
	return blobs
}

// Aside returns how many blobs were put aside.
func (s *Memory) Aside() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.aside
}

// Set gives a blob any content.
func (s *Memory) Set(name string, content []byte) { s.set(name, bytes.Clone(content), time.Time{}) }

func (s *Memory) set(name string, content []byte, modified time.Time) {
	if modified.IsZero() || s.FixedTimes {
		modified = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blobs == nil {
		s.blobs = map[string]memoryBlob{}
	}
	s.blobs[name] = memoryBlob{content, modified}
}

// begin checks a call and locks the store, for the caller to unlock if the error
// is nil.
func (s *Memory) begin(ctx context.Context, op, name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return fs.ErrClosed
	}
	return nil
}

func (s *Memory) lookup(ctx context.Context, op, name string) (memoryBlob, error) {
	if err := s.begin(ctx, op, name); err != nil {
		return memoryBlob{}, err
	}
	defer s.mu.Unlock()
	b, ok := s.blobs[name]
	if !ok {
		return b, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return b, nil
}

// Get implements [store.Store].
func (s *Memory) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	b, err := s.lookup(ctx, "get", name)
	if err == nil && int64(len(b.content)) > limit {
		err = fmt.Errorf("%w: %d bytes", store.ErrTooLarge, len(b.content))
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return bytes.Clone(b.content), b.modified, nil
}

// Open implements [store.Store].
func (s *Memory) Open(ctx context.Context, name string) (store.Blob, error) {
	b, err := s.lookup(ctx, "open", name)
	if err != nil {
		return nil, err
	}
	return openMemory{bytes.NewReader(b.content), b.modified}, nil
}

type openMemory struct {
	*bytes.Reader
	modified time.Time
}

func (b openMemory) Modified() time.Time { return b.modified }

func (openMemory) Close() error { return nil }

// Put implements [store.Store].
func (s *Memory) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	if err := s.begin(ctx, "put", name); err != nil {
		return err
	}
	s.mu.Unlock() // write may take its time
	var content bytes.Buffer
	if err := errors.Join(write(&content), ctx.Err()); err != nil {
		return err
	}
	s.set(name, content.Bytes(), o.Modified)
	return nil
}

// PutIfAbsent implements [store.Store].
func (s *Memory) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (written bool, err error) {
	if s.reuse(ctx, name, size, o) {
		return false, nil
	}
	if o.Durable {
		return true, s.Put(ctx, name, o, write)
	}
	var content bytes.Buffer
	if err := errors.Join(write(&content), ctx.Err()); err != nil {
		return true, err
	}
	if s.reuse(ctx, name, size, o) { // it came meanwhile
		return false, nil
	}
	return true, s.Put(ctx, name, o, func(w io.Writer) error { _, err := w.Write(content.Bytes()); return err })
}

// reuse sets the time of a blob of the given size, and reports whether there is one.
func (s *Memory) reuse(ctx context.Context, name string, size int64, o store.PutOptions) bool {
	b, err := s.lookup(ctx, "put", name)
	if err != nil || int64(len(b.content)) != size && size >= 0 {
		return false
	}
	if ahead := b.modified.Sub(o.Modified); !o.Modified.IsZero() && ahead > 0 && ahead <= store.MaxAhead {
		o.Modified = b.modified
	}
	s.set(name, b.content, o.Modified)
	return true
}

// Freshen implements [store.Store].
func (s *Memory) Freshen(ctx context.Context, name string, modified time.Time) error {
	b, err := s.lookup(ctx, "freshen", name)
	if err == nil {
		s.set(name, b.content, modified)
	}
	return err
}

// Lock implements [store.Store]. Who holds a lock lives: he is in this process.
func (s *Memory) Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error) {
	if number > store.MaxLock {
		return nil, fmt.Errorf("lock %d: %w", number, fs.ErrInvalid)
	}
	for {
		if err := s.begin(ctx, "lock", "lock"); err != nil {
			return nil, err
		}
		held, ok := s.locks[number]
		if !ok {
			return s.hold(number), nil
		}
		s.mu.Unlock()
		if patience <= 0 {
			return nil, store.ErrLocked
		}
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hold takes a free lock, and unlocks the store.
func (s *Memory) hold(number uint64) (unlock func()) {
	defer s.mu.Unlock()
	if s.locks == nil {
		s.locks = map[uint64]chan struct{}{}
	}
	held := make(chan struct{})
	s.locks[number] = held
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.locks[number] == held {
			delete(s.locks, number)
			close(held)
		}
	}
}

// Stat implements [store.Store].
func (s *Memory) Stat(ctx context.Context, name string) (store.Info, error) {
	b, err := s.lookup(ctx, "stat", name)
	return store.Info{Name: name, Size: int64(len(b.content)), Modified: b.modified}, err
}

// List implements [store.Store].
func (s *Memory) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		folder := prefix + "/"
		if prefix == "." {
			prefix, folder = "all", ""
		}
		if err := s.begin(ctx, "list", prefix); err != nil {
			yield(store.Info{}, err)
			return
		}
		var found []store.Info
		for name, b := range s.blobs {
			if strings.HasPrefix(name, folder) {
				found = append(found, store.Info{Name: name, Size: int64(len(b.content)), Modified: b.modified})
			}
		}
		s.mu.Unlock()
		slices.SortFunc(found, func(a, b store.Info) int { return strings.Compare(a.Name, b.Name) })
		for _, info := range found {
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Delete implements [store.Store].
func (s *Memory) Delete(ctx context.Context, name string) error {
	if err := s.begin(ctx, "delete", name); err != nil {
		return err
	}
	defer s.mu.Unlock()
	delete(s.blobs, name)
	return nil
}

// Sweep implements [store.Store]: nothing is left behind here.
func (s *Memory) Sweep(ctx context.Context, _ time.Time) (int64, error) { return 0, ctx.Err() }

// Quarantine implements [store.Store].
func (s *Memory) Quarantine(ctx context.Context, name string) error {
	if err := s.begin(ctx, "quarantine", name); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.blobs[name]; ok {
		delete(s.blobs, name)
		s.aside++
	}
	return nil
}

// Close implements [store.Store].
func (s *Memory) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for number, held := range s.locks {
		delete(s.locks, number)
		close(held)
	}
	return nil
}
