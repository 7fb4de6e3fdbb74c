package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"
)

// maxBody bounds what a form may send.
const maxBody = 1 << 16

// maxLook is how long a request may take, waiting for its turn among it.
const maxLook = 90 * time.Second

// contentPolicy lets a page have its style and its pictures from here, send forms here,
// and do nothing else: it runs no script.
const contentPolicy = "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets through what comes from a page of this site, or from the person at the
// browser, and is meant for this site.
func (s *Site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !s.addressed(r.Host):
			// A name of somebody's that leads here: their page would read ours. It
			// gets no word of the cache.
			http.Error(w, "numcache: this is not the address of these pages; use the one that numcache serve printed", http.StatusForbidden)
			return
		case r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate":
			http.Error(w, "numcache: other sites may not use these pages", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if s.config.Token != "" && r.URL.Path != "/style.css" && r.URL.Path != "/icon.svg" && !s.admitted(w, r) {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), maxLook)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// addressed reports whether a request's host is one of this site's.
func (s *Site) addressed(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if inner, found := strings.CutPrefix(host, "["); found && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]") // an IPv6 address without a port
	}
	if IsLoopback(host) || s.config.Host != "" && strings.EqualFold(host, s.config.Host) {
		return true
	}
	given, err := netip.ParseAddr(s.config.Host)
	if err != nil || !given.IsUnspecified() {
		return false
	}
	// Only names can be made to lead elsewhere: addresses are what they are.
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	own, err := os.Hostname()
	return err == nil && strings.EqualFold(host, own)
}

// IsLoopback reports whether a host can be reached from this machine only.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// sessionCookie is its name.
const sessionCookie = "numcache"

// admitted reports whether a request has the session, which one with the token gets.
// Else it answers.
func (s *Site) admitted(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	if token := query.Get("token"); token != "" && same(token, s.config.Token) {
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: s.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		// To the same page, so that the token stays in no address.
		query.Del("token")
		target := *r.URL
		target.Scheme, target.Host, target.RawQuery = "", "", query.Encode()
		if strings.HasPrefix(target.Path, "//") {
			target.Path = "/"
		}
		http.Redirect(w, r, target.RequestURI(), http.StatusSeeOther)
		return false
	}
	// Other programs on this machine may have cookies of the same name.
	for _, cookie := range r.CookiesNamed(sessionCookie) {
		if same(cookie.Value, s.session) {
			return true
		}
	}
	s.render(w, r, http.StatusUnauthorized, "token", nil)
	return false
}

// same compares secrets in a time that tells nothing of them.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
