package memo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/testdata/numpy"
)

// impatient returns a cache with little patience, and the faults it tells.
func impatient(t *testing.T, dir string) (c *Cache, faults *[]error) {
	t.Helper()
	faults = new([]error)
	o := quiet()
	o.Patience = 200 * time.Millisecond
	o.OnEvent = func(e Event) {
		if e.Kind == Fault {
			*faults = append(*faults, e.Err)
		}
	}
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, faults
}

// checkGivenUp calls, while somebody holds the lock and shows no sign of life.
func checkGivenUp(t *testing.T, c *Cache, faults *[]error) {
	t.Helper()
	computed := 0
	began := time.Now()
	got, err := c.Dense(t.Context(), onceKey(0), func(context.Context) (*mat.Dense, error) {
		computed++
		return onceResult(0), nil
	})
	took := time.Since(began)
	if err != nil || !mat.Equal(got, onceResult(0)) || computed != 1 {
		t.Errorf("%v; computed %d times", err, computed)
	}
	if took < c.options.Patience {
		t.Errorf("waited for %v only", took)
	}
	if len(*faults) != 1 || !errors.Is((*faults)[0], store.ErrLocked) || c.Stats().Faults != 1 {
		t.Errorf("faults: %v; want one that wraps ErrLocked", *faults)
	}
	t.Logf("%v; after %v", *faults, took)
}

// TestStoppedProcessIsGivenUp: a process is stopped while it computes, and one who
// waits for it computes when his patience ends.
func TestStoppedProcessIsGivenUp(t *testing.T) {
	needLocks(t)
	dir := t.TempDir()
	c, faults := impatient(t, dir)
	p := startOnceProcess(t, dir, "hold", "")
	if line := p.read(); line != "computing" {
		t.Fatalf("the process says %q", line)
	}
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	checkGivenUp(t, c, faults)
	// What it computes when it goes on is stored in place of the same result.
	if err := errors.Join(p.cmd.Process.Signal(syscall.SIGCONT), p.in.Close(), p.cmd.Wait()); err != nil {
		t.Error(err)
	}
	if r, err := c.Verify(t.Context(), nil); err != nil || r.Records != 1 || len(r.Damaged) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// pythonHolds locks a key as FORMAT.md says, from the key alone.
const pythonHolds = `
import fcntl

file = None

def answer(path, key):
    global file
    file = open(path, "a")
    number = int(key[:16], 16) // 8
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 2 * number)
    return "locked"
`

// TestPythonHoldsTheLock: Go waits for a key that Python computes.
func TestPythonHoldsTheLock(t *testing.T) {
	needLocks(t)
	dir := t.TempDir()
	c, faults := impatient(t, dir)
	python := numpy.Start(t, pythonHolds)
	if got := python.Ask(filepath.Join(dir, "lock"), fmt.Sprint(onceKey(0).Digest())); got != "locked" {
		t.Fatal(got)
	}
	checkGivenUp(t, c, faults)
	if info, err := os.Lstat(filepath.Join(dir, "lock")); err != nil || info.Size() > 0 {
		t.Errorf("the lock file: %v, %v", info, err)
	}
}
