package numpy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	got := Run(t, `
import sys
import numpy as np
print(np.arange(3).tolist(), sys.argv[1:], "π")
`, "a", "b c", "")
	if want := "[0, 1, 2] ['a', 'b c', ''] π"; strings.TrimRight(got, "\r\n") != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
}

func TestRunReportsFailure(t *testing.T) {
	Run(t, "") // skips this test where there is no NumPy
	r := record(t, func(tb testing.TB) {
		Run(tb, "raise ValueError('the reason')")
		t.Error("Run returned though the script failed")
	})
	if r.ending != "fatal" || !strings.Contains(r.message, "ValueError: the reason") {
		t.Errorf("%s: %s; want fatal with the script's stderr", r.ending, r.message)
	}
}

func TestRequire(t *testing.T) {
	p := interpreter(t)
	Require(t)
	Require(t, p.modules...)
	r := record(t, func(tb testing.TB) { Require(tb, "no_such_module") })
	if r.ending != "fatal" {
		t.Errorf("%s: %s; want fatal for a module that is not in Optional", r.ending, r.message)
	}
}

func TestTimeout(t *testing.T) {
	p := interpreter(t)
	_, _, err := run(t.Context(), 50*time.Millisecond, p.path, "-c", "import time; time.sleep(60)")
	if err == nil || !strings.Contains(err.Error(), "no end after 50ms") {
		t.Errorf("error %v, want one that names the timeout", err)
	}
}

func TestSearch(t *testing.T) {
	// fake maps a candidate to the modules it has besides NumPy.
	fake := func(has map[string][]string) func(string) (python, error) {
		return func(name string) (python, error) {
			modules, ok := has[name]
			if !ok {
				return python{}, errors.New("no numpy")
			}
			return python{path: name, modules: modules}, nil
		}
	}
	for _, tt := range []struct {
		name, named string
		has         map[string][]string
		want        string // "" is an error
	}{
		{"nothing there", "", nil, ""},
		{"first in order", "", map[string][]string{"b": Optional, "c": Optional}, "b"},
		{"complete one before an earlier one", "", map[string][]string{"a": nil, "c": Optional}, "c"},
		{"first of the incomplete", "", map[string][]string{"b": {"xxhash"}, "c": nil}, "b"},
		{"the named one only", "x", map[string][]string{"a": Optional, "x": nil}, "x"},
		{"no way round a bad name", "x", map[string][]string{"a": Optional}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := search(tt.named, []string{"a", "b", "c"}, fake(tt.has))
			if p.path != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("found %q, error %v; want %q", p.path, err, tt.want)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	if _, err := probe("no-such-python"); err == nil {
		t.Error("no error for a name that is not on PATH")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the fake interpreter is a shell script")
	}
	bare := filepath.Join(t.TempDir(), "python3")
	script := "#!/bin/sh\necho 'Traceback' >&2\necho \"No module named 'numpy'\" >&2\nexit 1\n"
	if err := os.WriteFile(bare, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := probe(bare); err == nil || !strings.Contains(err.Error(), "No module named 'numpy'") {
		t.Errorf("error %v, want the reason that Python gave", err)
	}
}

func TestUnavailable(t *testing.T) {
	for _, tt := range []struct{ ci, named, want string }{
		{"", "", "skip"},
		{"true", "", "fatal"},
		{"", "python3", "fatal"},
	} {
		t.Run(fmt.Sprintf("CI=%s,NUMCACHE_PYTHON=%s", tt.ci, tt.named), func(t *testing.T) {
			t.Setenv("CI", tt.ci)
			t.Setenv("NUMCACHE_PYTHON", tt.named)
			r := record(t, func(tb testing.TB) { unavailable(tb, errors.New("the reason")) })
			if r.ending != tt.want || !strings.Contains(r.message, "the reason") {
				t.Errorf("%s: %s; want %s with the reason", r.ending, r.message, tt.want)
			}
		})
	}
}

// The vectors in testdata/npy are what their script makes.
func TestVectors(t *testing.T) {
	const folder = "../npy"
	script, err := os.ReadFile(filepath.Join(folder, "make.py"))
	if err != nil {
		t.Fatal(err)
	}
	made := t.TempDir()
	Run(t, string(script), made)

	fresh, kept := files(t, made), files(t, folder)
	delete(kept, "make.py")
	for name, content := range fresh {
		if kept[name] != content {
			t.Errorf("%s differs from what make.py writes with this NumPy", name)
		}
	}
	for name := range kept {
		if _, ok := fresh[name]; !ok {
			t.Errorf("%s is not written by make.py", name)
		}
	}
}

// files reads every file of a folder.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	content := make(map[string]string)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		content[e.Name()] = string(b)
	}
	return content
}

// A recorder is a testing.TB that notes how a test ended instead of ending it.
type recorder struct {
	testing.TB
	ending, message string
}

// record runs f to its end, or to the Fatal or Skip that ends it.
func record(t *testing.T, f func(testing.TB)) *recorder {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

func (r *recorder) end(ending, message string) {
	r.ending, r.message = ending, message
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any)            { r.end("fatal", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(f string, args ...any) { r.end("fatal", fmt.Sprintf(f, args...)) }
func (r *recorder) Skip(args ...any)             { r.end("skip", fmt.Sprint(args...)) }
