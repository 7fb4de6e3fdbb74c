package memo

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// apartStarted is set in the environment of a process that apart started.
const apartStarted = "NUMCACHE_TEST_APART"

// apart runs the test that calls it, with these flags, in a process that has mounts of
// its own: they go with it, however it ends. In that process it returns true. In the one
// that starts it, it returns false, when the test has been run and told of. A test
// that makes a mount begins with it.
func apart(t *testing.T, flags ...string) bool {
	t.Helper()
	if os.Getenv(apartStarted) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		go func() { // nothing is ever written there: it closes when the starter dies
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		return true
	}
	cmd := rerun(t.Name(), apartStarted+"=1")
	cmd.Args = append(append(cmd.Args, "-test.v"), flags...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 { // root in a user namespace may mount what holds no data
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	in, err := cmd.StdinPipe()
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Skipf("a process with mounts of its own cannot be started here: %v", err)
	}
	defer in.Close()
	switch err := cmd.Wait(); {
	case err != nil:
		t.Errorf("%v\n%s", err, &output)
	case strings.Contains(output.String(), "\n--- SKIP: "+t.Name()):
		t.Skip(output.String())
	default:
		t.Log(output.String())
	}
	return false
}
