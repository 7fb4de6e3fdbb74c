package memo

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var mountsSteps = flag.Int("mounts.steps", 60, "steps of each goroutine of TestOverlay")

// The environment of a process with mounts of its own: the folder they are in, and where
// it is to mount what.
const (
	mountFolder = "NUMCACHE_TEST_MOUNT_FOLDER"
	mountTask   = "NUMCACHE_TEST_MOUNT_TASK"
)

// mounted runs a test in a process that has the file systems for itself that the test
// mounts: they go with it, whatever becomes of it.
func mounted(t *testing.T, test, dir, task string) (output string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount file systems")
	}
	cmd := rerun(test, mountFolder+"="+dir, mountTask+"="+task)
	cmd.Args = append(cmd.Args, "-test.v", fmt.Sprint("-mounts.steps=", *mountsSteps))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	said, err := cmd.CombinedOutput()
	if bytes.Contains(said, []byte("cannot mount")) {
		t.Skipf("%s", said)
	}
	if errors.Is(err, os.ErrPermission) {
		t.Skip(err) // in a container, say
	}
	if err != nil || !bytes.Contains(said, []byte("--- PASS: "+test)) {
		t.Errorf("%s: %v\n%s", task, err, said)
	}
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
	return string(said)
}

// overlay mounts a folder over another one, and returns where both are seen. What is
// written goes to upper alone.
func overlay(t *testing.T, dir string) (merged string) {
	t.Helper()
	merged = filepath.Join(dir, "merged")
	options := "lowerdir=" + filepath.Join(dir, "lower") + ",upperdir=" + filepath.Join(dir, "upper") + ",workdir=" + filepath.Join(dir, "work")
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		fmt.Println("cannot mount an overlay:", err)
		t.FailNow()
	}
	return merged
}

// overlayFolders makes the folders of an overlay.
func overlayFolders(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestOverlayProcess is no test by itself, but what TestOverlay runs.
func TestOverlayProcess(t *testing.T) {
	dir := os.Getenv(mountFolder)
	if dir == "" {
		t.Skip("for TestOverlay only")
	}
	merged := overlay(t, dir)
	if os.Getenv(mountTask) == "campaigns" {
		cmd := exec.Command(os.Args[0], "-test.run=^(TestProcesses|TestProcessesStorm|TestManyProcessesComputeOnce|TestKilledProcessIsReplaced)$", "-test.v",
			"-kills=20", "-storm.processes=3", "-storm.goroutines=4", fmt.Sprint("-storm.calls=", *mountsSteps), "-once.processes=4", "-once.rounds=5")
		cmd.Env = append(os.Environ(), "TMPDIR="+merged)
		said, err := cmd.CombinedOutput()
		if err != nil || bytes.Count(said, []byte("--- PASS: ")) != 4 {
			t.Errorf("%v\n%s", err, said)
		}
		for line := range strings.Lines(string(said)) {
			if strings.Contains(line, "_test.go:") {
				t.Log(strings.TrimSpace(line))
			}
		}
		return
	}
	// An old cache below, and a file of it that is open when it is copied up.
	c := filepath.Join(merged, "cache")
	first := openStorm(t, c, 0, false)
	ref, err := first.functions[0].Shelve(3)
	if err != nil {
		t.Fatal(err)
	}
	file, err := ref.Open(t.Context(), 0)
	if err != nil {
		t.Fatalf("an object of the lower layer: %v", err)
	}
	defer file.Close()
	if hits := first.c.Stats().Hits; hits != 1 {
		t.Errorf("%d hits of what the lower layer has", hits)
	}
	storms := []*storm{first, openStorm(t, c, 2, false), openStorm(t, c, 1, false)}
	var wg sync.WaitGroup
	for i, s := range storms {
		for g := range 2 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), uint64(g)))
				for range *mountsSteps {
					s.step(r)
				}
			})
		}
	}
	wg.Wait()
	want, _, _ := stormResult(stormNames[0], 3)
	if a, err := file.Read(); err != nil || a.Len() != len(want) {
		t.Errorf("an object that was open: %v, %v", a, err)
	}
	for _, s := range storms {
		if err := s.c.Close(); err != nil {
			t.Error(err)
		}
	}
	checkAfterStorm(t, c)
}

