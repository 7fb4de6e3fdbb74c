package blobstore_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// proxy stands in front of a server and does to what passes what a test wants.
type proxy struct {
	address string
	sent    atomic.Int64 // bytes of content

	requests atomic.Int64
	// refuse, if set, may answer in place of the server; then it returns true.
	refuse atomic.Pointer[func(n int64, w http.ResponseWriter, r *http.Request) bool]
	// change, if set, changes an answer.
	change atomic.Pointer[func(n int64, r *http.Response)]
}

func newProxy(t testing.TB, s *server) *proxy {
	p := &proxy{}
	reverse := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&neturl.URL{Scheme: "http", Host: s.address})
			r.Out.Host = r.In.Host // which is signed
		},
		ModifyResponse: func(r *http.Response) error {
			if change := p.change.Load(); change != nil {
				(*change)(p.requests.Load(), r)
			}
			return nil
		},
		ErrorLog:     log.New(io.Discard, "", 0), // which tells of what is provoked
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) },
	}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := p.requests.Add(1)
		if refuse := p.refuse.Load(); refuse != nil && (*refuse)(n, w, r) {
			return
		}
		reverse.ServeHTTP(&counting{w, &p.sent}, r)
	}))
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	p.address = strings.TrimPrefix(h.URL, "http://")
	return p
}

// counting counts the content that is sent.
type counting struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// Unwrap lets the proxy flush.
func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }
