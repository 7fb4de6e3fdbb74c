package memo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/memo/internal/store/tiered"
	"github.com/numcache/numcache/npy"
)

// openBehind opens a cache in a folder of its own with a second level at url.
func openBehind(t testing.TB, url string, change ...func(*Options)) (*Cache, *faultList) {
	t.Helper()
	o := quiet()
	o.Remote = url
	for _, f := range change {
		f(o)
	}
	return openAt(t, t.TempDir(), o)
}

// openOver is openBehind with memory in place of the folder, for many caches.
func openOver(t testing.TB, url string) *Cache {
	t.Helper()
	c := openOn(t, nil)
	s, err := c.openRemote(url, &storetest.Memory{})
	if err != nil {
		t.Fatal(err)
	}
	c.store = s
	return c
}

// checkStats compares hits and misses.
func checkStats(t testing.TB, c *Cache, hits, misses int64) {
	t.Helper()
	if s := c.Stats(); s.Hits != hits || s.Misses != misses {
		t.Errorf("%d hits and %d misses, want %d and %d", s.Hits, s.Misses, hits, misses)
	}
}

func checkNoFaults(t testing.TB, faults ...*faultList) {
	t.Helper()
	for _, f := range faults {
		for _, err := range f.all() {
			t.Errorf("fault: %v", err)
		}
	}
}

func closeCache(t testing.TB, c *Cache) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// corrupt flips a bit of each object's last byte.
func corrupt(server *storetest.Memory) {
	for name, b := range server.Blobs() {
		if strings.HasPrefix(name, objectsFolder) {
			b[len(b)-1] ^= 1
			server.Set(name, b)
		}
	}
}

// TestRemoteShares has caches with different folders share results. What came once is in
// the folder, where the second level is not needed for it.
func TestRemoteShares(t *testing.T) {
	server := &storetest.Memory{FixedTimes: true}
	url := serve(t, server)
	a, aFaults := openBehind(t, url)
	callSamples(t, a, 1, 2, 3)
	closeCache(t, a)
	c, _ := openAt(t, url, quiet()) // at the URL itself are the same entries
	callSamples(t, c, 1, 2, 3)
	checkStats(t, c, 3, 0)
	b, bFaults := openBehind(t, url)
	callSamples(t, b, 1, 2, 3, 4)
	checkStats(t, b, 3, 1)
	for name := range server.Blobs() {
		if strings.HasPrefix(name, objectsFolder) || strings.HasPrefix(name, callsFolder) {
			server.Delete(t.Context(), name)
		}
	}
	callSamples(t, b, 1, 2, 3)
	checkStats(t, b, 6, 1)
	if r, err := b.Verify(t.Context(), nil); err != nil || r.Records != 4 || r.Incomplete > 0 || len(r.Damaged) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for name := range server.Blobs() {
		if name == statsFile || name == usageFile {
			t.Errorf("%s tells of a folder, and was sent", name)
		}
	}
	checkNoFaults(t, aFaults, bFaults)
	closeCache(t, b)
}

// TestRemoteComputesOnce has two machines want the same calls at once.
func TestRemoteComputesOnce(t *testing.T) {
	url := serve(t, &storetest.Memory{})
	const calls = 20
	var computed atomic.Int64
	var wg sync.WaitGroup
	var faults []*faultList
	for range 3 {
		c, f := openBehind(t, url)
		faults = append(faults, f)
		for n := range calls {
			wg.Go(func() {
				got, err := Do(t.Context(), c, NewKey("once", "1").Add(n), func(context.Context) (int, error) {
					computed.Add(1)
					return n, nil
				})
				if err != nil || got != n {
					t.Errorf("%d, %v, want %d", got, err, n)
				}
			})
		}
	}
	wg.Wait()
	if n := computed.Load(); n != calls {
		t.Errorf("%d computations of %d calls", n, calls)
	}
	checkNoFaults(t, faults...)
}

