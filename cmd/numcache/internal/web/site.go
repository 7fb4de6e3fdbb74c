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

// site answers requests.
type site struct {
	Config
	catalogue catalogue
	csrf      string        // what forms must send along
	session   string        // what a browser that gave the token keeps
	work      chan struct{} // holds those who read much
}

// workers is how many requests may read many records, or an array, at once. It bounds
// memory; the others wait.
const workers = 2

// New returns the handler of a cache's pages. It may be used by any number of
// goroutines; the caches stay the caller's, to be closed after the last request.
func New(c Config) http.Handler { return newSite(c).handler() }

func newSite(c Config) *site {
	if c.History == nil {
		c.History = c.Cache.History
	}
	if c.Reason == nil {
		c.Reason = error.Error
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &site{Config: c, csrf: rand.Text(), session: rand.Text(), work: make(chan struct{}, workers)}
}

func (s *site) handler() http.Handler {
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
	if s.Remover != nil {
		mux.HandleFunc("POST /forget", s.removal(s.forget))
		mux.HandleFunc("POST /clear", s.removal(s.clear))
	}
	return s.guard(mux)
}

// turn waits until this request may read much. The caller calls done afterwards.
func (s *site) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.work <- struct{}{}:
		return func() { <-s.work }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
