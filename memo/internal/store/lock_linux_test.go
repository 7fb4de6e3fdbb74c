package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/testdata/numpy"
)

// The environment of a process that holds a lock: the folder, and its pulse.
const (
	holderFolder = "NUMCACHE_TEST_HOLDER"
	holderPulse  = "NUMCACHE_TEST_PULSE"
)

// heldNumber is the lock that such a process holds, some byte far out in the file.
const heldNumber = 1<<61 - 7

func openDir(t *testing.T, path string) *store.Dir {
	t.Helper()
	d, err := store.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// TestHolderProcess is no test by itself, but what the processes run that hold a
// lock until their input ends.
func TestHolderProcess(t *testing.T) {
	dir := os.Getenv(holderFolder)
	if dir == "" {
		t.Skip("for tests with processes only")
	}
	d := openDir(t, dir)
	pulse, err := time.ParseDuration(os.Getenv(holderPulse))
	if err != nil {
		t.Fatal(err)
	}
	d.SetPulse(pulse)
	unlock, err := d.Lock(t.Context(), heldNumber, 0)
	fmt.Println("locked:", err)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Error(err)
	}
}

// holder is a process that holds a lock.
type holder struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.Closer
}

// startHolder starts a process and returns when it has the lock.
func startHolder(t *testing.T, dir string, pulse time.Duration) *holder {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHolderProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), holderFolder+"="+dir, holderPulse+"="+pulse.String())
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	h := &holder{t, cmd, in}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill() // some are stopped
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "locked: <nil>\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return h
}

func (h *holder) signal(s os.Signal) {
	h.t.Helper()
	if err := h.cmd.Process.Signal(s); err != nil {
		h.t.Fatal(err)
	}
}

// TestKilledHolder: one who is killed is replaced within a tenth of a second.
func TestKilledHolder(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	var longest time.Duration
	for range 5 {
		h := startHolder(t, dir, store.Pulse)
		locked := make(chan error)
		go func() {
			unlock, err := d.Lock(t.Context(), heldNumber, time.Minute)
			if err == nil {
				unlock()
			}
			locked <- err
		}()
		// When a second waiter has given up, the first one looks at its slowest.
		if _, err := d.Lock(t.Context(), heldNumber, 100*time.Millisecond); !errors.Is(err, store.ErrLocked) {
			t.Fatalf("a lock that is held: %v", err)
		}
		began := time.Now()
		h.signal(os.Kill)
		if err := <-locked; err != nil {
			t.Fatal(err)
		}
		longest = max(longest, time.Since(began))
	}
	t.Logf("replaced after %v at most", longest)
	if longest > time.Second {
		t.Errorf("replaced after %v only", longest)
	}
}

// TestStoppedHolder: one who is stopped is given up, one who goes on is waited for.
func TestStoppedHolder(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	const patience = 600 * time.Millisecond
	dir := t.TempDir()
	d := openDir(t, dir)
	h := startHolder(t, dir, 20*time.Millisecond)
	lock := func(atMost time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), atMost)
		defer cancel()
		unlock, err := d.Lock(ctx, heldNumber, patience)
		if err == nil {
			unlock()
		}
		return err
	}
	for range 2 {
		if err := lock(2 * patience); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one who lives: %v, want to wait for him", err)
		}
		h.signal(syscall.SIGSTOP)
		began := time.Now()
		if err := lock(time.Minute); !errors.Is(err, store.ErrLocked) {
			t.Errorf("one who is stopped: %v, want ErrLocked", err)
		}
		t.Logf("given up after %v, with a patience of %v", time.Since(began), patience)
		h.signal(syscall.SIGCONT)
	}
	if err := h.in.Close(); err != nil {
		t.Error(err)
	}
	if err := lock(time.Minute); err != nil {
		t.Errorf("one who has gone: %v", err)
	}
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

// TestLockObstacles puts everything but a file in the lock file's place.
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
				if _, err := d.Lock(t.Context(), 1, time.Minute); !errors.Is(err, store.ErrForeign) {
					t.Errorf("Lock: %v; want ErrForeign", err)
				}
			})
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

// pythonLocks is the other language's part of TestLocksInPython. Python's lockf
// takes a lock of the process, as POSIX has it.
const pythonLocks = `
import fcntl

file = None

def answer(command, path, offset):
    global file
    if file is None:
        file = open(path, "r+b")
    try:
        if command != "unlock":
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(offset))
        if command != "lock":
            fcntl.lockf(file, fcntl.LOCK_UN, 1, int(offset))
    except (BlockingIOError, PermissionError):
        return "busy"
    return "free"
`

// TestLocksInPython: the two languages exclude each other, and each sees that the
// other one lives.
func TestLocksInPython(t *testing.T) {
	python := numpy.Start(t, pythonLocks)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, number := range []uint64{0, 77, 1<<61 - 1, 1 << 61, store.MaxLock} {
		// In a bubble, time stands still while Python is asked.
		synctest.Test(t, func(t *testing.T) {
			d := openDir(t, dir)
			ask := func(command string, offset uint64, want string) {
				t.Helper()
				if got := python.Ask(command, filepath.Join(dir, "lock"), fmt.Sprint(offset)); got != want {
					t.Errorf("lock %d: Python's %s of byte %d: %s, want %s", number, command, offset, got, want)
				}
			}
			unlock, err := d.Lock(t.Context(), number, 0)
			if err != nil {
				t.Fatal(err)
			}
			ask("lock", 2*number, "busy")
			for i := range 6 { // before the first sign of life, and after each
				ask("look", 2*number+1, []string{"free", "busy"}[i%2])
				time.Sleep(store.Pulse)
				synctest.Wait()
			}
			unlock()
			ask("look", 2*number+1, "free")

			ask("lock", 2*number, "free")
			if _, err := d.Lock(t.Context(), number, 0); !errors.Is(err, store.ErrLocked) {
				t.Errorf("lock %d, which Python holds: %v, want ErrLocked", number, err)
			}
			began := time.Now()
			result := make(chan error, 1)
			go func() {
				_, err := d.Lock(t.Context(), number, 3*store.Pulse/2)
				result <- err
			}()
			for i := range 20 {
				time.Sleep(store.Pulse)
				ask([]string{"lock", "unlock"}[i%2], 2*number+1, "free")
			}
			err = <-result // no more signs of life
			if took := time.Since(began); !errors.Is(err, store.ErrLocked) || took < 21*store.Pulse || took > 22*store.Pulse {
				t.Errorf("lock %d: waited %v for Python: %v", number, took, err)
			}
			ask("unlock", 2*number, "free")
			if unlock, err = d.Lock(t.Context(), number, 0); err != nil {
				t.Errorf("lock %d, which Python has released: %v", number, err)
			} else {
				unlock()
			}
		})
	}
}
