package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo"
)

// TestHosts: a request must name this site. Where a name of somebody's leads here, their
// page gets nothing.
func TestHosts(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		given, asked string
		ok           bool
	}{
		{"127.0.0.1", "127.0.0.1:8080", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.9.9.9:1", true},
		{"127.0.0.1", "localhost:8080", true},
		{"127.0.0.1", "LOCALHOST", true},
		{"127.0.0.1", "[::1]:8080", true},
		{"127.0.0.1", "[::1]", true},
		{"::1", "[::1]:8080", true},
		{"127.0.0.1", "evil.example", false},
		{"127.0.0.1", "evil.example:8080", false},
		{"127.0.0.1", "localhost.evil.example:8080", false},
		{"127.0.0.1", "127.0.0.1.evil.example", false},
		{"127.0.0.1", "192.168.1.5:8080", false},
		{"127.0.0.1", "", false},
		{"127.0.0.1", "[::1", false},
		{"127.0.0.1", "0.0.0.0:8080", false},
		{"", "localhost", true},
		{"", "evil.example", false},
		{"", "192.168.1.5", false},
		{"192.168.1.5", "192.168.1.5:8080", true},
		{"192.168.1.5", "192.168.1.6:8080", false},
		{"box.lan", "BOX.lan:8080", true},
		{"box.lan", "evil.example:8080", false},
		{"0.0.0.0", "192.168.1.5:8080", true},
		{"::", "[fe80::1]:8080", true},
		{"::", own + ":8080", true},
		{"0.0.0.0", "evil.example:8080", false},
	} {
		f := newFixture(t, func(c *Config, _ *memo.Cache) { c.Host = tc.given })
		w := f.ask(t, "GET", "/", nil, func(r *http.Request) { r.Host = tc.asked })
		if ok := w.Code == 200; ok != tc.ok {
			t.Errorf("given %q, asked %q: status %d", tc.given, tc.asked, w.Code)
		}
		if !tc.ok && strings.Contains(w.Body.String(), f.dir) {
			t.Errorf("asked %q: it tells of the cache", tc.asked)
		}
	}
}

// TestOtherSites may link here, and not use these pages.
func TestOtherSites(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct {
		site, mode string
		status     int
	}{
		{"", "", 200}, {"none", "navigate", 200}, {"same-origin", "navigate", 200}, {"same-origin", "no-cors", 200},
		{"cross-site", "navigate", 200}, {"cross-site", "no-cors", 403}, {"cross-site", "cors", 403}, {"cross-site", "", 403},
	} {
		w := f.ask(t, "GET", "/", nil, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", tc.site)
			r.Header.Set("Sec-Fetch-Mode", tc.mode)
		})
		if w.Code != tc.status {
			t.Errorf("%s, %s: %d", tc.site, tc.mode, w.Code)
		}
	}
}

// TestHeaders: every answer has them, refusals too.
func TestHeaders(t *testing.T) {
	f := newFixture(t, func(c *Config, _ *memo.Cache) { c.Token = "a token of some length" })
	for _, target := range []string{"/", "/nosuch", "/style.css", "/array.png?d=x"} {
		for _, host := range []string{address, "evil.example"} {
			h := f.ask(t, "GET", target, nil, func(r *http.Request) { r.Host = host }).Header()
			for name, want := range map[string]string{
				"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
				"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s at %s: %s is %q", target, host, name, got)
				}
			}
			if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Cache-Control") == "" {
				t.Errorf("%s at %s: %v", target, host, h)
			}
		}
	}
	if strings.Contains(contentPolicy, "unsafe") || strings.Contains(contentPolicy, "script-src") {
		t.Error("the policy lets scripts run")
	}
}

// TestToken: who gives it once gets a cookie that lets them in; nobody else sees
// anything of the cache.
func TestToken(t *testing.T) {
	const token = "correct horse battery"
	f := newFixture(t, func(c *Config, w *memo.Cache) { c.Token, c.Remover = token, w })
	k := store(t, f.writer, memo.NewKey("secret function", "1").Add(1), 1)
	refused := func(name, target string, cookies ...*http.Cookie) {
		t.Helper()
		w := f.ask(t, "GET", target, nil, func(r *http.Request) {
			for _, c := range cookies {
				r.AddCookie(c)
			}
		})
		if w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), f.dir) || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	refused("no token", "/")
	refused("an empty token", "/?token=")
	refused("a wrong token", "/?token=correct+horse+batterx")
	refused("the beginning of the token", "/?token=correct")
	refused("a call", callURL("secret function", "1", k.String()))
	refused("a wrong cookie", "/", &http.Cookie{Name: sessionCookie, Value: "x"})
	refused("the token as cookie", "/", &http.Cookie{Name: sessionCookie, Value: url.QueryEscape(token)})
	refused("no such page", "/nosuch")

	w := f.ask(t, "GET", "/calls?f=secret+function&token="+url.QueryEscape(token)+"&sort=key", nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/calls?f=secret+function&sort=key" {
		t.Fatalf("the token: %d %v", w.Code, w.Header())
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || strings.Contains(cookies[0].Value, "correct") {
		t.Fatalf("cookies %v", cookies)
	}
	let := func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "of another program"})
		r.AddCookie(cookies[0])
	}
	if w := f.ask(t, "GET", "/calls?f=secret+function", nil, let); w.Code != 200 {
		t.Errorf("with the cookie: %d", w.Code)
	}
	// The cookie is of this run.
	again := &fixture{dir: f.dir, writer: f.writer, pages: New(Config{Cache: f.writer, Token: token})}
	if w := again.ask(t, "GET", "/", nil, let); w.Code != http.StatusUnauthorized {
		t.Errorf("the cookie of another run: %d", w.Code)
	}
	// A target that a browser takes for another site leads to none.
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.Host, r.URL.Path, r.URL.RawQuery = address, "//evil.example/", "token="+url.QueryEscape(token)
	rec := httptest.NewRecorder()
	f.pages.ServeHTTP(rec, r)
	if at := rec.Header().Get("Location"); at != "/" {
		t.Errorf("it leads to %q", at)
	}
	// Nothing is removed without the session, whatever the form has.
	action, csrf := form(t, f.ask(t, "GET", callURL("secret function", "1", k.String()), nil, let).Body.String())
	if w := f.ask(t, "POST", action, url.Values{"csrf": {csrf}}); w.Code != http.StatusUnauthorized || !has(t, f.writer, k) {
		t.Errorf("removed without the session: %d", w.Code)
	}
	if w := f.ask(t, "POST", action, url.Values{"csrf": {csrf}}, let); w.Code != http.StatusSeeOther || has(t, f.writer, k) {
		t.Errorf("not removed with the session: %d", w.Code)
	}
	if w := f.ask(t, "GET", "/style.css", nil); w.Code != 200 {
		t.Errorf("the style of the page that asks for the token: %d", w.Code)
	}
}
