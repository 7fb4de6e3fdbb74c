package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
				t.Fatalf("lock %d, which Python holds: %v, want ErrLocked", number, err)
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
