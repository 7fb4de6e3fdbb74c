//go:build !linux

package slurm

import (
	"os"
	"testing"

	"github.com/numcache/numcache/parallel"
)

// The test binary is its own worker.
func TestMain(m *testing.M) {
	parallel.WorkerMain()
	os.Exit(m.Run())
}
