package store_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

const killedFolder = "NUMCACHE_TEST_KILLED"

// TestKilledWriterProcess is no test by itself: it dies while it writes.
func TestKilledWriterProcess(t *testing.T) {
	dir := os.Getenv(killedFolder)
	if dir == "" {
		t.Skip("for TestSweep only")
	}
	_ = openDir(t, dir).Put(t.Context(), "dead", store.PutOptions{}, func(w io.Writer) error {
		_, _ = io.WriteString(w, "dead")
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
}

// TestSweep checks that a killed writer's file goes when it is old, and a living
// one's stays however old, and is published.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriterProcess$")
	cmd.Env = append(os.Environ(), killedFolder+"="+dir)
	_ = cmd.Run() // it is killed
	d := openDir(t, dir)
	sweep := func(now time.Time, freed int64, left int) {
		t.Helper()
		got, err := d.Sweep(t.Context(), now)
		files, _ := os.ReadDir(filepath.Join(dir, "tmp"))
		if err != nil || got != freed || len(files) != left {
			t.Errorf("freed %d, left %v, %v; want %d and %d files", got, files, err, freed, left)
		}
	}
	sweep(time.Now(), 0, 1) // too young
	err := d.Put(t.Context(), "alive", store.PutOptions{}, func(w io.Writer) error {
		_, err := io.WriteString(w, "alive")
		sweep(time.Now().AddDate(100, 0, 0), 4, 1)
		return err
	})
	if b, _, getErr := d.Get(t.Context(), "alive", 10); err != nil || getErr != nil || string(b) != "alive" {
		t.Errorf("%v, %v, %q", err, getErr, b)
	}
	sweep(time.Now().AddDate(100, 0, 0), 0, 0)
}
