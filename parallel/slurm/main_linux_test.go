package slurm

import (
	"testing"

	"github.com/numcache/numcache/parallel"
	"github.com/numcache/numcache/parallel/slurm/internal/cluster"
)

// The test binary is its own worker, here and on the cluster.
func TestMain(m *testing.M) {
	parallel.WorkerMain()
	cluster.Main(m)
}
