package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// The test binary is run three times: by go test, as the first process of the new
// namespaces, and by that one for the tests. This variable tells the last two which
// they are. Jobs and submitters inherit it: they are inside already.
const (
	roleVariable = "NUMCACHE_TEST_CLUSTER"
	roleFirst    = "first"
	roleInside   = "inside"
)

// folder is where the tmpfs of the tests is mounted. It is there on every Linux, so
// that none has to be made that could be left behind.
const folder = "/media"

// exitOutside is how the first process ends if it cannot make the namespaces fit for
// Slurm. No test binary ends so by itself.
const exitOutside = 77

// lacking says why no cluster can be started, and is nil where one can.
var lacking error

// Main runs the tests of m in namespaces of their own and ends the process with their
// result. It is what TestMain calls, after whatever makes the binary a worker. It
// does not return.
//
// Where there is no Slurm, or no right to make namespaces, the tests run as they are,
// and those that call [Start] skip, or fail in CI.
func Main(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case roleFirst:
		first()
	case roleInside:
		os.Exit(m.Run())
	}
	if lacking = needs(); lacking == nil {
		code, err := inside()
		if err == nil {
			os.Exit(code)
		}
		lacking = err
	}
	os.Exit(m.Run())
}

// needs tells what is lacking on this machine.
func needs() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("only root can make the namespaces that a cluster runs in")
	}
	for _, program := range []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w; apt-get install slurm-wlm munge iproute2", err)
		}
	}
	return nil
}

// inside runs this process again, in new namespaces, and returns how that one ended.
// It is an error if there can be none.
func inside() (code int, err error) {
	// The first process is to be killed when this one dies. The kernel sends that
	// when the thread ends which started it, so this goroutine keeps its thread.
	runtime.LockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), roleVariable+"="+roleFirst)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("no namespaces for a cluster: %w", err)
	}
	err = cmd.Wait()
	code = cmd.ProcessState.ExitCode()
	switch {
	case code == exitOutside:
		return 0, fmt.Errorf("the namespaces for a cluster cannot be furnished: see above")
	case code < 0:
		fmt.Fprintln(os.Stderr, "cluster: the tests ended:", err)
		return 1, nil
	}
	return code, nil
}

// first is the first process of the namespaces. It furnishes them, starts the tests,
// waits for every process whose parent has died, as a first process must, and ends
// as the tests do. When it ends the kernel kills what is left.
func first() {
	if err := furnish(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(exitOutside)
	}
	os.Setenv(roleVariable, roleInside)
	os.Setenv("TMPDIR", filepath.Join(folder, "tmp"))
	executable, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(exitOutside)
	}
	tests, err := os.StartProcess(executable, os.Args, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(exitOutside)
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR || err == nil && pid != tests.Pid:
		case err != nil:
			fmt.Fprintln(os.Stderr, "cluster: wait:", err)
			os.Exit(1)
		case status.Signaled():
			fmt.Fprintln(os.Stderr, "cluster: the tests ended:", status.Signal())
			os.Exit(1)
		default:
			os.Exit(status.ExitStatus())
		}
	}
}

// furnish makes the new namespaces what Slurm needs: mounts that stay inside, the
// processes of this namespace in /proc, a host name that is always the same, and an
// address that is not loopback's, which getaddrinfo would not take.
func furnish() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount / private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mount %s: %w", folder, err)
	}
	if err := os.Mkdir(filepath.Join(folder, "tmp"), 0o755); err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte(host)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	for _, arguments := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", "nc0", "type", "veth", "peer", "name", "nc1"},
		{"addr", "add", address + "/24", "dev", "nc0"},
		{"link", "set", "nc0", "up"},
		{"link", "set", "nc1", "up"},
	} {
		if output, err := exec.Command("ip", arguments...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", arguments, err, output)
		}
	}
	return nil
}
