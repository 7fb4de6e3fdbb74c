package memo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/numcache/numcache/array"
)

// The environment of a process in the campaign: the cache folder, and numbers: how it
// syncs, and the first of the calls that are its own; for the one that checks, the first
// call and the one behind the last.
const (
	powerFolder = "NUMCACHE_TEST_POWER_FOLDER"
	powerTask   = "NUMCACHE_TEST_POWER_TASK"
)

const (
	powerGoroutines = 3   // of the process that computes
	powerCalls      = 400 // that it makes at most
	powerBytes      = 6 << 20
)

// powerShapes are the numbers of elements of the results, few so that blocks of the
// disk come to hold another result of the same shape.
var powerShapes = []int{10, 300, 300, 4000, 20_000}

// powerResult is what call n returns. Each three calls share their last part.
func powerResult(n int) ([]float64, string, []float64) {
	r := rand.New(rand.NewPCG(uint64(n), 5))
	data := make([]float64, powerShapes[n%len(powerShapes)])
	for i := range data {
		data[i] = r.Float64()
	}
	return data, strings.Repeat(strconv.Itoa(n), 1+n%4*500), powerShared(n)
}

func powerShared(n int) []float64 {
	return slices.Repeat([]float64{float64(n / 3)}, 200)
}

// powered is a process of the campaign.
type powered struct {
	t     *testing.T
	c     *Cache
	sync  Sync
	quick *Function[func(int) ([]float64, string, []float64)]
	slow  *Function[func(int) ([]float64, string, []float64)] // as slow as SyncAuto wants it to sync

	// plain does not sync, and stores what quick and slow share.
	plain  *Cache
	shared *Function[func(int) []float64]

	mu     sync.Mutex
	failed map[array.Digest]error // what went wrong with a key
}

func openPowered(t *testing.T, dir string, sync Sync) *powered {
	t.Helper()
	p := &powered{t: t, sync: sync, failed: map[array.Digest]error{}}
	quiet := slog.New(slog.DiscardHandler)
	var err, plainErr, quickErr, slowErr, sharedErr error
	p.c, err = Open(dir, &Options{Sync: sync, Logger: quiet, OnEvent: func(e Event) {
		if e.Kind == Fault {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.failed[e.Key] = e.Err
		}
	}})
	p.plain, plainErr = Open(dir, &Options{Sync: SyncNone, Logger: quiet})
	if err := errors.Join(err, plainErr); err != nil {
		t.Fatal(err)
	}
	p.quick, quickErr = Func(p.c, Spec{Name: "quick", Version: "1"}, powerResult)
	p.slow, slowErr = Func(p.c, Spec{Name: "slow", Version: "1"}, func(n int) ([]float64, string, []float64) {
		<-time.After(SyncThreshold)
		return powerResult(n)
	})
	p.shared, sharedErr = Func(p.plain, Spec{Name: "shared", Version: "1"}, powerShared)
	if err := errors.Join(quickErr, slowErr, sharedErr); err != nil {
		t.Fatal(err)
	}
	return p
}

// isSlow reports whether call n is of the slow function.
func (p *powered) isSlow(n int) bool { return p.sync == SyncAuto && n%4 == 0 }