// TestRemoteDown: with a second level that fails the folder serves, and Close tells what
// was not sent. When it is there again all goes on.
func TestRemoteDown(t *testing.T) {
	server := &storetest.Memory{}
	faulty := &storetest.Faulty{Store: server}
	url := serve(t, faulty)
	a, _ := openBehind(t, url)
	callSamples(t, a, 1)
	closeCache(t, a)
	for _, fault := range []error{store.ErrUnavailable, errors.New("500 Internal Server Error"), io.ErrUnexpectedEOF} {
		faulty.Fail(func(int, string) error { return fault })
		if !errors.Is(fault, store.ErrUnavailable) { // Open would fail
			faulty.Fail(nil)
		}
		c, faults := openBehind(t, url)
		faulty.Fail(func(int, string) error { return fault })
		callSamples(t, c, 1, 2, 1, 2)
		checkStats(t, c, 2, 2)
		closeCache(t, c)
		found := false
		for _, err := range faults.all() {
			found = found || errors.Is(err, tiered.ErrNotSent)
		}
		if !found || len(faults.all()) > 30 {
			t.Errorf("%v: %d faults: %v", fault, len(faults.all()), faults.all())
		}
		faulty.Fail(nil)
		if _, ok := server.Blobs()[formatFile]; !ok {
			t.Error("the second level has lost its format")
		}
	}
	b, faults := openBehind(t, url)
	callSamples(t, b, 1)
	checkStats(t, b, 1, 0)
	checkNoFaults(t, faults)
}

// TestRemoteFaultsAnywhere has each operation of the second level fail in turn. The calls
// are answered, and rightly.
func TestRemoteFaultsAnywhere(t *testing.T) {
	for at, failed := 0, true; failed; at++ {
		server := &storetest.Memory{}
		faulty := &storetest.Faulty{Store: server}
		url := serve(t, faulty)
		first := openOver(t, url)
		callSamples(t, first, 1)
		closeCache(t, first)
		c := openOver(t, url)
		faulty.Fail(func(i int, _ string) error {
			if i == at {
				return store.ErrUnavailable
			}
			return nil
		})
		callSamples(t, c, 1, 2)
		closeCache(t, c)
		failed = len(faulty.Failed()) > 0
		faulty.Fail(nil)
		last := openOver(t, url)
		callSamples(t, last, 1, 2)
		closeCache(t, last)
		if !failed && at < 15 {
			t.Errorf("only %d operations", at)
		}
	}
}

