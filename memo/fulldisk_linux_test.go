package memo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var fullCalls = flag.Int("full.calls", 40, "calls of TestFullDisk on each full disk")

func init() {
	campaigns = append(campaigns, campaign{"TestFullDisk", []string{"-full.calls=60"}, []mutation{
		{"what was written stays when there is no room for the rest", "memo/internal/store/draft.go",
			"_ = b.d.files.Remove(b.temporary)", "_ = 0"},
		{"without room for the ledger nothing is evicted", "memo/usage.go",
			"unsettled != nil && !unavailable(unsettled) {", "unsettled != nil {"},
		{"without room for an entry nothing is evicted", "memo/entry.go",
			"return errors.Join(err, c.enforce(ctx, s, added)) // also where there was no room for it",
			"if err != nil {\n\t\treturn err\n\t}\n\treturn c.enforce(ctx, s, added)"},
		{"without room for the locks nothing is evicted", "memo/usage.go",
			"!errors.Is(err, errors.ErrUnsupported) && !unavailable(err): // a full disk", "!errors.Is(err, errors.ErrUnsupported): // a full disk"},
		{"a limit of file sizes is a mistake of the program", "memo/layout.go",
			"syscall.ENFILE, syscall.EFBIG,", "syscall.ENFILE,"},
	}})
}

// fullResult is what call n returns: from a few bytes to more than the smallest disk of the
// campaign has left.
func fullResult(n int) ([]float64, string) {
	r := rand.New(rand.NewPCG(uint64(n), 8))
	data := make([]float64, []int{3, 100, 1000, 10_000}[n%4])
	for i := range data {
		data[i] = r.Float64()
	}
	return data, fmt.Sprint("full ", n)
}

// fullKeys are the different calls of the campaign: the disks have room for some.
const fullKeys = 60

// full is a cache on a disk that has no room.
type full struct {
	t      *testing.T
	dir    string
	c      *Cache
	f      *Function[func(int) ([]float64, string)]
	faults []error
	did    *fullCounts
}

// fullCounts is what the campaign did and saw.
type fullCounts struct{ calls, hits, faults, evicted int64 }

