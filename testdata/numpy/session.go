package numpy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Session is a Python that answers questions until the test ends, for
// comparisons that go back and forth. It belongs to the goroutine of the test.
type Session struct {
	t    testing.TB
	in   io.WriteCloser
	out  *bufio.Reader
	kill func() error
	wait func() error // closes in, waits for the end, and says with stderr why it was none
}

// answers is what makes a script a Session: it calls the script's function
// answer with the words of each line, and writes what it returns on a line.
const answers = `
import sys
for line in sys.stdin:
    print(str(answer(*line.split())).replace("\n", " "), flush=True)
`

// Start runs a Python script that defines a function answer, and returns the
// Session that calls it. The interpreter, and what happens without one, are those
// of [Run].
func Start(t testing.TB, script string) *Session {
	t.Helper()
	python := interpreter(t)
	file := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(file, []byte(script+answers), 0o600); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := exec.Command(python.path, file)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &Session{t: t, in: in, out: bufio.NewReader(out), kill: cmd.Process.Kill}
	s.wait = sync.OnceValue(func() error {
		in.Close()
		defer s.killLater().Stop()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%s: %w\n%s", python.path, err, &errs)
		}
		return nil
	})
	t.Cleanup(func() {
		if err := s.wait(); err != nil && !t.Failed() {
			t.Error(err)
		}
	})
	return s
}

// killLater ends a script that hangs.
func (s *Session) killLater() *time.Timer {
	return time.AfterFunc(runTimeout, func() { s.kill() })
}

// Ask calls answer with words, which have no white space, and returns its result
// as text. The test fails at once where the script does, or gives no answer for
// five minutes.
func (s *Session) Ask(words ...string) string {
	s.t.Helper()
	defer s.killLater().Stop()
	_, err := fmt.Fprintln(s.in, strings.Join(words, " "))
	line := ""
	if err == nil {
		line, err = s.out.ReadString('\n')
	}
	if err != nil {
		s.t.Fatalf("no answer to %q: %v; %v", words, err, s.wait())
	}
	return strings.TrimSuffix(line, "\n")
}
