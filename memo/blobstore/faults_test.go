package blobstore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// networkFault is one way in which a server and the way to it are bad.
type networkFault struct {
	name string
	// hits is whether the cache gets over it: all is computed once.
	hits   bool
	refuse func(n int64, w http.ResponseWriter, r *http.Request) bool
	change func(n int64, r *http.Response)
}

// reset breaks the connection.
func reset(w http.ResponseWriter) {
	if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = connection.Close()
	}
}

// isContent is a request whose answer is what is stored.
func isContent(r *http.Request) bool {
	return r.Method == http.MethodGet && (strings.Contains(r.URL.Path, "/objects/") || strings.Contains(r.URL.Path, "/calls/"))
}

// truncated is content that ends early.
type truncated struct {
	io.Reader
	io.Closer
}

func truncate(r *http.Response) {
	if r.ContentLength > 1 {
		r.Body = truncated{io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), failing{}), r.Body}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// flip changes a bit in the middle of content.
func flip(r *http.Response) {
	b, err := io.ReadAll(r.Body)
	if err == nil && len(b) > 0 {
		b[len(b)/2] ^= 4
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
}

func status(code int) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

// sometimes and always answer one request in three, or all, in place of the server.
func sometimes(answer func(http.ResponseWriter)) func(int64, http.ResponseWriter, *http.Request) bool {
	return func(n int64, w http.ResponseWriter, r *http.Request) bool {
		if n%3 == 0 {
			answer(w)
		}
		return n%3 == 0
	}
}

func always(answer func(http.ResponseWriter)) func(int64, http.ResponseWriter, *http.Request) bool {
	return func(n int64, w http.ResponseWriter, r *http.Request) bool {
		answer(w)
		return true
	}
}

// skew moves the times that a server tells. The SDK sets its clock by Date, and a server
// whose clock is another than it tells refuses what is signed by that.
func skew(by time.Duration, headers ...string) func(int64, *http.Response) {
	return func(n int64, r *http.Response) {
		for _, name := range headers {
			if at, err := http.ParseTime(r.Header.Get(name)); err == nil {
				r.Header.Set(name, at.Add(by).UTC().Format(http.TimeFormat))
			}
		}
	}
}

var networkFaults = []networkFault{
	{"None", true, nil, nil},
	{"Slow", true, func(n int64, w http.ResponseWriter, r *http.Request) bool {
		<-time.After(20 * time.Millisecond)
		return false
	}, nil},
	{"Sometimes500", true, sometimes(status(500)), nil},
	{"Sometimes503", true, sometimes(status(503)), nil},
	{"SometimesReset", true, sometimes(reset), nil},
	{"Always500", false, always(status(500)), nil},
	{"Always403", false, always(status(403)), nil},
	{"AlwaysReset", false, always(reset), nil},
	{"Hangs", false, func(n int64, w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return true
	}, nil},
	{"WrongBytes", false, nil, func(n int64, r *http.Response) {
		if isContent(r.Request) && r.StatusCode < 300 {
			flip(r)
		}
	}},
	{"SometimesTruncated", true, nil, func(n int64, r *http.Response) {
		if isContent(r.Request) && n%3 == 0 {
			truncate(r)
		}
	}},
	{"AlwaysTruncated", false, nil, func(n int64, r *http.Response) {
		if isContent(r.Request) {
			truncate(r)
		}
	}},
	{"TimesBehind", true, nil, skew(-10*365*24*time.Hour, "Last-Modified")},
	{"TimesAhead", true, nil, skew(10*365*24*time.Hour, "Last-Modified")},
	{"MinutesBehind", true, nil, skew(-3*time.Minute, "Date", "Last-Modified")},
	{"MinutesAhead", true, nil, skew(3*time.Minute, "Date", "Last-Modified")},
	{"WrongDate", false, nil, skew(-10*365*24*time.Hour, "Date", "Last-Modified")},
	{"NoTimes", true, nil, func(n int64, r *http.Response) {
		r.Header.Del("Last-Modified")
		r.Header.Del("Date")
	}},
}

// TestFaultyNetwork: whatever is between the cache and the server, calls return the right
// result, and where the cache gets over it nothing is computed twice.
func TestFaultyNetwork(t *testing.T) {
	s := needServer(t)
	var tried atomic.Int64
	t.Cleanup(func() { // when those below have ended
		if tried.Load() == 0 {
			t.Error("nothing was tried")
		}
		t.Logf("%d calls by way of %d kinds of network", tried.Load(), len(networkFaults))
	})
	for _, fault := range networkFaults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, s)
			bucket := s.bucket(t)
			openCache(t, url(s.address, bucket)).call(t, 0, 300) // which is there already
			if fault.refuse != nil {
				p.refuse.Store(&fault.refuse)
			}
			if fault.change != nil {
				p.change.Store(&fault.change)
			}
			var computed int64
			var faults []error
			for range 2 {
				c := openCache(t, url(p.address, bucket, "timeout=2s"))
				for seed := range 2 {
					for _, n := range []int{50, 300} {
						c.call(t, seed, n)
						tried.Add(1)
					}
				}
				computed += c.computed.Load()
				_ = c.Close()
				faults = append(faults, c.faults...)
				if fault.hits && c.Stats().Hits == 0 {
					t.Errorf("no hits: %+v", c.Stats())
				}
			}
			if fault.hits && computed != 3 {
				t.Errorf("computed %d times, want 3: %v", computed, faults)
			}
		})
	}
}