func openFull(t *testing.T, dir string, limits Limits, did *fullCounts) *full {
	t.Helper()
	f := &full{t: t, dir: dir, did: did}
	var err error
	f.c, err = Open(dir, &Options{Sync: SyncNone, Limits: limits, Logger: slog.New(slog.DiscardHandler), OnEvent: func(e Event) {
		if e.Kind == Fault {
			f.faults = append(f.faults, e.Err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if f.f, err = Func(f.c, Spec{Name: "full", Version: "1"}, fullResult); err != nil {
		t.Fatal(err)
	}
	return f
}

// call makes a call, whose results are right whatever the disk does, and reports whether
// it was a hit.
func (f *full) call(n int) (hit bool) {
	f.t.Helper()
	before := f.c.Stats()
	data, text := f.f.Call(n)
	wantData, wantText := fullResult(n)
	if !slices.Equal(data, wantData) || text != wantText {
		f.t.Errorf("WRONG result of call %d", n)
	}
	after := f.c.Stats()
	f.did.calls++
	f.did.hits += after.Hits - before.Hits
	f.did.faults += after.Faults - before.Faults
	f.did.evicted += after.Evicted - before.Evicted
	if after.Faults != int64(len(f.faults)) {
		f.t.Errorf("%d faults counted, %d told", after.Faults, len(f.faults))
	}
	return after.Hits > before.Hits
}

func (f *full) close() {
	f.t.Helper()
	if err := f.c.Close(); err != nil {
		f.t.Error(err)
	}
}

// checkSound checks that nothing is damaged, and nothing left unfinished. The disk has
// room again.
func (f *full) checkSound() {
	f.t.Helper()
	if report, err := f.c.Verify(context.Background(), nil); err != nil || len(report.Damaged) > 0 {
		f.t.Errorf("Verify: %+v, %v", report, err)
	}
	for _, folder := range []string{stagingFolder, quarantineFolder} {
		for _, name := range filesBelow(f.t, f.dir, folder) {
			f.t.Errorf("%s is left", name)
		}
	}
}

// checkStores checks that a call is stored, now that there is room.
func (f *full) checkStores(what string) {
	f.t.Helper()
	f.call(1)
	if !f.call(1) {
		f.t.Errorf("%s: there is room again, and nothing is stored: %v", what, f.faults)
	}
}

// fullDisk is a disk that is soon full, because of its size or of its number of files.
type fullDisk struct {
	name, options string
	used          func(unix.Statfs_t) uint64
	ballast       func(at string, i int) error // takes some of the room; [syscall.ENOSPC] when there is none
}

var fullDisks = []fullDisk{
	{"space", "size=1m", func(s unix.Statfs_t) uint64 { return s.Blocks - s.Bfree }, func(at string, _ int) error {
		f, err := os.OpenFile(filepath.Join(at, "ballast"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.Write(make([]byte, 4096))
		return err
	}},
	{"inodes", "size=64m,nr_inodes=90", func(s unix.Statfs_t) uint64 { return s.Files - s.Ffree }, func(at string, i int) error {
		return os.Mkdir(filepath.Join(at, fmt.Sprint("ballast", i)), 0o700)
	}},
}

func (d fullDisk) usage(t *testing.T, at string) uint64 {
	t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(at, &s); err != nil {
		t.Fatal(err)
	}
	return d.used(s)
}

// fill takes all the room that is left, and returns what gives it back.
func (d fullDisk) fill(t *testing.T, at string) (free func()) {
	t.Helper()
	for i := 0; ; i++ {
		if err := d.ballast(at, i); errors.Is(err, syscall.ENOSPC) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		ballast, err := filepath.Glob(filepath.Join(at, "ballast*"))
		for _, name := range ballast {
			err = errors.Join(err, os.Remove(name))
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// run uses a cache until the disk is full, and then on; with room again; and with limits
// that what is there exceeds.
func (d fullDisk) run(t *testing.T, calls int, did *fullCounts) {
	at := t.TempDir()
	if err := unix.Mount("numcache", at, "tmpfs", 0, d.options); err != nil {
		t.Skipf("tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { unmount(t, at) })
	dir := filepath.Join(at, "cache")
	r := rand.New(rand.NewPCG(uint64(calls), 9))

	f := openFull(t, dir, Limits{}, did)
	f.call(0)
	f.close() // its own files are there now
	f = openFull(t, dir, Limits{}, did)
	clear := func() {
		t.Helper()
		if err := f.c.Clear(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	clear()
	start := d.usage(t, at)
	for i := range calls {
		n := r.IntN(fullKeys)
		if i < fullKeys {
			n = i
		}
		f.call(n)
	}
	for n := range fullKeys {
		f.call(n)
	}
	if s := f.c.Stats(); s.Faults == 0 || s.Hits == 0 {
		t.Errorf("the disk is not full: %+v", s)
	}
	for _, err := range f.faults {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("fault: %v", err)
		}
	}
	f.checkSound()
	clear()
	if end := d.usage(t, at); end != start {
		t.Errorf("%d in use on the disk after Clear, %d before: %q", end, start, filesBelow(t, at, "."))
	}
	f.checkStores("after Clear")

	// What is damaged cannot be put aside, and is computed.
	for _, name := range append(filesBelow(t, dir, callsFolder), filesBelow(t, dir, objectsFolder)...) {
		raw := read(t, dir, name)
		raw[len(raw)/2] ^= 1
		overwrite(t, raw, dir, name)
		free := d.fill(t, at)
		for range 3 {
			f.call(1)
		}
		free()
		f.checkStores("after damage to " + name)
	}
	clear() // what was put aside goes too
	f.checkSound()

	// Limits that what is there exceeds are kept, with no room for anything.
	for n := range fullKeys {
		f.call(n)
	}
	entries, bytes, err := f.c.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.close()
	for round, limits := range []Limits{{MaxBytes: bytes / 2}, {MaxEntries: entries / 3}} {
		for _, name := range []string{usageFile, statsFile, "lock"} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && round == 0 && name != usageFile {
				t.Error(err)
			}
		}
		free := d.fill(t, at)
		before := did.evicted
		f := openFull(t, dir, limits, did)
		f.call(fullKeys + round) // a small one that is not there
		gotEntries, gotBytes, err := f.c.Usage(t.Context())
		if err != nil || limits.exceededBy(usage{gotBytes, int64(gotEntries)}) || did.evicted == before {
			t.Errorf("%d entries and %d bytes on a full disk, with the limits %+v: %v; faults: %v", gotEntries, gotBytes, limits, err, f.faults)
		}
		f.checkStores("after eviction")
		free()
		f.checkSound()
		f.close()
	}
}

// TestFullDisk calls functions while there is no room: every call returns its results,
// nothing wrong is stored or unfinished, and the room comes back.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	if !apart(t, fmt.Sprint("-full.calls=", *fullCalls)) {
		return
	}
	run := func(name string, f func(t *testing.T, calls int, did *fullCounts)) {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			var did fullCounts
			began := time.Now()
			f(t, *fullCalls, &did)
			t.Logf("%s: %d calls in %v: %d hits, %d faults, %d evicted", name, did.calls, time.Since(began).Round(time.Millisecond), did.hits, did.faults, did.evicted)
		})
	}
	for _, disk := range fullDisks {
		run(disk.name, disk.run)
	}
	run("file sizes", fileSizes)
	run("descriptors", descriptors)
}
