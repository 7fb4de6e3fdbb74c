package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Main(m)
}

func TestClusterRunsAnArray(t *testing.T) {
	c := begin(t, 3)
	dir := t.TempDir()
	began := time.Now()
	job := submit(t, c, "--array=0-9", "--output="+dir+"/%a", "--wrap=echo $SLURM_ARRAY_TASK_ID on $SLURMD_NODENAME")
	until(t, "the array ends", func() bool { return run(t, c, "squeue", "-h", "-j", job) == "" })
	t.Logf("an array of 10 tasks took %v", time.Since(began))
	nodes := map[string]bool{}
	for i := range 10 {
		output, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		index, node, ok := strings.Cut(strings.TrimSpace(string(output)), " on ")
		if !ok || index != fmt.Sprint(i) || !slices.Contains(c.names, node) {
			t.Errorf("task %d wrote %q", i, output)
		}
		nodes[node] = true
	}
	if len(nodes) != 3 {
		t.Errorf("the tasks ran on %d nodes, want 3", len(nodes))
	}
}

func TestClusterLosesANode(t *testing.T) {
	c := begin(t, 2)
	job := submit(t, c, "--array=0-7", "--no-requeue", "--output=/dev/null", "--wrap=sleep 1000")
	until(t, "all tasks run", func() bool { return len(c.Tasks()) == 8 })
	killed := time.Now()
	c.KillNode(t, "n2")
	for _, task := range c.Tasks() {
		if task.Node != "n1" || task.Job != job {
			t.Errorf("%+v runs", task)
		}
	}
	until(t, "the controller notices", func() bool { return strings.HasPrefix(c.NodeState("n2"), "down") })
	until(t, "the tasks of the node are told as failed", func() bool {
		return strings.Count(run(t, c, "squeue", "-h", "-r", "-t", "all", "-o", "%T", "-j", job), "NODE_FAIL") == 4
	})
	t.Logf("a lost node was noticed after %v", time.Since(killed))

	c.StartNode(t, "n2")
	task := c.Tasks()[0]
	c.KillTask(t, task)
	until(t, "the killed task is told as failed", func() bool {
		return strings.Count(run(t, c, "squeue", "-h", "-r", "-t", "all", "-o", "%T", "-j", job), "FAILED") == 1
	})
	if tasks := c.Tasks(); len(tasks) != 3 || slices.Contains(tasks, task) {
		t.Errorf("%+v run, want the three others", tasks)
	}
	run(t, c, "scancel", job)
	until(t, "nothing runs", func() bool { return len(c.Tasks()) == 0 })
}

func TestClusterBreaksCommands(t *testing.T) {
	c := begin(t, 1)
	run(t, c, "squeue")
	c.Break(t, "squeue")
	cmd := exec.Command(c.wrapper("squeue"))
	cmd.Env = c.Env()
	if output, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(output), "Unable to contact") {
		t.Errorf("a broken squeue: %v, %s", err, output)
	}
	c.Mend(t, "squeue")
	run(t, c, "squeue")
	if calls := c.Calls("squeue"); calls != 3 {
		t.Errorf("squeue was called %d times, want 3", calls)
	}
}

func TestNothingIsLeftOfACluster(t *testing.T) {
	var c *Cluster
	left := func() (n int) {
		for _, p := range processes() {
			if p.environment["SLURM_CONF"] == c.configuration() {
				n++
			}
		}
		return n
	}
	t.Run("cluster", func(t *testing.T) {
		c = begin(t, 2)
		submit(t, c, "--array=0-3", "--output=/dev/null", "--wrap=sleep 1000")
		until(t, "all tasks run", func() bool { return len(c.Tasks()) == 4 })
		if n := left(); n < 1+1+2+4+4 {
			t.Errorf("%d processes, want munged, slurmctld, two slurmd, four tasks with a slurmstepd each", n)
		}
	})
	if c == nil {
		t.Skip("no cluster")
	}
	if n := left(); n > 0 {
		t.Errorf("%d processes are left", n)
	}
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the cluster: %v", err)
	}
}

func begin(t *testing.T, nodes int) *Cluster {
	t.Helper()
	began := time.Now()
	c := Start(t, nodes)
	t.Logf("%d nodes took %v to come up", nodes, time.Since(began))
	return c
}

func submit(t *testing.T, c *Cluster, arguments ...string) (job string) {
	t.Helper()
	return run(t, c, "sbatch", append([]string{"--parsable"}, arguments...)...)
}

func run(t *testing.T, c *Cluster, command string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command(c.wrapper(command), arguments...)
	cmd.Env = c.Env()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", command, arguments, err, stderr.String())
	}
	return strings.TrimSpace(string(output))
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	if err := wait("waited in vain until "+what, so); err != nil {
		t.Fatal(err)
	}
}
