package memo

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
)

// rerun is a command that runs one test of this binary in a process of its own.
func rerun(test string, environment ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.count=1", "-test.timeout=0")
	cmd.Env = append(os.Environ(), environment...)
	return cmd
}

// process is one that is talked to, in lines.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startProcess runs a test that begins with saying ready. It is killed with the
// test that started it.
func startProcess(t *testing.T, test string, environment ...string) *process {
	t.Helper()
	return startCommand(t, rerun(test, environment...))
}

// startCommand is startProcess for a command that is made already.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill() // some are stopped
		_ = cmd.Wait()
	})
	p := &process{t, cmd, in, bufio.NewReader(out)}
	if line := p.read(); line != "ready" {
		t.Fatalf("a process says %q", line)
	}
	return p
}

func (p *process) read() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("a process says %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// checkNoLocks fails the test if anyone holds a lock of the cache in dir: its own,
// or that of one of the keys.
func checkNoLocks(t *testing.T, dir string, keys ...array.Digest) {
	t.Helper()
	d, err := store.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	numbers := []uint64{collectorLock, ledgerLock}
	for _, k := range keys {
		numbers = append(numbers, keyLock(k))
	}
	for _, number := range numbers {
		unlock, err := d.Lock(t.Context(), number, 0)
		switch {
		case err == nil:
			unlock()
		case !errors.Is(err, errors.ErrUnsupported):
			t.Errorf("lock %d is left: %v", number, err)
		}
	}
}
