package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

func openDir(t *testing.T, path string) *store.Dir {
	t.Helper()
	d, err := store.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// TestSilentHolder: patience is spent to the last, and no longer.
func TestSilentHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDir(t, t.TempDir())
		d.SetPulse(time.Hour)
		unlock, err := d.Lock(t.Context(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		for _, patience := range []time.Duration{1, time.Millisecond, 10 * time.Second, 10*time.Second + 1} {
			began := time.Now()
			_, err := d.Lock(t.Context(), 1, patience)
			if took := time.Since(began); !errors.Is(err, store.ErrLocked) || took != patience {
				t.Errorf("with a patience of %v: %v after %v", patience, err, took)
			}
		}
	})
}

// TestLockLeavesNothing: no file stays open, and the lock file stays as it is.
func TestLockLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	file := filepath.Join(dir, "lock")
	openFiles := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	use := func() {
		unlock, err := d.Lock(t.Context(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Lock(t.Context(), 1, time.Microsecond); !errors.Is(err, store.ErrLocked) {
			t.Fatal(err)
		}
		unlock()
	}
	use()
	info, err := os.Lstat(file)
	if err != nil || info.Mode() != 0o600 || info.Size() != 0 {
		t.Errorf("the lock file: %v, %v", info, err)
	}
	if err := os.WriteFile(file, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := openFiles()
	for range 50 {
		use()
	}
	if after := openFiles(); after > before+5 { // the runtime may open some
		t.Errorf("%d files are open, then %d", before, after)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "somebody's" {
		t.Errorf("the lock file holds %q, %v", b, err)
	}
}

// TestLockObstacles puts everything but a file in the lock file's place: it is put
// aside, and the lock is had.
func TestLockObstacles(t *testing.T) {
	for name, make := range obstacles {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			outside, inside := filepath.Join(base, "outside"), filepath.Join(base, "inside")
			if err := errors.Join(os.Mkdir(outside, 0o700), os.Mkdir(inside, 0o700)); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{filepath.Join(outside, "secret"), filepath.Join(inside, "real")} {
				if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d := openDir(t, inside)
			if err := make(filepath.Join(inside, "lock"), outside, inside); err != nil {
				t.Skip(err) // such as a path too long for a socket
			}
			promptly(t, "Lock", func() {
				unlock, err := d.Lock(t.Context(), 1, time.Minute)
				if err != nil {
					t.Fatalf("Lock: %v", err)
				}
				defer unlock()
				if _, err := d.Lock(t.Context(), 1, 0); !errors.Is(err, store.ErrLocked) {
					t.Errorf("a second Lock: %v; want ErrLocked", err)
				}
			})
			if info, err := os.Lstat(filepath.Join(inside, "lock")); err != nil || !info.Mode().IsRegular() {
				t.Errorf("the lock file is %v, %v", info, err)
			}
			if aside, err := os.ReadDir(filepath.Join(inside, "quarantine")); err != nil || len(aside) != 1 {
				t.Errorf("put aside: %v, %v", aside, err)
			}
			checkOutside(t, outside)
		})
	}
}

// TestNoLocks: what a file system without locks answers is ErrUnsupported.
func TestNoLocks(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := store.SetLock(f, -1); !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("EINVAL: %v", err)
	}
}

// TestCrowd: the program keeps files for itself, however many locks are asked for.
func TestCrowd(t *testing.T) {
	const most = 10
	store.AllowLocks(t, most)
	d := openDir(t, t.TempDir())
	for range 2 {
		var unlocks []func()
		for number := range uint64(2 * most) {
			unlock, err := d.Lock(t.Context(), number, 0)
			switch {
			case number >= most:
				if !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("lock %d of %d: %v, want ErrUnsupported", number, most, err)
				}
			case err != nil:
				t.Errorf("lock %d of %d: %v", number, most, err)
			default:
				unlocks = append(unlocks, unlock)
			}
		}
		for _, unlock := range unlocks {
			unlock()
		}
		// Those that come to nothing count no longer.
		unlock, err := d.Lock(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * most {
			if _, err := d.Lock(t.Context(), 0, 0); !errors.Is(err, store.ErrLocked) {
				t.Errorf("a lock that is held: %v", err)
			}
		}
		unlock()
	}
}

// TestLockNotWritable: of a file that may not be written there are no locks.
func TestLockNotWritable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := openDir(t, dir).Lock(t.Context(), 1, 0); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Lock: %v, want fs.ErrPermission", err)
	}
}

// BenchmarkLock takes a lock that is free, and gives it back.
func BenchmarkLock(b *testing.B) {
	d, err := store.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for b.Loop() {
		unlock, err := d.Lock(b.Context(), 1, time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		unlock()
	}
}

// BenchmarkWaiters has 64 waiters wait for a second, and tells what share of a
// core that takes.
func BenchmarkWaiters(b *testing.B) {
	d, err := store.OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	unlock, err := d.Lock(b.Context(), 1, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unlock()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				if _, err := d.Lock(ctx, 1, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		cancel()
	}
	b.ReportMetric((used()-before).Seconds()/b.Elapsed().Seconds(), "cores")
}
