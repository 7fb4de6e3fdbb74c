package tiered

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"

	"github.com/numcache/numcache/memo/internal/store"
)

// notKept notes that a blob went on as it came from the remote store.
func (s *Store) notKept(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unkept) >= maxNoted {
		clear(s.unkept)
	}
	s.unkept[name] = true
}

// Quarantine implements [store.Store]. It reaches the remote blob where that is damaged
// too: where it has the very content that the local one has. What a disk has damaged
// since it came, or a network on its way, does not make it put aside what the remote
// store has intact. From then on what is there already is sent too, for a store that
// has damaged one blob may have damaged others.
func (s *Store) Quarantine(ctx context.Context, name string) error {
	if !s.options.Both(name) {
		return s.local.Quarantine(ctx, name)
	}
	here, hereErr := content(ctx, s.local, name)
	s.queue.forget(name, quarantined)
	if err := s.local.Quarantine(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	remotes := s.unkept[name] && errors.Is(hereErr, fs.ErrNotExist)
	delete(s.unkept, name)
	s.mu.Unlock()
	if hereErr == nil {
		there, err := content(ctx, s.remote, name)
		remotes = err == nil && there == here
	}
	if !remotes {
		return nil
	}
	s.mu.Lock()
	s.distrust = true
	s.mu.Unlock()
	if err := s.remote.Quarantine(ctx, name); err != nil {
		s.options.Fault("quarantine", name, err)
	}
	return nil
}

// content returns a digest of a blob of one of the stores.
func content(ctx context.Context, of store.Store, name string) (sum [sha256.Size]byte, err error) {
	b, err := of.Open(ctx, name)
	if err != nil {
		return sum, err
	}
	defer b.Close()
	h := sha256.New()
	readErr, _ := copyBlob(h, b) // a hash takes everything
	h.Sum(sum[:0])
	return sum, readErr
}
