package memo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var (
	hostileRaces    = flag.Duration("hostile.races", time.Second, "how long TestHostileSwaps swaps")
	hostileSwappers = flag.Int("hostile.swappers", 0, "processes of TestHostileSwaps that swap, beside one goroutine")
)

// The environment of a process that swaps: the folder that the cache and its twin are in,
// and a seed.
const (
	swapFolder = "NUMCACHE_TEST_SWAP_FOLDER"
	swapSeed   = "NUMCACHE_TEST_SWAP_SEED"
)

// swapThings are things that are put in the place of files and folders for a moment: what
// could lead out, and what could be waited for.
var swapThings = []hostileThing{
	hostileThings[0], hostileThings[0], hostileThings[0], // a link to its like outside
	{"a symbolic link that leads out by itself", func(path, twin string) error {
		up := strings.Repeat("../", 10)
		return os.Symlink(up+twin, path)
	}},
	{"a FIFO", func(path, _ string) error { return unix.Mkfifo(path, 0o600) }},
	{"an empty folder", func(path, _ string) error { return os.Mkdir(path, 0o700) }},
	{"a hard link", func(path, twin string) error { return os.Link(outsideFile(twin), path) }},
}

// swapKeys is the number of calls that are made while things are swapped.
const swapKeys = 3

// swapTwin is the path in the cache outside, for a base folder.
func swapTwin(base, name string) string {
	return filepath.Join(base, outsideFolder, outsideCache, name)
}

// swapPlaces are the names of everything that the calls use.
func swapPlaces(t testing.TB, c *Cache) []string {
	t.Helper()
	names := []string{callsFolder, callsFolder + "/f", callsFolder + "/f/v", objectsFolder, stagingFolder, quarantineFolder, "lock", usageFile, statsFile}
	for n := range swapKeys {
		key := NewKey("f", "v").Add(n)
		record := recordName("f", "v", key.Digest())
		numbers, _ := hostileResult(1, n)
		results, err := storeResults(t.Context(), reflectValues(numbers), false)
		if err != nil {
			t.Fatal(err)
		}
		object := objectName(results.objects[0].digest)
		names = append(names, filepath.Dir(record), record, record, filepath.Dir(object), object, object)
	}
	return names
}

// swap puts things in the places of a cache for a moment, one after the other, until stop
// says so. It counts how often that was done.
func swap(base string, names []string, r *rand.Rand, stop func() bool) (swaps int, err error) {
	dir := filepath.Join(base, "cache")
	decoy := filepath.Join(base, fmt.Sprint("decoy ", r.Uint64()))
	for !stop() {
		name, thing := names[r.IntN(len(names))], swapThings[r.IntN(len(swapThings))]
		if err := thing.make(decoy, swapTwin(base, name)); err != nil {
			return swaps, err
		}
		times := 2 * (1 + r.IntN(4))
		if r.IntN(8) == 0 {
			times-- // the thing stays, and what was there is missing
		}
		for range times {
			if exchange(dir, name, decoy) == nil {
				swaps++
			}
			for range r.IntN(2000) { // some microseconds
				_ = r.Uint64()
			}
		}
		if err := removeAll(decoy); err != nil {
			return swaps, err
		}
	}
	return swaps, nil
}

