package cluster

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Cluster is a running Slurm cluster. Its nodes are called n1, n2, and so on, have
// four CPUs each, and are in the one partition, main. There is no accounting: sacct
// fails, as it does on many small clusters.
//
// Its methods may be called from several goroutines, as those of [testing.TB] may.
type Cluster struct {
	dir   string
	names []string

	mu    sync.Mutex
	nodes map[string]*exec.Cmd // the slurmd that runs
}

// started counts the clusters of this process: each has ports of its own.
var started atomic.Int64

// patience is how long a daemon may take to come up or to notice something. It is
// never reached where all is well.
const patience = 30 * time.Second

// Start starts a cluster of so many nodes and returns when all of them take jobs. It
// is killed, with its jobs and with submitters that run with its [Cluster.Env], when
// the test ends; if the test has failed, the ends of its logs are logged.
//
// It needs a TestMain that calls [Main].
func Start(t testing.TB, nodes int) *Cluster {
	t.Helper()
	if os.Getenv(roleVariable) != roleInside {
		if lacking == nil {
			t.Fatal("cluster: TestMain does not call cluster.Main")
		}
		if os.Getenv("CI") != "" {
			t.Fatal("cluster: ", lacking)
		}
		t.Skip("cluster: ", lacking)
	}
	dir, err := os.MkdirTemp(folder, "slurm-")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{dir: dir, nodes: map[string]*exec.Cmd{}}
	for i := range nodes {
		c.names = append(c.names, fmt.Sprintf("n%d", i+1))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Logs())
		}
		c.end()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := c.start(7000 + 100*int(started.Add(1))); err != nil {
		t.Fatal("cluster: ", err)
	}
	return c
}

func (c *Cluster) start(port int) error {
	if err := os.Chmod(c.dir, 0o755); err != nil { // munged wants to know who can write
		return err
	}
	for _, folder := range []string{"bin", "log", "munge", "run", "spool", "state"} {
		if err := os.Mkdir(filepath.Join(c.dir, folder), 0o755); err != nil {
			return err
		}
	}
	key := make([]byte, 1024)
	rand.Read(key)
	if err := os.WriteFile(filepath.Join(c.dir, "munge/key"), key, 0o400); err != nil {
		return err
	}
	if err := os.WriteFile(c.configuration(), []byte(configuration(c.dir, port, c.names)), 0o644); err != nil {
		return err
	}
	if err := c.wrap(); err != nil {
		return err
	}
	munge := filepath.Join(c.dir, "munge")
	if _, err := c.daemon("munged", "", "munged", "--foreground", "--num-threads=4", "--key-file="+munge+"/key", "--socket="+munge+"/socket",
		"--seed-file="+munge+"/seed", "--pid-file="+c.dir+"/run/munged.pid"); err != nil {
		return err
	}
	if err := wait("munged makes no socket", func() bool {
		_, err := os.Stat(munge + "/socket")
		return err == nil
	}); err != nil {
		return err
	}
	if _, err := c.daemon("slurmctld", "", "slurmctld", "-D", "-c"); err != nil {
		return err
	}
	for _, name := range c.names {
		if err := c.startNode(name); err != nil {
			return err
		}
	}
	return nil
}

// daemon starts a daemon. What it says before it has a log of its own goes to a file
// called after it.
func (c *Cluster) daemon(name, node string, program string, arguments ...string) (*exec.Cmd, error) {
	output, err := os.OpenFile(filepath.Join(c.dir, "log", name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.Command(program, arguments...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+c.configuration())
	if node != "" {
		cmd.Env = append(cmd.Env, nodeVariable+"="+node)
	}
	cmd.Dir = c.dir
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go cmd.Wait() // so that none stays a zombie
	return cmd, nil
}

// startNode starts the slurmd of a node and waits until the node takes jobs.
func (c *Cluster) startNode(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[name] != nil {
		return fmt.Errorf("%s runs already", name)
	}
	cmd, err := c.daemon("slurmd-"+name, name, "slurmd", "-D", "-N", name)
	if err != nil {
		return err
	}
	c.nodes[name] = cmd
	return wait(name+" does not come up", func() bool {
		state := c.state(name)
		return state == "idle" || state == "mixed" || state == "allocated"
	})
}

// StartNode starts a node that was killed, and returns when it takes jobs.
func (c *Cluster) StartNode(t testing.TB, name string) {
	t.Helper()
	if err := c.startNode(name); err != nil {
		t.Fatal("cluster: ", err)
	}
}

// KillNode kills all of a node at once, as a power cut would: its slurmd and every
// slurmstepd and task on it. That the controller notices takes it a few seconds:
// [Cluster.NodeState] tells.
func (c *Cluster) KillNode(t testing.TB, name string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[name] == nil {
		t.Fatalf("cluster: no node %s runs", name)
	}
	delete(c.nodes, name)
	kill(func(p process) bool {
		return p.environment["SLURM_CONF"] == c.configuration() && (p.environment[nodeVariable] == name || p.environment["SLURMD_NODENAME"] == name)
	})
}

// NodeState is the state of a node as sinfo has it, such as "idle", "mixed" or "down", with
// "*" behind it while the node does not answer. It is empty if there is no answer.
func (c *Cluster) NodeState(name string) string {
	return c.state(name)
}

func (c *Cluster) state(name string) string {
	cmd := exec.Command("sinfo", "-h", "-n", name, "-o", "%T")
	cmd.Env = append(os.Environ(), "SLURM_CONF="+c.configuration())
	output, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}

// Env is the environment of a program that uses the cluster: that of this process
// with SLURM_CONF, and with a PATH on which commands come first that
// [Cluster.Break] can break.
func (c *Cluster) Env() []string {
	return append(os.Environ(), "SLURM_CONF="+c.configuration(), "PATH="+c.Path())
}

// Setenv gives this process the environment of [Cluster.Env] until the test ends.
func (c *Cluster) Setenv(t testing.TB) {
	t.Setenv("SLURM_CONF", c.configuration())
	t.Setenv("PATH", c.Path())
}

// Path is the PATH of [Cluster.Env].
func (c *Cluster) Path() string {
	return filepath.Join(c.dir, "bin") + string(os.PathListSeparator) + os.Getenv("PATH")
}

func (c *Cluster) configuration() string {
	return filepath.Join(c.dir, "slurm.conf")
}

// Logs is the last 2 KB of what each of Slurm's daemons has logged.
func (c *Cluster) Logs() string {
	var logs strings.Builder
	for _, name := range append([]string{"slurmctld"}, c.slurmds()...) {
		content, err := os.ReadFile(filepath.Join(c.dir, "log", name+".log"))
		if err != nil { // it did not come so far
			content, _ = os.ReadFile(filepath.Join(c.dir, "log", name+".out"))
		}
		fmt.Fprintf(&logs, "--- %s\n%s\n", name, content[max(0, len(content)-2048):])
	}
	return logs.String()
}

func (c *Cluster) slurmds() []string {
	var names []string
	for _, name := range c.names {
		names = append(names, "slurmd-"+name)
	}
	return names
}

// end kills everything that runs with the cluster's configuration.
func (c *Cluster) end() {
	kill(func(p process) bool { return p.environment["SLURM_CONF"] == c.configuration() })
}

// wait returns when something is so, or with an error that says what is not.
func wait(what string, so func() bool) error {
	for deadline := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New(what)
		}
	}
	return nil
}