// TestUnavailable: what is wrong with the server is told as such, in bounded time.
func TestUnavailable(t *testing.T) {
	s := needServer(t)
	for _, fault := range networkFaults {
		if fault.refuse == nil || fault.hits {
			continue
		}
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, s)
			p.refuse.Store(&fault.refuse)
			st := openStore(t, url(p.address, s.bucket(t), "timeout=500ms"))
			ctx := t.Context()
			check := func(op string, err error) {
				t.Helper()
				if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v, want ErrUnavailable", op, err)
				}
			}
			began := time.Now()
			_, err := st.Stat(ctx, "a/b")
			check("Stat", err)
			_, _, err = st.Get(ctx, "a/b", 10)
			check("Get", err)
			_, err = st.Open(ctx, "a/b")
			check("Open", err)
			check("Put", st.Put(ctx, "a/b", store.PutOptions{}, func(w io.Writer) error {
				_, err := w.Write(make([]byte, 1<<20))
				return err
			}))
			_, err = st.Lock(ctx, 1, time.Minute)
			check("Lock", err)
			for _, err = range st.List(ctx, "a") {
			}
			check("List", err)
			check("Delete", st.Delete(ctx, "a/b"))
			check("Quarantine", st.Quarantine(ctx, "a/b"))
			check("Freshen", st.Freshen(ctx, "a/b", time.Now()))
			if took := time.Since(began); took > 60*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestAnswerLost: a lease whose making was answered by a broken connection is the
// holder's all the same, as the request was repeated.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	s := needServer(t)
	p := newProxy(t, s)
	var lost atomic.Int64
	change := func(n int64, r *http.Response) {
		if r.Request.Method == http.MethodPut && r.StatusCode == 200 && lost.Add(1)%2 == 1 {
			r.StatusCode = 500
			r.Body = http.NoBody
			r.ContentLength = 0
			r.Header.Set("Content-Length", "0")
		}
	}
	p.change.Store(&change)
	st := openStore(t, url(p.address, s.bucket(t)))
	unlock, err := st.Lock(t.Context(), 7, 0)
	if err != nil || lost.Load() == 0 {
		t.Fatalf("%v, after %d answers were lost", err, lost.Load())
	}
	if _, err := st.Lock(t.Context(), 7, 0); !errors.Is(err, store.ErrLocked) {
		t.Errorf("the second one: %v, want ErrLocked", err)
	}
	unlock()
	if unlock, err = st.Lock(t.Context(), 7, 0); err != nil {
		t.Fatal(err)
	}
	unlock()
	lost.Store(0)
	if _, err := st.PutIfAbsent(t.Context(), "a/b", 3, store.PutOptions{}, func(w io.Writer) error {
		_, err := w.Write([]byte("one"))
		return err
	}); err != nil {
		t.Error(err)
	}
}