// TestRemoteDamaged: what the second level has damaged is no result. It is put aside
// there, and computed.
func TestRemoteDamaged(t *testing.T) {
	server := &storetest.Memory{}
	url := serve(t, server)
	a, _ := openBehind(t, url)
	callSamples(t, a, 1)
	closeCache(t, a)
	corrupt(server)
	b, faults := openBehind(t, url)
	callSamples(t, b, 1, 1)
	checkStats(t, b, 1, 1)
	if len(faults.all()) == 0 || server.Aside() == 0 {
		t.Errorf("%d faults, %d put aside", len(faults.all()), server.Aside())
	}
	closeCache(t, b)
	c, more := openBehind(t, url)
	callSamples(t, c, 1)
	checkStats(t, c, 1, 0)
	checkNoFaults(t, more)
	if r, err := c.Verify(t.Context(), nil); err != nil || len(r.Damaged) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestRemoteMendsFolder: what a disk has damaged is fetched again, and the second level
// keeps what it has.
func TestRemoteMendsFolder(t *testing.T) {
	server := &storetest.Memory{}
	url := serve(t, server)
	for _, fetched := range []bool{false, true} {
		a, _ := openBehind(t, url)
		callSamples(t, a, 1)
		if fetched {
			checkStats(t, a, 1, 0)
		}
		closeCache(t, a)
		objects, err := filepath.Glob(filepath.Join(a.Dir(), objectsFolder, "*", "*"))
		if err != nil || len(objects) == 0 {
			t.Fatal(objects, err)
		}
		for _, name := range objects {
			b, err := os.ReadFile(name)
			if err == nil {
				b[len(b)-1] ^= 1
				err = os.WriteFile(name, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		before := len(server.Blobs())
		o := quiet()
		o.Remote = url
		b, faults := openAt(t, a.Dir(), o)
		callSamples(t, b, 1)
		checkStats(t, b, 1, 0)
		if len(faults.all()) == 0 || server.Aside() != 0 || len(server.Blobs()) != before {
			t.Errorf("%d faults; %d put aside, %d blobs of %d", len(faults.all()), server.Aside(), len(server.Blobs()), before)
		}
		if r, err := b.Verify(t.Context(), nil); err != nil || len(r.Damaged) > 0 || r.Incomplete > 0 {
			t.Errorf("%+v, %v", r, err)
		}
		closeCache(t, b)
	}
}

// TestRemoteReadOnly reads the second level, and writes nothing there nor in the folder.
func TestRemoteReadOnly(t *testing.T) {
	server := &storetest.Memory{}
	url := serve(t, server)
	a, _ := openBehind(t, url)
	callSamples(t, a, 1)
	closeCache(t, a)
	before := server.Blobs()
	dir := t.TempDir()
	closeCache(t, openQuiet(t, dir))
	size := folderSize(t, dir)
	for _, dir := range []string{dir, filepath.Join(dir, "missing")} {
		o := quiet()
		o.Remote, o.ReadOnly = url, true
		c, _ := openAt(t, dir, o)
		callSamples(t, c, 1, 2)
		checkStats(t, c, 1, 1)
		if err := c.Forget(t.Context(), NewKey("sample", "1")); !errors.Is(err, ErrReadOnly) {
			t.Errorf("Forget: %v", err)
		}
		closeCache(t, c)
	}
	if after := server.Blobs(); len(after) != len(before) || folderSize(t, dir) != size {
		t.Errorf("%d blobs, then %d; %d bytes, then %d", len(before), len(after), size, folderSize(t, dir))
	}
}

// folderSize returns the bytes of the files in a folder.
func folderSize(t testing.TB, dir string) (size int64) {
	t.Helper()
	err := filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// TestRemoteForget removes an entry from both levels.
func TestRemoteForget(t *testing.T) {
	server := &storetest.Faulty{Store: &storetest.Memory{}}
	url := serve(t, server)
	a, _ := openBehind(t, url)
	f := memoizeSample(t, a)
	callSamples(t, a, 1, 2)
	key, err := f.Key(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Forget(t.Context(), key); err != nil {
		t.Error(err)
	}
	callSamples(t, a, 1)
	checkStats(t, a, 0, 3)
	closeCache(t, a)
	b, _ := openBehind(t, url)
	if err := b.Forget(t.Context(), key); err != nil { // which its folder has not got
		t.Error(err)
	}
	callSamples(t, b, 1)
	checkStats(t, b, 0, 1)
	server.Fail(func(_ int, op string) error {
		if op == "delete" {
			return store.ErrUnavailable
		}
		return nil
	})
	if err := b.Forget(t.Context(), key); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Forget at a second level that is down: %v", err)
	}
}

// TestRemoteLimits bounds the folder, and not the second level; what was evicted comes
// from there.
func TestRemoteLimits(t *testing.T) {
	server := &storetest.Memory{}
	url := serve(t, server)
	few := func(o *Options) { o.Limits.MaxEntries = 3 }
	a, aFaults := openBehind(t, url, few)
	callSamples(t, a, 1, 2, 3, 4, 5, 6)
	closeCache(t, a)
	b, bFaults := openBehind(t, url, few)
	for range 2 {
		callSamples(t, b, 1, 2, 3, 4, 5, 6)
		if n, _, err := b.Usage(t.Context()); err != nil || n > 3 {
			t.Errorf("%d entries, %v", n, err)
		}
	}
	if s := b.Stats(); s.Evicted == 0 || s.Hits+s.Misses != 12 || s.Hits < 8 {
		t.Errorf("%+v", s)
	}
	checkNoFaults(t, aFaults, bFaults)
}

// hanging is a store whose reads do not answer until their context ends.
type hanging struct {
	store.Store
	hangs  atomic.Bool
	within chan struct{} // gets a token for each that begins to wait
}

func (h *hanging) Get(ctx context.Context, name string, limit int64) ([]byte, time.Time, error) {
	if h.hangs.Load() {
		h.within <- struct{}{}
		<-ctx.Done()
		return nil, time.Time{}, ctx.Err()
	}
	return h.Store.Get(ctx, name, limit)
}

// TestRemoteCancelled ends a call that waits for the second level, and leaves no
// goroutine.
func TestRemoteCancelled(t *testing.T) {
	h := &hanging{Store: &storetest.Memory{}, within: make(chan struct{}, 10)}
	url := serve(t, h)
	before := runtime.NumGoroutine()
	c, faults := openBehind(t, url)
	f := memoizeSample(t, c)
	h.hangs.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := f.Call(ctx, 1)
		done <- err
	}()
	<-h.within
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	h.hangs.Store(false)
	callSamples(t, c, 1) // no blame on the server
	checkNoFaults(t, faults)
	closeCache(t, c)
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			var stacks bytes.Buffer
			b := make([]byte, 1<<20)
			stacks.Write(b[:runtime.Stack(b, true)])
			t.Fatalf("%d goroutines, then %d:\n%s", before, runtime.NumGoroutine(), stacks.String())
		}
	}
}

// TestRemoteRows opens a result that only the second level has: it comes into the folder,
// verified, and can be mapped.
func TestRemoteRows(t *testing.T) {
	url := serve(t, &storetest.Memory{})
	a, _ := openBehind(t, url)
	callSamples(t, a, 1)
	key, err := memoizeSample(t, a).Key(1)
	if err != nil {
		t.Fatal(err)
	}
	digest := firstArray(t, a, key)
	closeCache(t, a)
	b, faults := openBehind(t, url)
	if ok, err := b.Has(t.Context(), key); err != nil || !ok {
		t.Errorf("Has: %v, %v", ok, err)
	}
	if objects, _ := filepath.Glob(filepath.Join(b.Dir(), objectsFolder, "*", "*")); len(objects) != 0 {
		t.Errorf("Has has fetched %v", objects)
	}
	f, err := b.openObject(t.Context(), digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Map(npy.ReadOnly)
	switch {
	case err == nil:
		err = m.Close()
	case errors.Is(err, npy.ErrUnsupported): // of a build that cannot share memory
		err = nil
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Error(err)
	}
	checkNoFaults(t, faults)
}

// firstArray returns an array of a call's results.
func firstArray(t testing.TB, c *Cache, k Key) arrayRef {
	t.Helper()
	r, err := c.Record(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Results {
		for _, a := range v.Arrays() {
			return arrayRef{Digest: a.Digest, DType: a.DType, Shape: a.Shape}
		}
	}
	t.Fatal("there is no array")
	return arrayRef{}
}

// TestRemoteOptions: what does not go together is an error of Open.
func TestRemoteOptions(t *testing.T) {
	url := serve(t, &storetest.Memory{})
	foreign := &storetest.Memory{}
	foreign.Set("draft.txt", nil)
	servers.Store("foreign", func() (store.Store, error) { return foreign, nil })
	t.Cleanup(func() { servers.Delete("foreign") })
	for _, test := range []struct{ dir, remote, want string }{
		{"", url, "Options.Remote is for a cache in a folder"},
		{url, url, "Options.Remote is for a cache in a folder"},
		{t.TempDir(), t.TempDir(), "Options.Remote is no URL"},
		{t.TempDir(), "nosuch://bucket", "import github.com/numcache/numcache/memo/blobstore"},
		{t.TempDir(), "test://foreign", "holds draft.txt"},
	} {
		o := quiet()
		o.Remote = test.remote
		if c, err := Open(test.dir, o); c != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q behind %q: %v, want %s", test.remote, test.dir, err, test.want)
		}
	}
}
