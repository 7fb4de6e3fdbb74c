//go:build linux

package npy_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/npy"
)

const waitForInput = "NPY_TEST_WAIT"

func init() {
	if os.Getenv(waitForInput) != "" {
		fmt.Println()
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
}

// unsized returns the path of a file of the given content whose size is said to
// be 0: the arguments of a process, which /proc shows with a zero byte behind each.
func unsized(t *testing.T, content []byte) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args = strings.Split(string(content), "\x00")
	cmd.Env = append(os.Environ(), waitForInput+"=1")
	end, err := cmd.StdinPipe()
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
	t.Cleanup(func() {
		end.Close()
		cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil { // it runs
		t.Fatal(err)
	}
	return fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)
}

// Files that do not tell their size are read, and cost what they hold.
func TestFilesWithoutSize(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	a := random(t, r, array.Float64, 60, 40)
	for _, o := range orders {
		path := unsized(t, layout(t, a, o.fortran, o.big))
		if info, err := os.Stat(path); err != nil || info.Size() != 0 {
			t.Skipf("/proc tells sizes here: %v", err)
		}
		if got, err := npy.ReadFile(path); err != nil || !equal(got, a) {
			t.Errorf("%s: ReadFile: %v", o.name, err)
		}
		f := open(t, path)
		if got, err := f.ReadRows(17, 42); err != nil || !equal(got, rowsOf(t, a, 17, 42)) {
			t.Errorf("%s: ReadRows: %v", o.name, err)
		}
		if digest, err := f.Hash(t.Context()); err != nil || digest != a.Digest() {
			t.Errorf("%s: Hash: %v", o.name, err)
		}
		if err := second(f.Map(npy.ReadOnly)); !errors.Is(err, npy.ErrUnsupported) {
			t.Errorf("%s: Map: error %v", o.name, err)
		}
	}
	path := unsized(t, append(headerOf(with("'<f8'", "(100000, 1000)"), 1), make([]byte, 100)...))
	got := allocated(func() {
		if err := second(npy.ReadFile(path)); !errors.Is(err, npy.ErrFormat) {
			t.Errorf("a short file: error %v", err)
		}
		if err := second(open(t, path).ReadRows(1000, 90_000)); !errors.Is(err, npy.ErrFormat) {
			t.Errorf("rows of a short file: error %v", err)
		}
	})
	if got > 1<<19 {
		t.Errorf("%d bytes were allocated for a file of some hundred", got)
	}
}
