package storetest

import (
	"context"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Faulty is a store whose operations can be made to fail. Its operations are the
// methods of a Store, and each read of an open blob and each write of a callback:
// they are counted in the order in which they begin.
type Faulty struct {
	store.Store
	faults
}

// faults decide which operations fail, and count them.
type faults struct {
	mu     sync.Mutex
	count  int
	fail   func(i int, op string) error
	failed []string
}

// Fail makes the operations fail for which f returns an error, counted from 0
// again. A nil f heals what failed.
func (s *faults) Fail(f func(i int, op string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count, s.fail, s.failed = 0, f, nil
}

// Count returns the number of operations since the last Fail.
func (s *faults) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Failed returns the names of the operations that failed since the last Fail.
func (s *faults) Failed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *faults) do(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.count
	s.count++
	if s.fail == nil {
		return nil
	}
	err := s.fail(i, op)
	if err != nil {
		s.failed = append(s.failed, op)
	}
	return err
}

// Get implements [store.Store].
func (s *Faulty) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	if err := s.do("get"); err != nil {
		return nil, time.Time{}, err
	}
	return s.Store.Get(ctx, name, limit)
}

// Open implements [store.Store].
func (s *Faulty) Open(ctx context.Context, name string) (store.Blob, error) {
	if err := s.do("open"); err != nil {
		return nil, err
	}
	blob, err := s.Store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return faultyBlob{blob, s}, nil
}

type faultyBlob struct {
	store.Blob
	s *Faulty
}

func (b faultyBlob) ReadAt(p []byte, offset int64) (int, error) {
	if err := b.s.do("read"); err != nil {
		// Half of it arrives, as from a disk that breaks.
		n, _ := b.Blob.ReadAt(p[:len(p)/2], offset)
		return n, err
	}
	return b.Blob.ReadAt(p, offset)
}

// Put implements [store.Store].
func (s *Faulty) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	if err := s.do("put"); err != nil {
		return err
	}
	if err := s.Store.Put(ctx, name, o, s.writes(write)); err != nil {
		return err
	}
	// A fault here is one after the fact: a sync, an answer that is lost.
	return s.do("put, done")
}

// PutIfAbsent implements [store.Store].
func (s *Faulty) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (written bool, err error) {
	if err := s.do("put if absent"); err != nil {
		return false, err
	}
	written, err = s.Store.PutIfAbsent(ctx, name, size, o, s.writes(write))
	if err != nil {
		return written, err
	}
	return written, s.do("put if absent, done")
}

// Freshen implements [store.Store].
func (s *Faulty) Freshen(ctx context.Context, name string, modified time.Time) error {
	if err := s.do("freshen"); err != nil {
		return err
	}
	return s.Store.Freshen(ctx, name, modified)
}

// Lock implements [store.Store].
func (s *Faulty) Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error) {
	if err := s.do("lock"); err != nil {
		return nil, err
	}
	return s.Store.Lock(ctx, number, patience)
}

// Sweep implements [store.Store].
func (s *Faulty) Sweep(ctx context.Context, now time.Time) (int64, error) {
	if err := s.do("sweep"); err != nil {
		return 0, err
	}
	return s.Store.Sweep(ctx, now)
}

func (s *Faulty) writes(write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error { return write(faultyWriter{w, s}) }
}

type faultyWriter struct {
	w io.Writer
	s *Faulty
}

func (w faultyWriter) Write(p []byte) (int, error) {
	if err := w.s.do("write"); err != nil {
		n, _ := w.w.Write(p[:len(p)/2])
		return n, err
	}
	return w.w.Write(p)
}

// Stat implements [store.Store].
func (s *Faulty) Stat(ctx context.Context, name string) (store.Info, error) {
	if err := s.do("stat"); err != nil {
		return store.Info{}, err
	}
	return s.Store.Stat(ctx, name)
}

// List implements [store.Store].
func (s *Faulty) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		// One operation opens the folder, and one looks for each next blob.
		if fault := s.do("list"); fault != nil {
			yield(store.Info{}, fault)
			return
		}
		for info, err := range s.Store.List(ctx, prefix) {
			if !yield(info, err) {
				return
			}
			if fault := s.do("list"); fault != nil {
				yield(store.Info{}, fault)
				return
			}
		}
	}
}

// Delete implements [store.Store].
func (s *Faulty) Delete(ctx context.Context, name string) error {
	if err := s.do("delete"); err != nil {
		return err
	}
	return s.Store.Delete(ctx, name)
}

// Quarantine implements [store.Store].
func (s *Faulty) Quarantine(ctx context.Context, name string) error {
	if err := s.do("quarantine"); err != nil {
		return err
	}
	return s.Store.Quarantine(ctx, name)
}
