package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/numcache/numcache/memo"
)

// Config says what is shown, and to whom.
type Config struct {
	// Cache is what is shown. Open it with memo.Options.ReadOnly, so that a look
	// puts nothing aside.
	Cache *memo.Cache
	// Remover is the same folder open for writing. Where it is nil nothing can be
	// removed.
	Remover *memo.Cache
	// History is Cache.History where it is nil.
	History func(context.Context) (memo.History, error)
	// Reason writes an error for people; nil is its text.
	Reason func(error) string

	// Host is what requests may be addressed to beside the names of this machine's
	// loopback: "" nothing else. An unspecified address, as 0.0.0.0, is any address.
	Host string
	// Token, if set, must be given once by those who look.
	Token string

	// Now is time.Now where it is nil.
	Now func() time.Time
}

// Site is the pages of a cache. It may be used by any number of goroutines.
type Site struct {
	config    Config
	pages     http.Handler
	catalogue catalogue
	trend     trend
	csrf      string        // what forms must send along
	session   string        // what a browser that gave the token keeps
	work      chan struct{} // holds those who read much
}

// workers is how many requests may read many records, or an array, at once. It bounds
// memory; the others wait.
const workers = 2

// New returns the pages of a cache. The caches stay the caller's, to be closed after the
// last request.
func New(c Config) *Site {
	if c.History == nil {
		c.History = c.Cache.History
	}
	if c.Reason == nil {
		c.Reason = error.Error
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Site{config: c, csrf: rand.Text(), session: rand.Text(), work: make(chan struct{}, workers)}
	s.pages = s.guard(s.routes())
	return s
}

// ServeHTTP answers a request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.pages.ServeHTTP(w, r) }

func (s *Site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /style.css", file("style.css"))
	mux.Handle("GET /icon.svg", file("icon.svg"))
	mux.HandleFunc("GET /{$}", s.shown("functions", s.functions))
	mux.HandleFunc("GET /calls", s.shown("calls", s.calls))
	mux.HandleFunc("GET /call", s.shown("call", s.call))
	mux.HandleFunc("GET /array", s.shown("array", s.array))
	mux.HandleFunc("GET /array.png", s.picture)
	mux.HandleFunc("GET /history", s.shown("history", s.history))
	mux.HandleFunc("GET /sizes", s.shown("sizes", s.sizes))
	mux.HandleFunc("GET /", s.shown("problem", func(*http.Request) (any, error) {
		return nil, &problem{http.StatusNotFound, "There is no such page", "The functions in the cache are a good place to begin."}
	}))
	if s.config.Remover != nil {
		mux.HandleFunc("POST /forget", s.removal(s.forget))
		mux.HandleFunc("POST /clear", s.removal(s.clear))
	}
	return mux
}

// turn waits until this request may read much. The caller calls done afterwards.
func (s *Site) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.work <- struct{}{}:
		return func() { <-s.work }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
