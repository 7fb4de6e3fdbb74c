package blobstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// requestKinds are the requests that are counted, in the order that they are told in.
var requestKinds = []string{"GET", "HEAD", "LIST", "PUT", "POST", "COPY", "DELETE"}

// requestCounter is a server before the server, which counts what it is asked.
type requestCounter struct {
	address string

	mu     sync.Mutex
	counts map[string]int
}

func startRequestCounter(t *testing.T, s *server) *requestCounter {
	c := &requestCounter{counts: map[string]int{}}
	// The host is part of what a client signs, so it stays the one that was asked.
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&neturl.URL{Scheme: "http", Host: s.address})
		r.Out.Host = r.In.Host
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := r.Method
		switch {
		case kind == "GET" && r.URL.Query().Has("list-type"):
			kind = "LIST"
		case kind == "PUT" && r.Header.Get("X-Amz-Copy-Source") != "":
			kind = "COPY"
		}
		c.mu.Lock()
		c.counts[kind]++
		c.mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	c.address = strings.TrimPrefix(front.URL, "http://")
	return c
}

// of returns what f asks for.
func (c *requestCounter) of(f func()) map[string]int {
	c.mu.Lock()
	c.counts = map[string]int{}
	c.mu.Unlock()
	f()
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	c.counts = map[string]int{}
	return counts
}

// TestRequests counts the requests of the verbs of a cache in a bucket, and holds them to
// testdata/requests.txt, on which parallel/slurm/SCALE.md is built. What an operation is
// asked for is counted in package memo.
func TestRequests(t *testing.T) {
	counter := startRequestCounter(t, needServer(t))
	where := url(counter.address, shared.bucket(t))
	// The times of blobs are the server's: one that is later than now is freshened by a hit.
	later := time.Duration(0)
	open := func() *memo.Cache {
		c, err := memo.Open(where, &memo.Options{
			Now: func() time.Time { return time.Now().Add(later) },
			OnEvent: func(e memo.Event) {
				if e.Kind == memo.Fault {
					t.Errorf("fault: %v", e.Err)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	call := func(c *memo.Cache, i, rows int, computes bool) {
		t.Helper()
		computed := false
		m, err := c.Dense(t.Context(), memo.NewKey("requests", "1").Add(i), func(context.Context) (*mat.Dense, error) {
			computed = true
			m := mat.NewDense(rows, 512, nil)
			m.Set(0, 0, float64(i))
			return m, nil
		})
		if err != nil || m.At(0, 0) != float64(i) || computed != computes {
			t.Errorf("call %d: computed is %v, want %v; %v", i, computed, computes, err)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	var table strings.Builder
	row := func(verb string, f func()) {
		t.Helper()
		counts := counter.of(f)
		var told []string
		for _, kind := range requestKinds {
			if n := counts[kind]; n != 0 {
				told = append(told, fmt.Sprintf("%s %d", kind, n))
			}
			delete(counts, kind)
		}
		if len(counts) > 0 {
			t.Errorf("%s: also %v", verb, counts)
		}
		fmt.Fprintf(&table, "%s: %s\n", verb, strings.Join(told, ", "))
	}
	key := func(i int) memo.Key { return memo.NewKey("requests", "1").Add(i) }
	text := func(c *memo.Cache) {
		got, err := memo.Do(t.Context(), c, memo.NewKey("text", "1"), func(context.Context) (string, error) { return "text", nil })
		if got != "text" {
			t.Errorf("got %q", got)
		}
		check(err)
	}

	var c *memo.Cache
	row("open, where there is none", func() { c = open() })
	call(c, 1, 1, true)
	call(c, 2, 1024, true)
	text(c)
	check(c.Close())

	row("open", func() { c = open() })
	row("has, of none", func() { _, err := c.Has(t.Context(), key(3)); check(err) })
	row("miss", func() { call(c, 3, 1, true) })
	row("has", func() { _, err := c.Has(t.Context(), key(3)); check(err) })
	row("hit", func() { call(c, 3, 1, false) })
	// How many requests a large object is read with hangs on who reads which part first.
	large := counter.of(func() { call(c, 2, 1024, false) })
	if n := large["GET"]; n < 3 || n > 18 || len(large) > 1 {
		t.Errorf("a hit of 4 MB asks for %v", large)
	}
	row("hit, of a short text", func() { text(c) })
	record, err := c.Record(t.Context(), key(3))
	if err != nil {
		t.Fatal(err)
	}
	row("object, of one chunk", func() {
		_, err := c.Object(t.Context(), record.Results[0].Arrays()[0].Digest)
		check(err)
	})
	row("forget", func() { check(c.Forget(t.Context(), key(3))) })
	row("miss, with an object that is there", func() { call(c, 3, 1, true) })
	later = 2 * time.Hour
	row("hit, the first for an hour", func() { call(c, 3, 1, false) })
	row("close, with statistics", func() { check(c.Close()) })

	golden, err := os.ReadFile("testdata/requests.txt")
	if err != nil || table.String() != string(golden) {
		t.Errorf("testdata/requests.txt is not this (%v):\n%s", err, table.String())
	}
}
