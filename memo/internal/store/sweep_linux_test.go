package store_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestSweepFolders: what a member of a group left that died while it made a folder goes
// when it is old, and is no other member's hindrance until then.
func TestSweepFolders(t *testing.T) {
	dir := t.TempDir()
	d, err := openGroup(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Put(t.Context(), "a/b", store.PutOptions{}, write("x")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tmp/young", "tmp/full/x", "tmp/empty"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{"tmp/full", "tmp/empty"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if freed, err := d.Sweep(t.Context(), time.Now()); freed != 0 || err != nil {
		t.Errorf("freed %d, %v", freed, err)
	}
	var left []string
	entries, err := os.ReadDir(filepath.Join(dir, "tmp"))
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if err != nil || !slices.Equal(left, []string{"full", "young"}) {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestHardLinkedLock: the mode of a file that has a name outside too stays what it is.
func TestHardLinkedLock(t *testing.T) {
	base := t.TempDir()
	dir, private := filepath.Join(base, "cache"), filepath.Join(base, "private")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(private, []byte("mine"), 0o600), os.Link(private, filepath.Join(dir, "lock"))); err != nil {
		t.Fatal(err)
	}
	d, err := openGroup(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	unlock, err := d.Lock(t.Context(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if info, err := os.Stat(private); err != nil || info.Mode() != 0o600 {
		t.Errorf("a private file has the mode %v, %v", info.Mode(), err)
	}
}

// openGroup is OpenDir of a folder that a group shares.
func openGroup(dir string) (*store.Dir, error) {
	files, err := store.OpenFiles(dir)
	if err != nil {
		return nil, err
	}
	return store.NewDir(files, true), nil
}