// TestOverlay runs campaigns on an overlay, as the file systems of containers are: on an
// empty one, and over a layer that holds an old cache, which stays as it is.
func TestOverlay(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	t.Run("campaigns", func(t *testing.T) {
		dir := overlayFolders(t)
		mounted(t, "TestOverlayProcess", dir, "campaigns")
		if len(filesBelow(t, dir, "lower")) > 0 {
			t.Error("the lower layer is written")
		}
	})
	t.Run("over an old cache", func(t *testing.T) {
		dir := overlayFolders(t)
		lower := filepath.Join(dir, "lower", "cache")
		old := openStorm(t, lower, 0, false)
		for n := range stormKeys / 4 {
			data, text, last := old.functions[0].Call(n)
			old.check("call", stormNames[0], n, data, text, last)
		}
		if err := old.c.Close(); err != nil {
			t.Fatal(err)
		}
		before := outsideState(t, filepath.Join(dir, "lower"), false)
		mounted(t, "TestOverlayProcess", dir, "old cache")
		checkOutside(t, "an overlay", outsideState(t, filepath.Join(dir, "lower"), false), before)
		if n := len(filesBelow(t, dir, "upper")); n == 0 {
			t.Error("nothing was written to the upper layer")
		}
	})
}

// TestReadOnlyMountProcess is no test by itself, but what TestReadOnlyMount runs.
func TestReadOnlyMountProcess(t *testing.T) {
	dir := os.Getenv(mountFolder)
	if dir == "" {
		t.Skip("for TestReadOnlyMount only")
	}
	var err error
	switch os.Getenv(mountTask) {
	case "bind":
		err = errors.Join(unix.Mount(dir, dir, "", unix.MS_BIND, ""), unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	case "overlay of lower layers":
		empty := t.TempDir()
		err = unix.Mount("overlay", dir, "overlay", 0, "lowerdir="+empty+":"+dir)
	}
	if err != nil {
		fmt.Println("cannot mount it for reading only:", err)
		t.FailNow()
	}
	o := quiet()
	o.Limits.MaxBytes = stormBytes
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	f := memoizeSample(t, c)
	for range 2 {
		for n := range 6 {
			got, err := f.Call(t.Context(), n)
			checkSample(t, n, got, err)
		}
	}
	if s := c.Stats(); s.Hits != 6 || s.Misses != 6 || s.Faults == 0 {
		t.Errorf("%+v; want three hits and three misses of each round, and faults", s)
	}
	got, err := f.Refresh(t.Context(), 1)
	checkSample(t, 1, got, err)
	ref, err := f.Shelve(t.Context(), 5)
	if err == nil {
		err = ref.Get(t.Context(), &got)
	}
	checkSample(t, 5, got, err)
	_, trimErr := c.Trim(t.Context(), Limits{MaxEntries: 1}, nil)
	for verb, err := range map[string]error{"forget": f.Forget(1), "clear": c.Clear(t.Context(), nil), "trim": trimErr} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if report, err := c.Verify(t.Context(), nil); err != nil || report.Records != 3 || len(report.Damaged) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if h, err := c.History(t.Context()); err != nil || h.Total().Misses == 0 {
		t.Errorf("%+v, %v", h, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestReadOnlyMount uses a cache with three entries where nothing can be written: hits are
// served, the rest is computed.
func TestReadOnlyMount(t *testing.T) {
	for _, task := range []string{"bind", "overlay of lower layers"} {
		dir := t.TempDir()
		c := openQuiet(t, dir)
		for n := range 3 {
			got, err := memoizeSample(t, c).Call(t.Context(), n)
			checkSample(t, n, got, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		before := outsideState(t, dir, false)
		mounted(t, "TestReadOnlyMountProcess", dir, task)
		checkOutside(t, task, outsideState(t, dir, false), before)
	}
}
