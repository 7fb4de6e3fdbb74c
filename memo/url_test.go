package memo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/npy"
)

// servers are the stores that tests reach at test://NAME/….
var servers sync.Map

func init() {
	store.Register("test", func(_ context.Context, url string, readOnly bool) (store.Store, error) {
		_, rest, _ := strings.Cut(url, "://")
		if _, after, found := strings.Cut(rest, "@"); found {
			rest = after
		}
		name, _, _ := strings.Cut(rest, "/")
		open, ok := servers.Load(name)
		if !ok {
			return nil, errors.New("no such bucket: " + url)
		}
		return open.(func() (store.Store, error))()
	})
}

// serve has s answer at the URL that it returns. Whoever opens it may close it.
func serve(t testing.TB, s store.Store) (url string) {
	t.Helper()
	return serveWith(t, func() (store.Store, error) { return unclosed{s}, nil })
}

func serveWith(t testing.TB, open func() (store.Store, error)) (url string) {
	t.Helper()
	name := strings.ReplaceAll(strings.ToLower(t.Name()), "/", "-")
	servers.Store(name, open)
	t.Cleanup(func() { servers.Delete(name) })
	return "test://" + name + "/prefix"
}

// unclosed is what one client has of a server, which goes on when that is closed.
type unclosed struct{ store.Store }

func (unclosed) Close() error { return nil }

// openAt opens a cache, with the faults that it has to tell.
func openAt(t testing.TB, dir string, o *Options) (*Cache, *faultList) {
	t.Helper()
	faults := &faultList{}
	o.OnEvent = faults.note
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, faults
}

// faultList is the faults of a cache.
type faultList struct {
	mu   sync.Mutex
	errs []error
}

func (f *faultList) note(e Event) {
	if e.Kind == Fault {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.errs = append(f.errs, e.Err)
	}
}

func (f *faultList) all() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]error(nil), f.errs...)
}

// callSamples calls the memoized sample with each argument and checks what it returns.
func callSamples(t testing.TB, c *Cache, args ...int) {
	t.Helper()
	f := memoizeSample(t, c)
	for _, n := range args {
		got, err := f.Call(t.Context(), n)
		checkSample(t, n, got, err)
	}
}

// TestOpenURL has two processes share a cache at a URL, of the same form as in a folder.
func TestOpenURL(t *testing.T) {
	server := &storetest.Memory{FixedTimes: true}
	url := serve(t, server)
	a, faults := openAt(t, url+"?secret=abcdefgh", quiet())
	b, others := openAt(t, url, quiet())
	callSamples(t, a, 1, 2)
	callSamples(t, b, 1, 2, 3)
	if s := b.Stats(); s.Hits != 2 || s.Misses != 1 {
		t.Errorf("%+v", s)
	}
	if errs := append(faults.all(), others.all()...); len(errs) > 0 {
		t.Error(errs)
	}
	if a.Dir() != url {
		t.Errorf("Dir is %s", a.Dir())
	}
	if path := a.ObjectPath(array.Digest{}); path != url+"/"+objectName(array.Digest{}) {
		t.Errorf("ObjectPath is %s", path)
	}
	if r, err := b.Verify(t.Context(), nil); err != nil || r.Records != 3 || len(r.Damaged) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	o := quiet()
	o.ReadOnly = true
	reader, _ := openAt(t, url, o)
	callSamples(t, reader, 1, 4)
	if s := reader.Stats(); s.Hits != 1 || s.Misses != 1 {
		t.Errorf("read only: %+v", s)
	}
	for _, name := range []string{tagFile, formatFile} {
		if _, ok := server.Blobs()[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
}

// TestOpenURLLimits evicts from a cache at a URL as from a folder.
func TestOpenURLLimits(t *testing.T) {
	o := quiet()
	o.Limits.MaxEntries = 3
	c, faults := openAt(t, serve(t, &storetest.Memory{}), o)
	callSamples(t, c, 1, 2, 3, 4, 5)
	if n, _, err := c.Usage(t.Context()); err != nil || n > 3 {
		t.Errorf("%d entries, %v", n, err)
	}
	if errs := faults.all(); len(errs) > 0 {
		t.Error(errs)
	}
}

// TestOpenURLRefuses: what is wrong with a URL is an error, and none shows what may be
// secret in it.
func TestOpenURLRefuses(t *testing.T) {
	foreign := &storetest.Memory{}
	foreign.Set("thesis/draft.txt", []byte("mine"))
	url := serve(t, foreign)
	_, bucket, _ := strings.Cut(url, "://")
	grouped := quiet()
	grouped.Group = true
	reader := quiet()
	reader.ReadOnly = true
	for _, test := range []struct {
		url  string
		o    *Options
		want string
	}{
		{"nosuch://user:pa55word@bucket/p?key=s3cr3tkey", quiet(), "import github.com/numcache/numcache/memo/blobstore"},
		{"test://user:pa55word@[/p?key=s3cr3tkey", quiet(), "no valid URL"},
		{"test://", quiet(), "no valid URL"},
		{"test://user:pa55word@missing/p?key=s3cr3tkey", quiet(), "no such bucket"},
		{"test://user:pa55word@" + bucket + "?key=s3cr3tkey", quiet(), "holds thesis"},
		{url, grouped, "Options.Group"},
	} {
		c, err := Open(test.url, test.o)
		if c != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.url, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "pa55word") || strings.Contains(err.Error(), "s3cr3tkey")) {
			t.Errorf("it tells secrets: %v", err)
		}
	}
	if _, err := Open(url, quiet()); !errors.Is(err, ErrNotCache) {
		t.Errorf("%v, want ErrNotCache", err)
	}
	if len(foreign.Blobs()) != 1 {
		t.Errorf("%v was written where somebody else's are", foreign.Blobs())
	}
	if _, err := Open(serve(t, &storetest.Memory{}), reader); !errors.Is(err, ErrNotCache) {
		t.Errorf("to be read only, and nothing there: %v", err)
	}
}