// exchange swaps what has a name in dir for what is at decoy. It goes through no link
// itself.
func exchange(dir, name, decoy string) error {
	top, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(top)
	parent, err := unix.Openat2(top, filepath.Dir(name), &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	return unix.Renameat2(unix.AT_FDCWD, decoy, parent, filepath.Base(name), unix.RENAME_EXCHANGE)
}

// removeAll is os.RemoveAll while others make new files in what is removed.
func removeAll(path string) error {
	var err error
	for range 100 {
		if err = os.RemoveAll(path); err == nil {
			break
		}
	}
	return err
}

// TestSwapProcess is no test by itself, but what the processes run that swap.
func TestSwapProcess(t *testing.T) {
	base := os.Getenv(swapFolder)
	if base == "" {
		t.Skip("for TestHostileSwaps only")
	}
	seed, err := strconv.ParseUint(os.Getenv(swapSeed), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	names := swapPlaces(t, openQuiet(t, ""))
	fmt.Println("ready")
	var stop atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop.Store(true)
	}()
	swaps, err := swap(base, names, rand.New(rand.NewPCG(seed, 26)), stop.Load)
	if err != nil {
		t.Error(err)
	}
	fmt.Println(swaps)
}

// TestHostileSwaps uses a cache while others keep swapping its files and folders for links
// to a cache outside, which has wrong results, for FIFOs, folders and hard links. What is
// checked and what is then used must be one thing: calls return the right results, the
// outside stays as it is, and nothing waits.
func TestHostileSwaps(t *testing.T) {
	base := t.TempDir()
	for sign, dir := range map[int]string{1: filepath.Join(base, "cache"), -1: swapTwin(base, "")} {
		c := openQuiet(t, dir)
		f := memoizeHostile(t, c, sign)
		for n := range swapKeys {
			f.Call(n)
		}
	}
	h := &hostile{t: t, dir: filepath.Join(base, "cache"), outside: filepath.Join(base, outsideFolder), options: quiet()}
	h.options.Limits.MaxBytes = 1 << 20
	h.options.Patience = 100 * time.Millisecond // files that are locked are swapped too
	file := outsideFile(h.twin("x"))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("private"), 0o600), os.MkdirAll(h.twin(quarantineFolder), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lock", usageFile, statsFile} { // for links to lead to
		if _, err := os.Lstat(h.twin(name)); err != nil {
			overwrite(t, nil, h.twin(name))
		}
	}
	if err := h.open(); err != nil {
		t.Fatal(err)
	}
	durable := *h
	durable.options.Sync = SyncFull
	if err := durable.open(); err != nil {
		t.Fatal(err)
	}
	names := swapPlaces(t, h.c)
	before := outsideState(t, h.outside, true)
	var processes []*process
	for i := range *hostileSwappers {
		processes = append(processes, startProcess(t, "TestSwapProcess", swapFolder+"="+base, swapSeed+"="+strconv.Itoa(i)))
	}
	var stop atomic.Bool
	var swaps, steps atomic.Int64
	var longest atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		n, err := swap(base, names, rand.New(rand.NewPCG(27, 28)), stop.Load)
		if err != nil {
			t.Error(err)
		}
		swaps.Add(int64(n))
	})
	for g, h := range []*hostile{h, h, &durable} {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 29))
			for !stop.Load() {
				steps.Add(1)
				began := time.Now()
				h.swapStep(t.Context(), r)
				if took := int64(time.Since(began)); took > longest.Load() {
					longest.Store(took)
				}
			}
		})
	}
	<-time.After(*hostileRaces)
	stop.Store(true)
	promptly(t, "a cache whose files are swapped", wg.Wait)
	for _, p := range processes {
		if err := p.in.Close(); err != nil {
			t.Error(err)
		}
		n, err := strconv.Atoi(p.read())
		if err != nil {
			t.Error(err)
		}
		swaps.Add(int64(n))
		if _, err := io.Copy(io.Discard, p.out); err != nil {
			t.Error(err)
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("a process that swaps: %v", err)
		}
	}
	stats := h.c.Stats()
	if err := errors.Join(h.c.Close(), durable.c.Close()); err != nil {
		t.Error(err)
	}
	checkOutside(t, "swaps", outsideState(t, h.outside, true), before)
	t.Logf("%v, %d swaps by %d processes beside this one; %d steps: %d hits, %d misses, %d faults; the longest took %v",
		*hostileRaces, swaps.Load(), len(processes), steps.Load(), stats.Hits, stats.Misses, stats.Faults, time.Duration(longest.Load()).Round(time.Millisecond))
	if swaps.Load() == 0 || stats.Hits == 0 || stats.Misses == 0 || stats.Faults == 0 {
		t.Error("nothing was tried")
	}
}

// swapStep does one thing with the cache. Errors of verbs are as may be; they are looked
// at in TestHostileFolder.
func (h *hostile) swapStep(ctx context.Context, r *rand.Rand) {
	n := r.IntN(swapKeys)
	switch chance := r.IntN(40); {
	case chance < 12:
		h.call("call", h.f.Call, n)
	case chance < 20:
		h.call("refresh", h.f.Refresh, n)
	case chance < 24:
		_ = h.f.Forget(n)
	case chance < 26:
		_, _ = h.f.Has(n)
	case chance < 31:
		ref, err := h.f.Shelve(n)
		if err != nil {
			h.t.Errorf("shelve: %v", err)
			return
		}
		var numbers []float64
		var text string
		if ref.Get(ctx, &numbers, &text) == nil {
			h.call("shelve", func(int) ([]float64, string) { return numbers, text }, n)
		}
		if file, err := ref.Open(ctx, 0); err == nil {
			if a, err := file.Read(); err != nil || a.Len() != 4 {
				h.t.Errorf("a result that was opened: %v, %v", a, err)
			}
			file.Close()
		}
	case chance < 33:
		for range h.c.Records(ctx) {
		}
	case chance < 35:
		_, _ = h.c.Verify(ctx, nil)
	case chance == 35:
		_, _ = h.c.Trim(ctx, Limits{MaxEntries: 2}, nil)
	case chance == 36:
		_ = h.c.Clear(ctx, nil)
	case chance == 37:
		_, _ = h.f.Clear(ctx)
	case chance == 38:
		_, _, _ = h.c.Usage(ctx)
	default:
		_, _ = h.c.History(ctx)
	}
}
