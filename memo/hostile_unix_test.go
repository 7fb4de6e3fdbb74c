//go:build linux || darwin

package memo

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/numcache/numcache/array"
)

var (
	hostileStep = flag.Int("hostile.step", 199, "of the combinations of TestHostileFolder, one in so many is tried")
	hostileOnly = flag.String("hostile.only", "", "a regular expression: TestHostileFolder tries only what it is called by")
)

const (
	// hostileHang is what no verb should take, whatever it meets; how many did is told,
	// for a machine may be busy.
	hostileHang = time.Second
	// hostileStuck is when one counts as waiting for ever.
	hostileStuck = time.Minute
)

// hostileThing is something that stands where a cache expects its own.
type hostileThing struct {
	what string
	// make puts it at path. twin is the same path in a cache outside, whose records
	// hold wrong results.
	make func(path, twin string) error
}

var hostileThings = []hostileThing{
	{"a symbolic link to its like outside", func(path, twin string) error { return os.Symlink(twin, path) }},
	{"a symbolic link to a file outside", func(path, twin string) error { return os.Symlink(outsideFile(twin), path) }},
	{"a symbolic link to a folder outside", func(path, twin string) error { return os.Symlink(filepath.Dir(outsideFile(twin)), path) }},
	{"a dangling symbolic link", func(path, twin string) error { return os.Symlink(outsideFile(twin)+".new", path) }},
	{"a symbolic link to itself", func(path, _ string) error { return os.Symlink(filepath.Base(path), path) }},
	{"a FIFO", func(path, _ string) error { return unix.Mkfifo(path, 0o600) }},
	{"a socket", func(path, _ string) error { return makeSocket(path) }},
	{"the device null", func(path, _ string) error { return unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))) }},
	{"the device zero", func(path, _ string) error { return unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) }},
	{"a folder with something in it", func(path, _ string) error { return os.MkdirAll(filepath.Join(path, "full"), 0o700) }},
	{"an empty folder", func(path, _ string) error { return os.Mkdir(path, 0o700) }},
	{"a folder without permissions", func(path, _ string) error { return os.Mkdir(path, 0) }},
	{"a hard link to a file outside", func(path, twin string) error { return os.Link(outsideFile(twin), path) }},
	{"a file without permissions", func(path, _ string) error { return os.WriteFile(path, []byte("mine"), 0) }},
	{"an empty file", func(path, _ string) error { return os.WriteFile(path, nil, 0o600) }},
	{"a sparse file of a terabyte", func(path, _ string) error {
		return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
	}},
}

// The cache outside stands beside the file outside, in one folder.
const (
	outsideFolder = "outside"
	outsideCache  = "cache"
)

// outsideFile is the file beside the cache in which twin lies.
func outsideFile(twin string) string {
	before, _, _ := strings.Cut(twin, "/"+outsideFolder+"/"+outsideCache+"/")
	return filepath.Join(before, outsideFolder, "private", "file")
}

func makeSocket(path string) error {
	dir, err := os.MkdirTemp("", "s") // the path of a socket must be short
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return errors.Join(os.Rename(filepath.Join(dir, "s"), path), l.Close())
}

// hostileVariants are ways to open a cache.
var hostileVariants = []struct {
	what string
	set  func(*Options)
}{
	{"plain", func(*Options) {}},
	{"durable", func(o *Options) { o.Sync = SyncFull }},
	{"compressed", func(o *Options) { o.Compress = 1 }},
	{"a group's", func(o *Options) { o.Group = true }},
	{"read-only", func(o *Options) { o.ReadOnly = true }},
}

// hostileResult is what the function returns for n, in the cache, and sign -1 in the one
// outside.
func hostileResult(sign, n int) ([]float64, string) {
	return []float64{float64(sign), float64(n), 3, 4}, fmt.Sprint("call ", sign*n)
}

// hostile is a cache in which something stands that does not belong there.
type hostile struct {
	t            testing.TB
	dir, outside string
	options      *Options
	digest       array.Digest // of the entry's object
	c            *Cache
	f            *Function[func(int) ([]float64, string)]
}