// call makes call n, and reports whether nothing went wrong with storing it.
func (p *powered) call(n int) (stored bool) {
	f := p.quick
	if p.isSlow(n) {
		f = p.slow
	}
	data, text, shared := f.Call(n)
	wantData, wantText, wantShared := powerResult(n)
	if !slices.Equal(data, wantData) || text != wantText || !slices.Equal(shared, wantShared) {
		p.t.Errorf("WRONG result of call %d", n)
		fmt.Println("WRONG", n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed[NewKey(f.spec.Name, "1").Add(n).Digest()] == nil
}

// TestPowerProcess is no test by itself: it computes, and tells of each call that has
// returned, until it is killed.
func TestPowerProcess(t *testing.T) {
	dir := os.Getenv(powerFolder)
	if dir == "" {
		t.Skip("for TestPowerCut only")
	}
	var way Sync
	var first int
	if _, err := fmt.Sscan(os.Getenv(powerTask), &way, &first); err != nil {
		t.Fatal(err)
	}
	p := openPowered(t, dir, way)
	fmt.Println("ready")
	var next atomic.Int64
	for g := range powerGoroutines {
		go func() {
			r := rand.New(rand.NewPCG(uint64(first), uint64(g)))
			for {
				i := int(next.Add(1)) - 1
				if i >= powerCalls {
					return
				}
				n := first + i
				if r.IntN(2) == 0 { // what call n shares is there, and nobody has synced it
					p.shared.Call(n)
				}
				stored := p.call(n)
				switch {
				case !stored:
					fmt.Println("failed", n)
				case p.sync == SyncFull || p.isSlow(n):
					fmt.Println("durable", n)
				default:
					fmt.Println("stored", n)
				}
				if p.sync != SyncFull && i > 20 && r.IntN(3) == 0 { // blocks of the disk become free
					_ = p.quick.Forget(n - 1 - r.IntN(20))
				}
			}
		}()
	}
	if way != SyncFull {
		go disturb(dir, rand.New(rand.NewPCG(uint64(first), 6)))
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until it is killed
}

// disturb is what else goes on with the same disk, and has some of what the cache wrote
// come to it, and the rest not: another program syncs a file of its own, or the records, as
// a backup might, or everything; and the kernel writes the beginning of some objects.
func disturb(dir string, r *rand.Rand) {
	each := func(folder string, do func(fd int)) {
		var files []string
		_ = filepath.WalkDir(filepath.Join(dir, folder), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files = append(files, path)
			}
			return nil
		})
		for range min(len(files), 50) {
			if f, err := os.Open(files[r.IntN(len(files))]); err == nil {
				do(int(f.Fd()))
				f.Close()
			}
		}
	}
	for {
		<-time.After(time.Duration(r.IntN(5000)) * time.Microsecond)
		switch r.IntN(12) {
		case 0:
			if f, err := os.Open(dir); err == nil {
				_ = unix.Syncfs(int(f.Fd()))
				f.Close()
			}
		case 1:
			if f, err := os.Create(filepath.Join(dir, "..", "another")); err == nil {
				_, _ = f.WriteString("x")
				_ = f.Sync()
				f.Close()
			}
		case 2, 3, 4, 5, 6:
			each(objectsFolder, func(fd int) {
				_ = unix.SyncFileRange(fd, 0, 4096, unix.SYNC_FILE_RANGE_WAIT_BEFORE|unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER)
			})
		default:
			each(callsFolder, func(fd int) { _ = unix.Fsync(fd) })
		}
	}
}

// powerFound is what a fresh process found after a power cut.
type powerFound struct{ records, objects, incomplete, damaged, hits, misses int }

func (f *powerFound) add(g powerFound) {
	f.records += g.records
	f.objects += g.objects
	f.incomplete += g.incomplete
	f.damaged += g.damaged
	f.hits += g.hits
	f.misses += g.misses
}

// TestPowerCheckProcess is no test by itself: it reads everything after a power cut, makes
// all calls, and says what it found. It is given the durable ones.
func TestPowerCheckProcess(t *testing.T) {
	dir := os.Getenv(powerFolder)
	if dir == "" {
		t.Skip("for TestPowerCut only")
	}
	var way Sync
	var first, last int
	if _, err := fmt.Sscan(os.Getenv(powerTask), &way, &first, &last); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	durable := map[int]bool{}
	for _, field := range strings.Fields(line) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		durable[n] = true
	}
	p := openPowered(t, dir, way)
	defer p.c.Close()
	defer p.plain.Close()
	ctx := context.Background()
	var report Report
	if first%2 == 0 { // else the calls find what is damaged
		if report, err = p.c.Verify(ctx, nil); err != nil {
			t.Errorf("Verify: %v", err)
		}
	}
	hit := func(n int) bool {
		before := p.c.Stats().Hits
		p.call(n)
		return p.c.Stats().Hits > before
	}
	for n := first; n < last; n++ {
		if p.isSlow(n) && !durable[n] {
			continue // it takes its time to compute
		}
		if !hit(n) && durable[n] {
			fmt.Println("LOST", n)
			t.Errorf("LOST: call %d had returned, and its entry was to be durable", n)
		}
	}
	s := p.c.Stats()
	torn := len(report.Damaged) + int(s.Faults)
	for n := first; n < last; n++ {
		p.shared.Call(n) // not before: it would mend what the others share
		if !p.isSlow(n) && !hit(n) {
			t.Errorf("call %d was computed after the power cut and is not in the cache: %v", n, p.failed[NewKey("quick", "1").Add(n).Digest()])
		}
	}
	// What no call asked for may be torn still, and is put aside now.
	rest, err := p.c.Verify(ctx, nil)
	torn += len(rest.Damaged)
	if again, againErr := p.c.Verify(ctx, nil); err != nil || againErr != nil || len(again.Damaged) > 0 {
		t.Errorf("Verify after everything was put aside: %+v, %v, %v", again, err, againErr)
	}
	fmt.Println("found", report.Records, report.Objects, report.Incomplete, torn, s.Hits, s.Misses)
	_, bytes, err := p.c.Usage(ctx)
	var disk unix.Statfs_t
	err = errors.Join(err, unix.Statfs(dir, &disk))
	if err == nil && (bytes > powerBytes || disk.Bfree < disk.Blocks/2) { // much may have been put aside
		fmt.Println("cleared")
		err = p.c.Clear(ctx, nil)
	}
	if err != nil {
		t.Error(err)
	}
}
