package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/numcache/numcache/memo"
)

var (
	csrfPattern   = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
	actionPattern = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
)

// form returns where the form of a page that removes something is sent, and its token.
func form(t *testing.T, page string) (action, csrf string) {
	t.Helper()
	a, c := actionPattern.FindStringSubmatch(page), csrfPattern.FindStringSubmatch(page)
	if a == nil || c == nil {
		t.Fatalf("the page has no form:\n%s", page)
	}
	return html.UnescapeString(a[1]), c[1]
}

func has(t *testing.T, c *memo.Cache, k memo.Key) bool {
	t.Helper()
	there, err := c.Has(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return there
}

// TestRemoval removes one call, then all of the function, whatever its name is.
func TestRemoval(t *testing.T) {
	for _, name := range []string{"f", "a/b c&d", "new\r\nline", "\xff", "<script>", "*", "+%2f"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *Config, writer *memo.Cache) { c.Remover = writer })
			var keys []memo.Key
			for n := range 3 {
				keys = append(keys, store(t, f.writer, memo.NewKey(name, "1+\n").Add(n), n))
			}
			other := store(t, f.writer, memo.NewKey("other", "1").Add(1), 1)

			action, csrf := form(t, f.page(t, 200, callURL(name, "1+\n", keys[0].String())))
			w := f.ask(t, "POST", action, url.Values{"csrf": {csrf}}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") })
			if w.Code != http.StatusSeeOther || has(t, f.writer, keys[0]) || !has(t, f.writer, keys[1]) {
				t.Fatalf("%s: %d %s", action, w.Code, w.Body)
			}
			page := f.page(t, 200, w.Header().Get("Location"))
			says(t, page, "The call was removed.", "1–2 of 2 calls")

			// Again is no error, and the search form finds the function.
			if w := f.ask(t, "POST", action, url.Values{"csrf": {csrf}}); w.Code != http.StatusSeeOther {
				t.Errorf("again: %d %s", w.Code, w.Body)
			}
			hidden := regexp.MustCompile(`name="f-escaped" value="([^"]*)"`).FindStringSubmatch(page)
			if hidden == nil {
				t.Fatal(page)
			}
			query := url.Values{"f-escaped": {html.UnescapeString(hidden[1])}, "v-escaped": {url.QueryEscape("1+\n")}}
			says(t, f.page(t, 200, "/calls?"+query.Encode()), "1–2 of 2 calls", " selected>")
			query.Set("v-escaped", "*")
			says(t, f.page(t, 200, "/calls?"+query.Encode()), "1–2 of 2 calls")

			action, csrf = form(t, page)
			w = f.ask(t, "POST", action, url.Values{"csrf": {csrf}}, func(r *http.Request) { r.Header.Set("Origin", "http://"+address) })
			if w.Code != http.StatusSeeOther || has(t, f.writer, keys[1]) || !has(t, f.writer, other) {
				t.Fatalf("%s: %d %s", action, w.Code, w.Body)
			}
			says(t, f.page(t, 200, w.Header().Get("Location")), "The function’s calls were removed.", "other")
		})
	}
}

// TestRemovalIsRefused: without the token, with a wrong one, from another site, by a
// link, or with a form that cannot be read nothing is removed.
func TestRemovalIsRefused(t *testing.T) {
	f := newFixture(t, func(c *Config, writer *memo.Cache) { c.Remover = writer })
	k := store(t, f.writer, memo.NewKey("f", "1").Add(1), 1)
	action, csrf := form(t, f.page(t, 200, callURL("f", "1", k.String())))
	right := url.Values{"csrf": {csrf}}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	_, otherRun := form(t, newFixtureOf(t, f).page(t, 200, callURL("f", "1", k.String())))
	for _, tc := range []struct {
		name, method, target string
		body                 url.Values
		edit                 func(*http.Request)
		status               int
	}{
		{"no token", "POST", action, url.Values{}, header("Sec-Fetch-Site", "same-origin"), 403},
		{"an empty token", "POST", action, url.Values{"csrf": {""}}, header("Sec-Fetch-Site", "same-origin"), 403},
		{"a wrong token", "POST", action, url.Values{"csrf": {"x" + csrf[1:]}}, header("Sec-Fetch-Site", "same-origin"), 403},
		{"the token of another run", "POST", action, url.Values{"csrf": {otherRun}}, header("Sec-Fetch-Site", "same-origin"), 403},
		{"the token in the address", "POST", action + "&csrf=" + csrf, url.Values{}, header("Sec-Fetch-Site", "same-origin"), 403},
		{"another site's form", "POST", action, right, header("Sec-Fetch-Site", "cross-site"), 403},
		{"another port's form", "POST", action, right, header("Sec-Fetch-Site", "same-site"), 403},
		{"another origin", "POST", action, right, header("Origin", "http://127.0.0.1:9999"), 403},
		{"no origin", "POST", action, right, header("Origin", "null"), 403},
		{"a link", "GET", action, nil, header("Sec-Fetch-Site", "same-origin"), 404},
		{"a large form", "POST", action, url.Values{"csrf": {csrf}, "x": {string(make([]byte, maxBody))}}, header("Sec-Fetch-Site", "same-origin"), 400},
		{"no key", "POST", "/forget?f=f&v=1&k=zz", right, header("Sec-Fetch-Site", "same-origin"), 400},
		{"no function", "POST", "/clear", right, header("Sec-Fetch-Site", "same-origin"), 400},
		{"names that climb", "POST", "/forget?f=..&v=..&k=" + k.String(), right, header("Sec-Fetch-Site", "same-origin"), 303},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := f.ask(t, tc.method, tc.target, tc.body, tc.edit)
			if w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			if !has(t, f.writer, k) {
				t.Fatal("the call was removed")
			}
		})
	}
}

// newFixtureOf makes the pages of the same cache another time.
func newFixtureOf(t *testing.T, f *fixture) *fixture {
	return &fixture{dir: f.dir, writer: f.writer, pages: New(Config{Cache: f.writer, Remover: f.writer})}
}
