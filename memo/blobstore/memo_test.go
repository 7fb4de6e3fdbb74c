package blobstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/memo/internal/store"
)

// cache is a cache on a server whose log and faults are kept.
type cache struct {
	*memo.Cache
	computed atomic.Int64

	mu     sync.Mutex
	log    bytes.Buffer
	faults []error
}

// Write takes the log.
func (c *cache) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(p)
}

// openCache opens the cache at a URL.
func openCache(t testing.TB, url string) *cache {
	t.Helper()
	c := &cache{}
	var err error
	c.Cache, err = memo.Open(url, &memo.Options{
		Logger: slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnEvent: func(e memo.Event) {
			if e.Kind == memo.Fault {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.faults = append(c.faults, e.Err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		checkSecrets(t, "a log", c.log.String())
		checkSecrets(t, "an error", fmt.Sprint(c.faults))
	})
	return c
}

// noFaults fails the test if there were any.
func (c *cache) noFaults(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.faults) > 0 {
		t.Errorf("faults: %v", c.faults)
	}
}

// checkSecrets fails the test if text holds what the server knows the user by.
func checkSecrets(t testing.TB, what, text string) {
	t.Helper()
	for _, secret := range []string{accessKey, secretKey, "Signature="} {
		if strings.Contains(text, secret) {
			t.Errorf("%s has %q in it:\n%s", what, secret, text)
		}
	}
}

// wanted returns the n by n matrix of a seed.
func wanted(seed, n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	x := uint64(seed)*2862933555777941757 + 3037000493
	for i := range m.RawMatrix().Data {
		x = x*6364136223846793005 + 1442695040888963407
		m.RawMatrix().Data[i] = float64(int64(x) >> 11)
	}
	return m
}

// call returns wanted(seed, n) by way of the cache, and fails the test where that is
// another matrix.
func (c *cache) call(t testing.TB, seed, n int) {
	t.Helper()
	got, err := memo.Do(context.Background(), c.Cache, memo.NewKey("wanted", "1").Add(seed).Add(n), func(context.Context) (*mat.Dense, error) {
		c.computed.Add(1)
		return wanted(seed, n), nil
	})
	if err != nil || !mat.Equal(got, wanted(seed, n)) {
		t.Errorf("seed %d, %d rows: another matrix, or %v", seed, n, err)
	}
}

// sizes are those of matrices of 8 bytes, 20 KB, and above what is read at once.
var sizes = []int{1, 50, 200, 600}

func TestHitAfterReopen(t *testing.T) {
	s := needServer(t)
	address := url(s.address, s.bucket(t))
	for round := range 3 {
		c := openCache(t, address)
		for _, n := range sizes {
			c.call(t, 1, n)
		}
		if want := int64(len(sizes)); round == 0 && c.computed.Load() != want || round > 0 && c.Stats().Hits != want {
			t.Errorf("round %d: computed %d, %+v", round, c.computed.Load(), c.Stats())
		}
		c.noFaults(t)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRowsAreReadAlone: who opens a result reads the rows that are asked for and
// little else.
func TestRowsAreReadAlone(t *testing.T) {
	s := needServer(t)
	p := newProxy(t, s)
	c := openCache(t, url(p.address, s.bucket(t)))
	const rows, columns = 4000, 512 // 16 MB
	f, err := memo.Func(c.Cache, memo.Spec{Name: "wide", Version: "1"}, func(seed int) (*mat.Dense, error) {
		m := mat.NewDense(rows, columns, nil)
		for i := range rows {
			m.Set(i, 7, float64(seed*i))
		}
		return m, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := f.Shelve(3)
	if err != nil {
		t.Fatal(err)
	}
	before := p.sent.Load()
	file, err := ref.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, lo := range []int{0, 1000, 3990} {
		m, err := file.ReadRowsDense(lo, lo+10)
		if err != nil || m.At(5, 7) != float64(3*(lo+5)) {
			t.Errorf("rows from %d: %v", lo, err)
		}
	}
	const asked = 3 * 10 * columns * 8
	if sent := p.sent.Load() - before; sent > asked+200<<10 {
		t.Errorf("%d bytes were sent for %d", sent, asked)
	} else {
		t.Logf("%d bytes were sent for %d of %d", sent, asked, rows*columns*8)
	}
	c.noFaults(t)
}

func TestWrongCredentials(t *testing.T) {
	s := needServer(t)
	address := url(s.address, s.bucket(t))
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Run(name, func(t *testing.T) {
			const wrong = "wrongCredentialsOfTheTest"
			t.Setenv(name, wrong)
			c := openCache(t, address)
			c.call(t, 1, 50)
			c.call(t, 1, 50)
			if c.computed.Load() != 2 {
				t.Errorf("computed %d times", c.computed.Load())
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if text := c.log.String(); !strings.Contains(text, "level=WARN") || strings.Contains(text, wrong) {
				t.Errorf("the log is\n%s", text)
			}
			st := openStore(t, address)
			_, _, err := st.Get(t.Context(), "a/b", 10)
			// The server was once seen to say that there is nothing, which is a miss.
			if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), wrong) {
				t.Errorf("%v, want ErrUnavailable or ErrNotExist", err)
			}
			checkSecrets(t, "an error", fmt.Sprint(err))
		})
	}
}

func TestMissingBucket(t *testing.T) {
	s := needServer(t)
	st := openStore(t, url(s.address, "no-such-bucket"))
	if _, _, err := st.Get(t.Context(), "a/b", 10); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	c := openCache(t, url(s.address, "no-such-bucket"))
	c.call(t, 1, 50)
}

// TestAddresses: what is wrong with an address is told, and what is secret in it is not.
func TestAddresses(t *testing.T) {
	const secret = "hush-hush"
	for _, address := range []string{
		"s3://", "s3:///prefix", "s3://bucket/../up", "s3://bucket/a//b", "s3://bucket#part",
		"s3://user:" + secret + "@bucket/prefix",
		"s3://" + secret + "@bucket/prefix",
		"s3://bucket?endpoint=http://user:" + secret + "@127.0.0.1:1",
		"s3://bucket?secret_access_key=" + secret,
		"s3://bucket?use_path_style=" + secret, "s3://bucket?timeout=soon", "s3://bucket?timeout=-1s",
		"s3://bucket?endpoint=http://user:" + secret + "@[::1",
		"s3://user:" + secret + "@[::1/%zz",
	} {
		s, err := store.OpenURL(t.Context(), address, false)
		if err == nil {
			t.Errorf("%s is opened", address)
			_ = s.Close()
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
		if c, err := memo.Open(address, nil); err == nil {
			t.Errorf("%s is opened as a cache", address)
			_ = c.Close()
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	s := needServer(t)
	address := url(s.address, s.bucket(t))
	openCache(t, address).call(t, 1, 50)
	count := func() (n int) {
		for range openStore(t, address).List(t.Context(), ".") {
			n++
		}
		return n
	}
	before := count()
	c, err := memo.Open(address, &memo.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for seed := range 3 {
		(&cache{Cache: c}).call(t, seed, 50)
	}
	if st := c.Stats(); st.Hits != 1 || st.Faults != 0 || count() != before {
		t.Errorf("%+v, %d blobs, then %d", st, before, count())
	}
	st, err := store.OpenURL(t.Context(), address, true)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Delete(t.Context(), "format.json"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("Delete: %v, want ErrPermission", err)
	}
	if _, err := st.Lock(t.Context(), 1, 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Lock: %v, want ErrUnsupported", err)
	}
}
