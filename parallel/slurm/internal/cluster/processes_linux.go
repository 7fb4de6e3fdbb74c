package cluster

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// nodeVariable is in the environment of a node's slurmd, and so of its slurmstepd;
// tasks have Slurm's own SLURMD_NODENAME instead.
const nodeVariable = "NUMCACHE_TEST_NODE"

// process is one of this namespace.
type process struct {
	pid, parent int
	name        string            // the first 15 bytes of its program's
	environment map[string]string // that it was started with
}

// processes lists those of the namespace that are alive, but for the first one, this
// one, and zombies.
func processes() []process {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	var all []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil || pid == 1 || pid == os.Getpid() {
			continue
		}
		stat, err := os.ReadFile(entry + "/stat") // pid (name) state parent …
		if err != nil {
			continue // it has ended
		}
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		if open < 0 || end < open {
			continue
		}
		fields := strings.Fields(string(stat[end+1:]))
		if len(fields) < 2 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		environ, err := os.ReadFile(entry + "/environ")
		if err != nil {
			continue
		}
		p := process{pid: pid, parent: parent, name: string(stat[open+1 : end]), environment: map[string]string{}}
		for pair := range strings.SplitSeq(string(environ), "\x00") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				p.environment[name] = value
			}
		}
		all = append(all, p)
	}
	return all
}

// kill kills the processes that are meant and all that descend of them, at one
// moment as far as the others can tell: each is stopped first, and none is killed
// before no further one is found. It returns when they are dead, with how many there
// were.
func kill(meant func(process) bool) int {
	stopped := map[int]bool{}
	for found := true; found; {
		found = false
		for _, p := range processes() {
			if !stopped[p.pid] && (stopped[p.parent] || meant(p)) && syscall.Kill(p.pid, syscall.SIGSTOP) == nil {
				stopped[p.pid], found = true, true
			}
		}
	}
	for pid := range stopped {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	wait("", func() bool {
		return !slices.ContainsFunc(processes(), func(p process) bool { return stopped[p.pid] })
	})
	return len(stopped)
}

// Task is a task of a job array that runs, or another job's only one.
type Task struct {
	Node  string
	Job   string // the number of the job, of the array where there is one
	Index string // the number in the array, empty outside of one
}

// Tasks lists the tasks that have a process now.
func (c *Cluster) Tasks() []Task {
	var tasks []Task
	seen := map[Task]bool{}
	for _, p := range processes() {
		if task, ok := c.task(p); ok && !seen[task] {
			seen[task] = true
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// KillTask kills the processes of a task with the node left as it is, as the kernel
// does to one that takes too much memory. It fails the test if there are none.
func (c *Cluster) KillTask(t testing.TB, killed Task) {
	t.Helper()
	if kill(func(p process) bool {
		task, ok := c.task(p)
		return ok && task == killed
	}) == 0 {
		t.Fatalf("cluster: no task %+v runs", killed)
	}
}

// task tells of which task a process is.
func (c *Cluster) task(p process) (task Task, ok bool) {
	if p.environment["SLURM_CONF"] != c.configuration() || p.name == "slurmstepd" || p.environment["SLURM_JOB_ID"] == "" {
		return Task{}, false
	}
	task = Task{Node: p.environment["SLURMD_NODENAME"], Job: p.environment["SLURM_JOB_ID"]}
	if array := p.environment["SLURM_ARRAY_JOB_ID"]; array != "" {
		task.Job, task.Index = array, p.environment["SLURM_ARRAY_TASK_ID"]
	}
	return task, true
}
