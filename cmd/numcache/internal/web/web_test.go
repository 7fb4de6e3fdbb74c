package web

import (
	"context"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// address is where the requests of these tests go.
const address = "127.0.0.1:8080"

// store puts a call with a result into the cache.
func store[T any](t testing.TB, c *memo.Cache, k memo.Key, result T) memo.Key {
	t.Helper()
	if _, err := memo.Do(t.Context(), c, k, func(context.Context) (T, error) { return result, nil }); err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t testing.TB, dir string, o *memo.Options) *memo.Cache {
	t.Helper()
	c, err := memo.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// fixture is a cache to write to, and its pages.
type fixture struct {
	dir    string
	writer *memo.Cache
	site   *Site
	pages  http.Handler
}

// newFixture makes the pages of a new cache. edit may change how they are made.
func newFixture(t testing.TB, edit func(*Config, *memo.Cache)) *fixture {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	f := &fixture{dir: dir, writer: open(t, dir, &memo.Options{Sync: memo.SyncNone})}
	c := Config{Cache: open(t, dir, &memo.Options{ReadOnly: true})}
	if edit != nil {
		edit(&c, f.writer)
	}
	f.site = New(c)
	f.pages = f.site
	return f
}

// ask sends a request, edited by edits.
func (f *fixture) ask(t testing.TB, method, target string, body url.Values, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://"+address+target, strings.NewReader(body.Encode()))
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	f.pages.ServeHTTP(w, r)
	return w
}

// page returns what a browser shows at a target, its entities as characters, and fails
// the test where the status is another than wanted.
func (f *fixture) page(t testing.TB, status int, target string) string {
	t.Helper()
	w := f.ask(t, "GET", target, nil)
	if w.Code != status {
		t.Fatalf("%s: status %d, want %d: %s", target, w.Code, status, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("%s: it is %q", target, got)
	}
	return w.Body.String()
}

// says fails the test where a page lacks a text.
func says(t testing.TB, page string, texts ...string) {
	t.Helper()
	page = html.UnescapeString(strings.NewReplacer("<b>", "", "</b>", "").Replace(page))
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
}

func callTarget(k memo.Key, function, version string) string {
	return callURL(function, version, k.String())
}

var rowPattern = regexp.MustCompile(`(?s)<tbody>(.*?)</tbody>`)

// rows counts the rows of a page's first table.
func rows(page string) int {
	match := rowPattern.FindStringSubmatch(page)
	if match == nil {
		return 0
	}
	return strings.Count(match[1], "<tr>")
}

func ramp(rows, columns int) *mat.Dense {
	m := mat.NewDense(rows, columns, nil)
	for i := range rows {
		for j := range columns {
			m.Set(i, j, float64(i*columns+j))
		}
	}
	return m
}

// TestPages looks at each page of a small cache.
func TestPages(t *testing.T) {
	f := newFixture(t, nil)
	pca := store(t, f.writer, memo.NewKey("demo/pca", "1").Add(10).Add([]float64{1, 2}), ramp(30, 5))
	store(t, f.writer, memo.NewKey("demo/pca", "2").Add(11).Add([]float64{1, 2}), ramp(3, 2))
	store(t, f.writer, memo.NewKey("demo/pca", "2").Add(11).Add([]float64{1, 2}), ramp(3, 2)) // a hit
	greet := store(t, f.writer, memo.NewKey("greet", "").Add("wörld"), "hello")
	if err := f.writer.Close(); err != nil { // which tells the history
		t.Fatal(err)
	}

	page := f.page(t, 200, "/")
	says(t, page, "demo/pca", "greet", "3 calls", "25.0 %", "33.3 %", "0.0 %", "read-only", f.dir)
	if rows(page) != 2 {
		t.Errorf("%d functions", rows(page))
	}
	for column := range functionOrders {
		if page := f.page(t, 200, "/?sort="+column); rows(page) != 2 {
			t.Errorf("sorted by %s: %d functions", column, rows(page))
		}
	}
	if calls := f.page(t, 200, "/?sort=calls"); strings.Index(calls, "demo/pca") > strings.Index(calls, ">greet<") {
		t.Error("sorted by calls the function with one comes first")
	}
	if page := f.page(t, 200, "/?q=PCA"); rows(page) != 1 {
		t.Errorf("of functions with PCA: %d", rows(page))
	}
	says(t, f.page(t, 200, "/?q=nosuch"), "No function has that in its name.")

	page = f.page(t, 200, "/calls?f=demo/pca")
	says(t, page, "1–2 of 2 calls", "(10, float64(2,)) → float64(30, 5)", pca.String()[:8])
	if page := f.page(t, 200, "/calls?f=demo/pca&v=2"); rows(page) != 1 {
		t.Errorf("of version 2: %d", rows(page))
	}
	if page := f.page(t, 200, "/calls?f=demo/pca&q=30,+5"); rows(page) != 1 {
		t.Errorf("of calls with 30, 5: %d", rows(page))
	}
	says(t, f.page(t, 200, "/calls?f=demo/pca&q=nosuch"), "None found among 2 calls")
	says(t, f.page(t, 200, "/calls?f=demo/pca&damaged=1"), "None found among 2 calls")
	says(t, f.page(t, 200, "/calls?f=demo/pca&used=hour"), "1–2 of 2 calls")

	page = f.page(t, 200, callTarget(pca, "demo/pca", "1"))
	says(t, page, pca.String(), "min 0, max 149, mean 74.5; 0 NaN", "heat map of 30×5", "20 rows more", "Argument 1 is 10 here, 11 there.", `The version is "1" here, "2" there.`, `"writer": "numcache-go`)
	digest, err := array.Hash(t.Context(), mustOf(t, ramp(30, 5)))
	if err != nil {
		t.Fatal(err)
	}
	says(t, page, `<img src="/array.png?d=`+digest.String())
	says(t, f.page(t, 200, "/array?d="+digest.String()), "float64(30, 5), 1.20 kB", "heat map")
	says(t, f.page(t, 200, callTarget(greet, "greet", "")), `"wörld"`, `"hello"`, "There is no other call of the function.")

	says(t, f.page(t, 200, "/history"), "25.0 %", "hit rate", "demo/pca", "Stored calls by the day", "3 calls, computed in")
	page = f.page(t, 200, "/sizes")
	says(t, page, "3 calls", "demo/pca", "The largest calls", pca.String()[:8])
	if w := f.ask(t, "GET", "/style.css", nil); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("the style: %d %s", w.Code, w.Header())
	}
	if w := f.ask(t, "GET", "/icon.svg", nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" {
		t.Errorf("the icon: %d %s", w.Code, w.Header())
	}
	if w := f.ask(t, "HEAD", "/", nil); w.Code != 200 {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func mustOf(t testing.TB, v any) array.Source {
	t.Helper()
	s, err := array.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEmpty: pages of a cache that holds nothing, and of what it does not hold.
func TestEmpty(t *testing.T) {
	f := newFixture(t, nil)
	says(t, f.page(t, 200, "/"), "The cache holds no calls yet.")
	says(t, f.page(t, 200, "/history"), "Nothing was counted yet.")
	says(t, f.page(t, 200, "/sizes"), "The cache holds no calls that can be read.")
	none := strings.Repeat("0", 32)
	for _, tc := range []struct {
		status int
		target string
		text   string
	}{
		{404, "/nosuch", "There is no such page"},
		{404, "/../../etc/passwd", "There is no such page"},
		{404, "/calls", "There are no calls of"},
		{404, "/calls?f=nosuch", "There are no calls of nosuch"},
		{404, "/calls?f=../../../etc", "There are no calls of"},
		{400, "/calls?f=x&at=after.12", "There is no such place in the list"},
		{400, "/calls?f=x&at=after.x." + none, "There is no such place in the list"},
		{400, "/calls?f=x&at=before.1.xyz", "There is no such place in the list"},
		{400, "/calls?f=x&at=nosuch", "There is no such place in the list"},
		{404, "/call?f=x&v=1&k=" + none, "The call is not in the cache"},
		{404, "/call?f=..&v=..&k=" + none, "The call is not in the cache"},
		{404, "/call?f=%00&v=%2f&k=" + none, "The call is not in the cache"},
		{400, "/call?f=x&v=1&k=../../x", "That is no key"},
		{400, "/call", "That is no key"},
		{400, "/array?d=..", "That is no digest"},
		{200, "/array?d=" + none, "it is not in the cache"},
	} {
		target := tc.target
		w := f.ask(t, "GET", target, nil)
		if w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusMovedPermanently { // a path that is cleaned
			target = w.Header().Get("Location")
		}
		says(t, f.page(t, tc.status, target), tc.text)
	}
	for status, target := range map[int]string{400: "/array.png?d=x", 404: "/array.png?d=" + none} {
		if w := f.ask(t, "GET", target, nil); w.Code != status || !strings.HasPrefix(w.Body.String(), "numcache: ") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for _, target := range []string{"/forget", "/clear", "/"} {
		if w := f.ask(t, "POST", target, url.Values{}); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s of pages that remove nothing: %d", target, w.Code)
		}
	}
}

// TestHostileNames: what names and values say is text, and leads to the right page.
func TestHostileNames(t *testing.T) {
	const script = `<script>alert("1")</script>`
	names := []string{
		script, `"><img src=x onerror=alert(1)>`, "'onmouseover='alert(1)", "{{.CSRF}}", "javascript:alert(1)", "..", "../../etc/passwd",
		"a/b?c=d&e#f", "nul", "%2e%2e", "\u202eevil", "new\nline\x00\x1b[31m", "\xff\xfe", strings.Repeat("long<b>", 100), strings.Repeat("ä", 300), "*",
	}
	f := newFixture(t, func(c *Config, writer *memo.Cache) { c.Remover = writer })
	keys := map[string]memo.Key{}
	for _, name := range names {
		k := memo.NewKey(name, script).Add(script).Add(map[string]string{script: "</pre>" + script}).Add([]byte(name))
		keys[name] = store(t, f.writer, k, struct{ Text, Name string }{script, name})
	}
	targets := []string{"/", "/history", "/sizes", "/?q=" + url.QueryEscape(script), "/?sort=" + url.QueryEscape(script)}
	for _, name := range names {
		in := url.Values{"f": {name}}
		targets = append(targets, "/calls?"+in.Encode(), "/calls?"+in.Encode()+"&q="+url.QueryEscape(script)+"&used="+url.QueryEscape(script), callURL(name, script, keys[name].String()))
	}
	for _, target := range targets {
		page := f.page(t, 200, target)
		body := page[strings.Index(page, "<body>"):]
		for _, bad := range []string{"<script", "<img", "long<b>", "onerror=alert(1)>", "'onmouseover", "\x00", "\x1b", "\u202e", `="javascript:`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: the page holds %q:\n%s", target, bad, page)
			}
		}
	}
	page := f.page(t, 200, "/")
	if rows(page) != len(names) {
		t.Errorf("%d of %d functions", rows(page), len(names))
	}
	// Each name leads to its calls, and these to the call.
	for _, match := range regexp.MustCompile(`<td><a href="(/calls\?[^"]*)"`).FindAllStringSubmatch(page, -1) {
		calls := f.page(t, 200, html.UnescapeString(match[1]))
		link := regexp.MustCompile(`<td class="mono"><a href="(/call\?[^"]*)"`).FindStringSubmatch(calls)
		if link == nil {
			t.Errorf("%s has no call:\n%s", match[1], calls)
			continue
		}
		says(t, f.page(t, 200, html.UnescapeString(link[1])), "computed in", script)
	}
	for _, name := range names {
		says(t, f.page(t, 200, callURL(name, script, keys[name].String())), `"version": "<script>`)
	}
}

// TestDamage: what is damaged is told of, and left where it is.
func TestDamage(t *testing.T) {
	f := newFixture(t, nil)
	key := func(n int) memo.Key { return memo.NewKey("f", "1").Add(n) }
	for n := range 4 {
		store(t, f.writer, key(n), ramp(2, n+2))
	}
	record := func(n int) string {
		hex := key(n).String()
		return filepath.Join(f.dir, "calls", "f", "1", hex[:2], hex+".json")
	}
	object := func(n int) string {
		r, err := f.writer.ReadEntry(t.Context(), f.writer.EntryOf("f", "1", key(n).Digest()))
		if err != nil {
			t.Fatal(err)
		}
		return filepath.FromSlash(f.writer.ObjectPath(r.Results[0].Arrays()[0].Digest))
	}
	damage := func(path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-40] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := f.page(t, 200, "/calls?f=f&sort=size")
	says(t, before, "1–4 of 4 calls")
	damagedObject, missingObject := object(1), object(2)
	damage(record(0))
	damage(damagedObject)
	if err := os.Remove(missingObject); err != nil {
		t.Fatal(err)
	}
	// A record that has changed must not be answered from memory.
	at := time.Now().Add(time.Second)
	if err := os.Chtimes(record(0), at, at); err != nil {
		t.Fatal(err)
	}

	says(t, f.page(t, 200, "/"), "1 damaged", "1 records cannot be read")
	for _, sort := range []string{"key", "used", "created", "compute", "size"} {
		says(t, f.page(t, 200, "/calls?f=f&sort="+sort), "1–4 of 4 calls", "the record's check does not match", "a result is missing")
	}
	page := f.page(t, 200, "/calls?f=f&damaged=1")
	says(t, page, "1–1 of 1 found among 4 calls", key(0).String()[:8])
	says(t, f.page(t, 200, callTarget(key(0), "f", "1")), "The record cannot be read", "the record's check does not match")
	says(t, f.page(t, 200, callTarget(key(1), "f", "1")), "its content does not match its digest")
	says(t, f.page(t, 200, callTarget(key(2), "f", "1")), "it is not in the cache: the call will be computed anew")
	says(t, f.page(t, 200, "/sizes"), "1 records cannot be read")
	f.page(t, 200, "/history")
	digest := strings.TrimSuffix(filepath.Base(damagedObject), ".npy")
	if w := f.ask(t, "GET", "/array.png?d="+digest, nil); w.Code != 404 || !strings.Contains(w.Body.String(), "damaged") {
		t.Errorf("a picture of what is damaged: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{record(0), damagedObject} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("a look moved it: %v", err)
		}
	}
	// What is no file is told of too.
	if err := os.Remove(damagedObject); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(object(3), damagedObject); err != nil {
		t.Skip(err)
	}
	says(t, f.page(t, 200, callTarget(key(1), "f", "1")), "not a regular file")
}

// TestEveryTypeOfArray: each element type has its numbers, table and picture.
func TestEveryTypeOfArray(t *testing.T) {
	f := newFixture(t, nil)
	nan := math.NaN()
	for name, tc := range map[string]struct {
		result any
		says   []string
		draws  bool
	}{
		"float64":   {&[]float64{1, nan, 3, math.Inf(1)}, []string{"min 1, max 3, mean 2; 1 NaN, 1 infinite", "line of 4", "NaN", "+Inf"}, true},
		"float32":   {&[]float32{0.5, 0.25}, []string{"min 0.25, max 0.5, mean 0.375"}, true},
		"int8":      {&[]int8{-128, 127}, []string{"min -128, max 127"}, true},
		"int64":     {&[]int64{math.MaxInt64, 0}, []string{"9223372036854775807"}, true},
		"uint64":    {&[]uint64{math.MaxUint64, 0}, []string{"18446744073709551615"}, true},
		"bool":      {&[]bool{true, false, true, true}, []string{"min 0, max 1, mean 0.75", "true"}, true},
		"complex":   {&[]complex128{3 + 4i, 0}, []string{"magnitude min 0, max 5", "(3+4i)"}, true},
		"all NaN":   {&[]float64{nan, nan}, []string{"none that is finite; 2 NaN"}, true},
		"one":       {&[]float64{7}, []string{"min 7, max 7, mean 7"}, false},
		"empty":     {&[]float64{}, []string{"none that is finite"}, false},
		"huge":      {&[]float64{math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64}, []string{"max 1.79769e+308"}, true},
		"wide":      {mat.NewDense(1, 2000, nil), []string{"line of 2000, the least and greatest of each stretch"}, true},
		"large":     {ramp(700, 900), []string{"heat map of 700×900, means of blocks"}, true},
		"same":      {mat.NewDense(3, 3, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1}), []string{"min 1, max 1"}, true},
		"many more": {&[][]float64{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {11, 12}, {13, 14}, {15, 16}, {17, 18}, {19, 20}, {21, 22}, {23, 24}, {25, 26}, {27, 28}}, []string{"2 arrays more"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := memo.NewKey("f", "1").Add(name)
			switch v := tc.result.(type) {
			case *mat.Dense:
				store(t, f.writer, k, v)
			case *[]float64:
				store(t, f.writer, k, *v)
			case *[]float32:
				store(t, f.writer, k, *v)
			case *[]int8:
				store(t, f.writer, k, *v)
			case *[]int64:
				store(t, f.writer, k, *v)
			case *[]uint64:
				store(t, f.writer, k, *v)
			case *[]bool:
				store(t, f.writer, k, *v)
			case *[]complex128:
				store(t, f.writer, k, *v)
			case *[][]float64:
				store(t, f.writer, k, *v)
			}
			page := f.page(t, 200, callTarget(k, "f", "1"))
			says(t, page, tc.says...)
			src := regexp.MustCompile(`<img src="([^"]*)"`).FindStringSubmatch(page)
			if (src != nil) != tc.draws {
				t.Fatalf("a picture: %v, want %v", src, tc.draws)
			}
			if src != nil {
				checkPicture(t, f, src[1])
			}
		})
	}
}

// TestLargeArrays are told of by their headers, and not read.
func TestLargeArrays(t *testing.T) {
	f := newFixture(t, nil)
	digest := array.Digest{0xab, 1}
	header := npy.AppendHeader(nil, array.Float64, []int{maxElements/8 + 1})
	name := filepath.FromSlash(f.writer.ObjectPath(digest))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, header, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, int64(len(header))+maxElements+8); err != nil { // a hole, which takes no room
		t.Fatal(err)
	}
	says(t, f.page(t, 200, "/array?d="+digest.String()), "float64(33554433,), 268 MB", "it is too large to be shown here")
	if w := f.ask(t, "GET", "/array.png?d="+digest.String(), nil); w.Code != 404 || !strings.Contains(w.Body.String(), "too large") {
		t.Errorf("its picture: %d %s", w.Code, w.Body)
	}
}

// TestOthersWait: a request whose turn does not come is answered in words.
func TestOthersWait(t *testing.T) {
	f := newFixture(t, nil)
	store(t, f.writer, memo.NewKey("f", "1").Add(1), 1.5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, target := range []string{"/", "/calls?f=f", "/calls?f=f&sort=size", "/sizes", "/history", "/array?d=" + strings.Repeat("0", 32)} {
		w := f.ask(t, "GET", target, nil, func(r *http.Request) { *r = *r.WithContext(ctx) })
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		says(t, w.Body.String(), "It took too long")
	}
}

// TestUnreadable: a folder that cannot be listed is a page of words.
func TestUnreadable(t *testing.T) {
	f := newFixture(t, func(c *Config, _ *memo.Cache) {
		c.History = func(context.Context) (memo.History, error) {
			return memo.History{}, fmt.Errorf("the counts are <gone>")
		}
	})
	store(t, f.writer, memo.NewKey("f", "1").Add(1), 1.5)
	for _, target := range []string{"/", "/history"} {
		says(t, f.page(t, 200, target), "What was counted cannot be read: the counts are <gone>")
	}
	c := open(t, f.dir, &memo.Options{ReadOnly: true})
	f.pages = New(Config{Cache: c})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/", "/calls?f=f", "/sizes", "/history", "/call?f=f&v=1&k=" + strings.Repeat("0", 32)} {
		w := f.ask(t, "GET", target, nil)
		if w.Code == 200 && !strings.Contains(w.Body.String(), "closed") || len(w.Body.String()) == 0 {
			t.Errorf("%s of a closed cache: %d %s", target, w.Code, w.Body)
		}
	}
}
