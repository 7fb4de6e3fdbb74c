package blobstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// leaseOf7 is the blob of lock 7.
const leaseOf7 = "lock/0000000000000007"

// TestDeadHolder: a lease of a process that died costs one waiter its patience, and
// nobody after that; and a live one is not taken for dead by its times.
func TestDeadHolder(t *testing.T) {
	t.Parallel()
	s := needServer(t)
	st := openStore(t, url(s.address, s.bucket(t)))
	ctx := t.Context()
	if err := st.Put(ctx, leaseOf7, store.PutOptions{}, text("of the dead 1\n")); err != nil {
		t.Fatal(err)
	}
	const patience = 3 * store.Pulse
	began := time.Now()
	if _, err := st.Lock(ctx, 7, patience); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("%v, want ErrLocked", err)
	}
	if took := time.Since(began); took < patience {
		t.Errorf("gave up after %v", took)
	}
	began = time.Now()
	unlock, err := st.Lock(ctx, 7, patience)
	if err != nil || time.Since(began) > patience/2 {
		t.Fatalf("the next one: %v after %v", err, time.Since(began))
	}
	unlock()
}

// TestTakenLease: a holder whose lease was taken from it leaves the new one alone.
func TestTakenLease(t *testing.T) {
	t.Parallel()
	s := needServer(t)
	st := openStore(t, url(s.address, s.bucket(t)))
	ctx := t.Context()
	unlock, err := st.Lock(ctx, 7, 0)
	if err != nil {
		t.Fatal(err)
	}
	const other = "another holder 1\n"
	if err := st.Put(ctx, leaseOf7, store.PutOptions{}, text(other)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * store.Pulse / 2) // the server has no clock of ours; two signs of life are due
	unlock()
	if b, _, err := st.Get(ctx, leaseOf7, 100); err != nil || string(b) != other {
		t.Errorf("the lease of the new holder: %q, %v", b, err)
	}
}

// TestSweep removes what died long ago, and that alone.
func TestSweep(t *testing.T) {
	s := needServer(t)
	bucket := s.bucket(t)
	st := openStore(t, url(s.address, bucket))
	ctx := context.Background()
	unlock, err := st.Lock(ctx, 7, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := st.Put(ctx, "a/b", store.PutOptions{}, text("x")); err != nil {
		t.Fatal(err)
	}
	// An upload that nobody ends, because the process does not get to it.
	stopped, release, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- st.Put(ctx, "a/large", store.PutOptions{}, func(w io.Writer) error {
			if err := inPieces(noise(1, 40<<20))(w); err != nil {
				return err
			}
			stopped <- true
			<-release
			return errors.New("given up")
		})
	}()
	<-stopped
	uploads := func() int {
		left, _ := filepath.Glob(filepath.Join(s.folder, bucket, ".sgwtmp", "multipart", "*", "*"))
		return len(left)
	}
	again(t, func() error { // parts are still on their way
		parts, err := filepath.Glob(filepath.Join(s.folder, bucket, ".sgwtmp", "multipart", "*", "*", "*"))
		if len(parts) < 2 {
			return fmt.Errorf("%d parts, %w", len(parts), err)
		}
		return nil
	})
	if freed, err := st.Sweep(ctx, time.Now()); err != nil || freed != 0 || uploads() != 1 {
		t.Errorf("what is in use: freed %d, %v, %d uploads", freed, err, uploads())
	}
	if freed, err := st.Sweep(ctx, time.Now().Add(25*time.Hour)); err != nil || freed < 8<<20 || uploads() != 0 {
		t.Errorf("a day later: freed %d, %v, %d uploads", freed, err, uploads())
	}
	close(release)
	<-done
	if _, err := st.Stat(ctx, "a/b"); err != nil {
		t.Error(err)
	}
	if _, err := st.Stat(ctx, leaseOf7); err == nil {
		t.Error("the lease is there a day later")
	}
}