// TestOpenURLUnavailable: a server that is down is a fault, and functions compute.
func TestOpenURLUnavailable(t *testing.T) {
	var log bytes.Buffer
	down := &storetest.Faulty{Store: &storetest.Memory{}}
	down.Fail(func(int, string) error { return store.ErrUnavailable })
	for _, open := range []func() (store.Store, error){
		func() (store.Store, error) { return nil, store.ErrUnavailable },
		func() (store.Store, error) { return unclosed{down}, nil },
	} {
		o := quiet()
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		url := strings.Replace(serveWith(t, open), "://", "://user:pa55word@", 1) + "?key=s3cr3tkey"
		c, faults := openAt(t, url, o)
		if errs := faults.all(); len(errs) != 1 || !errors.Is(errs[0], store.ErrUnavailable) {
			t.Errorf("faults: %v", errs)
		}
		callSamples(t, c, 1, 1)
		if s := c.Stats(); s.Misses != 2 || strings.Contains(c.Dir(), "pa55word") {
			t.Errorf("%+v in %s", s, c.Dir())
		}
	}
	if log.Len() == 0 || strings.Contains(log.String(), "pa55word") || strings.Contains(log.String(), "s3cr3tkey") {
		t.Errorf("log: %s", log.String())
	}
}

// measured is a store that counts the bytes that are read of open blobs.
type measured struct {
	store.Store
	read atomic.Int64
}

func (m *measured) Open(ctx context.Context, name string) (store.Blob, error) {
	blob, err := m.Store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return measuredBlob{blob, m}, nil
}

type measuredBlob struct {
	store.Blob
	m *measured
}

func (b measuredBlob) ReadAt(p []byte, offset int64) (int, error) {
	n, err := b.Blob.ReadAt(p, offset)
	b.m.read.Add(int64(n))
	return n, err
}

// TestURLRows reads some rows of a large result at a URL, and little else of it.
func TestURLRows(t *testing.T) {
	server := &storetest.Memory{}
	m := &measured{Store: server}
	c, _ := openAt(t, serve(t, m), quiet())
	const rows, columns = 4000, 50
	key := NewKey("large", "1")
	ref, err := Shelve(t.Context(), c, key, func(context.Context) (*mat.Dense, error) {
		d := mat.NewDense(rows, columns, nil)
		for i := range rows {
			d.Set(i, 0, float64(i))
		}
		return d, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.read.Store(0)
	f, err := ref.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	part, err := f.ReadRowsDense(2000, 2010)
	if err != nil || part.At(3, 0) != 2003 {
		t.Errorf("%v", err)
	}
	if n := m.read.Load(); n > 10*columns*8+2000 {
		t.Errorf("%d bytes were read for %d", n, 10*columns*8)
	}
	mapping, err := f.Map(npy.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := mapping.Dense(); err != nil || d.At(rows-1, 0) != rows-1 {
		t.Error(err)
	}
	if err := errors.Join(mapping.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	for name, content := range server.Blobs() {
		if strings.HasPrefix(name, objectsFolder) {
			server.Set(name, content[:len(content)-1])
		}
	}
	if _, err := ref.Open(t.Context(), 0); !errors.Is(err, ErrNotFound) || !errors.Is(err, ErrDamaged) {
		t.Errorf("cut short: %v", err)
	}
}