// memoizeHostile memoizes hostileResult.
func memoizeHostile(t testing.TB, c *Cache, sign int) *Function[func(int) ([]float64, string)] {
	t.Helper()
	f, err := Func(c, Spec{Name: "f", Version: "v"}, func(n int) ([]float64, string) { return hostileResult(sign, n) })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// newHostile makes a cache with an entry, for call 1, and one outside that is like it.
func newHostile(t testing.TB, base string, set func(*Options)) *hostile {
	t.Helper()
	h := &hostile{t: t, dir: filepath.Join(base, "cache"), outside: filepath.Join(base, outsideFolder), options: quiet()}
	h.options.Limits.MaxBytes = 1 << 20
	set(h.options)
	file := outsideFile(h.twin("x"))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("private"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for sign, dir := range map[int]string{1: h.dir, -1: filepath.Join(h.outside, outsideCache)} {
		fill := *h.options
		fill.ReadOnly, fill.Sync = false, SyncNone
		c, err := Open(dir, &fill)
		if err != nil {
			t.Fatal(err)
		}
		memoizeHostile(t, c, sign).Call(1)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Where links to single objects are followed, the right one is found.
	for _, name := range filesBelow(t, h.dir, objectsFolder) {
		overwrite(t, read(t, h.dir, name), h.twin(name))
		var ok bool
		if h.digest, ok = objectOf(filepath.ToSlash(name)); !ok {
			t.Fatalf("%s is no object", name)
		}
	}
	if err := os.MkdirAll(h.twin(quarantineFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// twin is the path in the cache outside.
func (h *hostile) twin(name string) string { return filepath.Join(h.outside, outsideCache, name) }

// open opens the cache, and reports whether that was possible.
func (h *hostile) open() error {
	c, err := Open(h.dir, h.options)
	if err != nil {
		return err
	}
	h.c, h.f = c, memoizeHostile(h.t, c, 1)
	return nil
}

// places returns the names that a cache with one entry uses.
func (h *hostile) places() []string {
	h.t.Helper()
	names := []string{formatFile, tagFile, "README.txt", ".gitignore", stagingFolder, quarantineFolder, "lock", usageFile, statsFile}
	for _, folder := range []string{callsFolder, objectsFolder} {
		err := filepath.WalkDir(filepath.Join(h.dir, folder), func(path string, _ fs.DirEntry, err error) error {
			name, relErr := filepath.Rel(h.dir, path)
			names = append(names, name)
			return errors.Join(err, relErr)
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	if len(names) != 9+5+3 {
		h.t.Fatalf("the entry has the paths %v", names[9:])
	}
	return names
}

// computes reports whether call 1 is computed where a link leads out of the cache at a
// name.
func computes(name string) bool {
	return strings.HasPrefix(name, callsFolder) || strings.HasPrefix(name, objectsFolder)
}

// call checks the results of a call.
func (h *hostile) call(what string, f func(int) ([]float64, string), n int) {
	h.t.Helper()
	numbers, text := f(n)
	want, wantText := hostileResult(1, n)
	if !slices.Equal(numbers, want) || text != wantText {
		h.t.Errorf("%s: WRONG result of call %d: %v, %q", what, n, numbers, text)
	}
}

// hostileVerbs are what can be done with a cache. Their errors are returned.
var hostileVerbs = []struct {
	what string
	do   func(ctx context.Context, h *hostile) error
}{
	{"open", func(_ context.Context, h *hostile) error {
		err := h.c.Close()
		h.c = nil
		return errors.Join(err, h.open())
	}},
	{"call", func(_ context.Context, h *hostile) error {
		h.call("call", h.f.Call, 1)
		h.call("call", h.f.Call, 2)
		return nil
	}},
	{"refresh", func(_ context.Context, h *hostile) error {
		h.call("refresh", h.f.Refresh, 1)
		h.call("refresh", h.f.Refresh, 2)
		return nil
	}},
	{"has", func(ctx context.Context, h *hostile) error {
		_, err := h.f.Has(1)
		_, recordErr := h.f.Record(1)
		if errors.Is(recordErr, ErrNotFound) {
			recordErr = nil
		}
		return errors.Join(err, recordErr)
	}},
	{"shelve", func(ctx context.Context, h *hostile) error {
		for n := 1; n <= 2; n++ {
			ref, err := h.f.Shelve(n)
			if err != nil {
				h.t.Errorf("shelve: %v", err)
				return nil
			}
			var numbers []float64
			var text string
			err = ref.Get(ctx, &numbers, &text)
			if err == nil {
				h.call("shelve", func(int) ([]float64, string) { return numbers, text }, n)
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
			file, err := ref.Open(ctx, 0)
			if errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnsupported) {
				continue
			}
			if err != nil {
				return err
			}
			a, err := file.Read()
			if err := errors.Join(err, file.Close()); err != nil {
				return err
			}
			if want, _ := hostileResult(1, n); a.Len() != len(want) {
				h.t.Errorf("a result that was opened: WRONG, %v", a)
			}
		}
		return nil
	}},
	{"forget", func(_ context.Context, h *hostile) error {
		err := h.f.Forget(1)
		if err != nil {
			return err
		}
		if has, err := h.f.Has(1); has || err != nil {
			return errors.Join(err, fmt.Errorf("forgotten, and yet there: %v", has))
		}
		return nil
	}},
	{"object", func(ctx context.Context, h *hostile) error {
		_ = h.c.ObjectPath(h.digest)
		_, err := h.c.Object(ctx, h.digest)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}},
	{"records", func(ctx context.Context, h *hostile) (all error) {
		for r, err := range h.c.Records(ctx) {
			if err == nil && r.Function != "f" {
				h.t.Errorf("a record of %q", r.Function)
			}
			all = errors.Join(all, err)
		}
		return all
	}},
	{"verify", func(ctx context.Context, h *hostile) error {
		_, err := h.c.Verify(ctx, nil)
		return err
	}},
	{"trim", func(ctx context.Context, h *hostile) error {
		_, dryErr := h.c.Trim(ctx, Limits{MaxEntries: 1}, &TrimOptions{DryRun: true})
		_, err := h.c.Trim(ctx, Limits{MaxBytes: 1}, nil)
		return errors.Join(dryErr, err)
	}},
	{"clear of a function", func(ctx context.Context, h *hostile) error {
		_, err := h.f.Clear(ctx)
		return err
	}},
	{"clear", func(ctx context.Context, h *hostile) error { return h.c.Clear(ctx, nil) }},
	{"usage", func(ctx context.Context, h *hostile) error {
		_, _, err := h.c.Usage(ctx)
		return err
	}},
	{"history", func(ctx context.Context, h *hostile) error {
		_, err := h.c.History(ctx)
		return err
	}},
	{"close", func(_ context.Context, h *hostile) error { return h.c.Close() }},
}

// outsideState is everything that is known of the folder outside: kinds, modes, contents,
// and times, but for those of the private file where that has a name in the cache.
func outsideState(t testing.TB, outside string, linked bool) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(outside, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		line := fmt.Sprint(info.Mode(), " ", stat.Uid, " ", stat.Gid)
		if !linked || info.Name() != "file" {
			line += fmt.Sprint(" ", info.ModTime().UnixNano())
		}
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d %x", info.Size(), sha256.Sum256(b))
		}
		all[strings.TrimPrefix(path, outside)] = line
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkOutside fails the test if the folder outside is not as it was.
func checkOutside(t testing.TB, what string, after, before map[string]string) {
	t.Helper()
	for name, line := range before {
		if after[name] != line {
			t.Errorf("ESCAPE: %s: outside, %s was %q, is %q", what, name, line, after[name])
		}
	}
	for name := range after {
		if before[name] == "" {
			t.Errorf("ESCAPE: %s: outside, %s is new", what, name)
		}
	}
}

// promptly runs f and returns how long that took, and ends the test where f waits for
// ever.
func promptly(t testing.TB, what string, f func()) (took time.Duration) {
	t.Helper()
	done, began := make(chan struct{}), time.Now()
	go func() {
		defer close(done)
		f()
	}()
	watch := time.NewTimer(hostileStuck)
	defer watch.Stop()
	select {
	case <-done:
	case <-watch.C:
		stacks := make([]byte, 1<<20)
		t.Fatalf("HANG: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
	return time.Since(began)
}

// tryHostile does one thing with a cache that has a thing in one place, and then calls.
func tryHostile(t *testing.T, base, what, place string, thing hostileThing, verb int, set func(*Options)) (took time.Duration, verbErr error, done bool) {
	t.Helper()
	h := newHostile(t, base, set)
	if err := h.open(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	path := filepath.Join(h.dir, place)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := thing.make(path, h.twin(place)); err != nil {
		if errors.Is(err, fs.ErrPermission) { // devices are root's
			return 0, nil, false
		}
		t.Fatalf("%s: %v", what, err)
	}
	linked := strings.HasPrefix(thing.what, "a hard link")
	before := outsideState(t, h.outside, linked)
	took = promptly(t, what, func() { verbErr = hostileVerbs[verb].do(t.Context(), h) })
	if h.c != nil {
		calling := promptly(t, what+", and then a call", func() {
			h.call(what, h.f.Call, 1)
			if strings.HasPrefix(thing.what, "a symbolic link to its like") && computes(place) && hostileVerbs[verb].what == "call" && h.c.Stats().Hits > 1 {
				// The second call may be a hit: what led out was put aside.
				t.Errorf("ESCAPE: %s: a hit, read through the link", what)
			}
			_ = h.c.Close()
		})
		took = max(took, calling)
	}
	checkOutside(t, what, outsideState(t, h.outside, linked), before)
	return took, verbErr, true
}

// TestHostileFolder puts everything but what belongs there in the place of each file and
// folder of a cache, and then does everything that can be done with one. Calls return the
// right results, nothing outside of the folder is touched or believed, and nothing hangs.
func TestHostileFolder(t *testing.T) {
	root := t.TempDir()
	only, err := regexp.Compile(*hostileOnly)
	if err != nil {
		t.Fatal(err)
	}
	tried, skipped, slow, failed, number := 0, 0, 0, map[string]int{}, 0
	var longest time.Duration
	var longestWhat string
	for _, variant := range hostileVariants {
		places := newHostile(t, filepath.Join(root, "places "+variant.what), variant.set).places()
		for _, place := range places {
			for _, thing := range hostileThings {
				for verb := range hostileVerbs {
					if number++; number%*hostileStep != 0 {
						continue
					}
					what := fmt.Sprintf("%s at %s, %s, %s cache", thing.what, place, hostileVerbs[verb].what, variant.what)
					if !only.MatchString(what) {
						continue
					}
					base := filepath.Join(root, fmt.Sprint(number))
					took, err, done := tryHostile(t, base, what, place, thing, verb, variant.set)
					if err := os.RemoveAll(base); err != nil {
						t.Fatal(err)
					}
					if !done {
						skipped++
						continue
					}
					tried++
					if err != nil {
						failed[hostileVerbs[verb].what]++
						checkSensible(t, what, err)
					}
					if took > hostileHang {
						slow++
					}
					if took > longest {
						longest, longestWhat = took, what
					}
				}
			}
		}
	}
	var errs []string
	for _, verb := range slices.Sorted(maps.Keys(failed)) {
		errs = append(errs, fmt.Sprint(verb, " ", failed[verb]))
	}
	t.Logf("%d of %d combinations, %d skipped for want of permission, %d slower than %v; errors of verbs: %s; the longest took %v: %s",
		tried, number, skipped, slow, hostileHang, strings.Join(errs, ", "), longest.Round(time.Millisecond), longestWhat)
	if tried == 0 || len(failed) == 0 {
		t.Error("nothing was tried")
	}
}

// checkSensible fails the test if an error does not say what could not be done with which
// file, or why.
func checkSensible(t *testing.T, what string, err error) {
	t.Helper()
	var about *Error
	if !errors.As(err, &about) || about.Op == "" || about.Path == "" || about.Err == nil || len(err.Error()) > 2000 {
		t.Errorf("%s: an error of %T: %v", what, err, err)
	}
}
