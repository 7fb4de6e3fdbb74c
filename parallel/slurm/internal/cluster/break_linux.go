package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// commands are those that [Cluster.Break] can break.
var commands = []string{"sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo"}

// wrapper stands before a command of Slurm's on the PATH, counts how often it was
// called, and fails as the command does when the controller does not answer.
const wrapper = `#!/bin/sh
echo >>%[1]s.calls
if [ -e %[1]s.broken ]; then
	echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2
	exit 1
fi
exec %[2]s "$@"
`

func (c *Cluster) wrap() error {
	for _, command := range commands {
		program, err := exec.LookPath(command)
		if err != nil {
			continue // sacct is not everywhere
		}
		if err := os.WriteFile(c.wrapper(command), fmt.Appendf(nil, wrapper, c.wrapper(command), program), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) wrapper(command string) string {
	return filepath.Join(c.dir, "bin", command)
}

// Break makes a command of Slurm's, such as squeue, fail for all that have the
// cluster's environment, as if the controller did not answer, until [Cluster.Mend].
func (c *Cluster) Break(t testing.TB, command string) {
	t.Helper()
	if err := os.WriteFile(c.wrapper(command)+".broken", nil, 0o644); err != nil {
		t.Fatal("cluster: ", err)
	}
}

// Mend undoes [Cluster.Break].
func (c *Cluster) Mend(t testing.TB, command string) {
	t.Helper()
	if err := os.Remove(c.wrapper(command) + ".broken"); err != nil {
		t.Fatal("cluster: ", err)
	}
}

// Calls is how often a command was called with the cluster's environment.
func (c *Cluster) Calls(command string) int {
	lines, err := os.ReadFile(c.wrapper(command) + ".calls")
	if err != nil {
		return 0
	}
	return len(lines)
}
