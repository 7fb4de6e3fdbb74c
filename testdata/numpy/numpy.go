// Package numpy runs Python with NumPy for tests that compare this project
// with the original: the bytes of np.save, keys computed by Python, entries
// that one language writes and the other reads.
//
// It is for tests only. The go command leaves testdata out of patterns such as
// ./..., so the package is in no list of what this module offers, yet the tests
// of every package can import it by its path. Its own tests run when it is
// named: go test ./testdata/numpy.
//
// # Which Python
//
// The environment variable NUMCACHE_PYTHON names the interpreter, as a path or
// as a name on PATH. Without it the candidates are python3 on PATH,
// /usr/bin/python3 and python3.9 to python3.14 on PATH: the first one that has
// NumPy and all [Optional] modules is taken, or else the first one that has
// NumPy. The search runs once a process.
//
// Where no interpreter has NumPy the test is skipped, for a Go developer needs
// no Python to work on this project. It fails instead when the environment
// variable CI is not empty, so that no test is skipped there unnoticed, and
// when NUMCACHE_PYTHON is set, for then it is wrong.
package numpy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Optional lists the modules besides NumPy that some tests use: xxhash, which
// digests need, and joblib, which some comparisons need. See [Require].
var Optional = []string{"xxhash", "joblib"}

const (
	// A cold start of Python with NumPy takes seconds on a loaded machine, and
	// minutes are no harm: the limits are there for scripts that hang.
	probeTimeout = time.Minute
	runTimeout   = 5 * time.Minute

	install = "install it with: apt-get install python3-numpy python3-xxhash python3-joblib, " +
		"or name an interpreter that has it in NUMCACHE_PYTHON"
)

// Run runs a Python script with args as its sys.argv[1:] and returns what it
// wrote to stdout, unchanged. The script can import NumPy; for another module
// call [Require] first. It starts in the folder of the test, from a file in a
// temporary folder, with UTF-8 for text, and leaves no __pycache__ behind. What
// it wrote to stderr is logged.
//
// The test fails at once if the script exits with another status than 0, with
// its stderr in the message, or runs longer than five minutes, or when the
// context of t is done. It is skipped, or fails, as the package comment says
// when there is no Python with NumPy. So Run belongs to the goroutine of the
// test, as t.FailNow does.
func Run(t testing.TB, script string, args ...string) string {
	t.Helper()
	python := interpreter(t)

	file := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := run(t.Context(), runTimeout, python.path, append([]string{file}, args...)...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", python.path, err, stderr)
	}
	if stderr != "" {
		t.Logf("%s: stderr:\n%s", python.path, stderr)
	}
	return stdout
}

// Require skips the test when the interpreter that [Run] uses lacks one of the
// modules, each of which must be in [Optional]. As for NumPy itself, the test
// fails instead when CI is not empty or NUMCACHE_PYTHON is set.
func Require(t testing.TB, modules ...string) {
	t.Helper()
	python := interpreter(t)
	for _, m := range modules {
		if !slices.Contains(Optional, m) {
			t.Fatalf("numpy.Require: %q is not in numpy.Optional", m)
		}
		if !slices.Contains(python.modules, m) {
			unavailable(t, fmt.Errorf("%s has no module %s; %s", python.path, m, install))
		}
	}
}

// A python is an interpreter that can import NumPy.
type python struct {
	path    string
	modules []string // those of Optional that it has
}

// found is the interpreter of this process. It depends on no test, so that one
// test that ends early cannot spoil it for the next.
var found = sync.OnceValues(func() (python, error) {
	return search(os.Getenv("NUMCACHE_PYTHON"), candidates(), probe)
})

// interpreter returns the interpreter of this process, or ends the test.
func interpreter(t testing.TB) python {
	t.Helper()
	p, err := found()
	if err != nil {
		unavailable(t, err)
	}
	return p
}

// unavailable ends a test that needs what the machine does not have.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") != "" || os.Getenv("NUMCACHE_PYTHON") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// candidates lists the interpreters to try, by name or path.
func candidates() []string {
	list := []string{"python3", "/usr/bin/python3"}
	for minor := 9; minor <= 14; minor++ {
		list = append(list, fmt.Sprintf("python3.%d", minor))
	}
	return list
}

// search returns the interpreter named by the user, if any, or else the best of
// the candidates.
func search(named string, candidates []string, probe func(string) (python, error)) (python, error) {
	if named != "" {
		p, err := probe(named)
		if err != nil {
			return python{}, fmt.Errorf("NUMCACHE_PYTHON=%s cannot import numpy: %w", named, err)
		}
		return p, nil
	}
	var best python
	for _, c := range candidates {
		p, err := probe(c)
		switch {
		case err != nil:
			continue
		case len(p.modules) == len(Optional):
			return p, nil
		case best.path == "":
			best = p
		}
	}
	if best.path == "" {
		return python{}, fmt.Errorf("no Python with NumPy among %s; %s", strings.Join(candidates, ", "), install)
	}
	return best, nil
}

// probe asks one interpreter what it can import. NumPy is really imported, for
// it may be there and yet not load; that of the others is left to the script.
func probe(name string) (python, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return python{}, err
	}
	const script = `
import importlib.util, sys
import numpy
print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m)])
`
	stdout, stderr, err := run(context.Background(), probeTimeout, path, append([]string{"-c", script}, Optional...)...)
	if err != nil {
		return python{}, fmt.Errorf("%w: %s", err, lastLine(stderr))
	}
	return python{path: path, modules: strings.Fields(stdout)}, nil
}

// run runs a program to its end and returns what it wrote.
func run(ctx context.Context, timeout time.Duration, path string, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no end after %v", timeout))
	defer cancel()

	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	cmd.Stdout, cmd.Stderr = &out, &errs
	// A script that was killed may leave children that hold the pipes.
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = errors.Join(cause, err)
	}
	return out.String(), errs.String(), err
}

// lastLine returns the line of a Python traceback that says what is wrong.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// Command returns the command that runs a Python script with args, for a test that
// starts, stops and kills it itself. The interpreter, and what happens without one,
// are those of [Run].
func Command(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	python := interpreter(t)
	file := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python.path, append([]string{file}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	return cmd
}
