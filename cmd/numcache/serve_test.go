package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo"
)

//go:generate go test . -run TestServeScreenshot -screenshot

var newScreenshot = flag.Bool("screenshot", false, "make testdata/serve.png, the picture in the README, anew")

// served runs numcache serve on a cache, and returns the address that it prints. stop
// interrupts it, and returns its exit status and what it said on standard error.
func served(t *testing.T, dir string, args ...string) (address string, stop func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r, w := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--dir", dir}, args...), strings.NewReader(""), w, &stderr)
		w.Close()
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	stop = func() (int, string) {
		cancel()
		status := <-ended
		ended <- status
		return status, stderr.String()
	}
	t.Cleanup(func() { stop() })
	if err != nil {
		status, said := stop()
		t.Fatalf("it printed no address: %v; status %d, %s", err, status, said)
	}
	return strings.TrimSpace(line), stop
}

// runDemo fills a cache with what the demo computes, with 10 and 20 components.
func runDemo(t *testing.T, dir string) {
	t.Helper()
	for _, components := range []string{"20", "10"} {
		var stderr bytes.Buffer
		if status := run(t.Context(), []string{"demo", "--dir", dir, "--components", components}, strings.NewReader(""), io.Discard, &stderr); status != statusDone {
			t.Fatalf("demo: %d: %s", status, stderr.String())
		}
	}
}

// get returns the status and body of a page, with the cookies of a client.
func get(t *testing.T, client *http.Client, target string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func smallCache(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	c, err := memo.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := memo.Do(t.Context(), c, memo.NewKey("test/ramp", "1").Add(3), func(context.Context) ([]float64, error) { return []float64{1, 2}, nil }); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestServe: it prints its address, answers there, and ends when it is interrupted.
func TestServe(t *testing.T) {
	dir := smallCache(t)
	address, stop := served(t, dir)
	if u, err := url.Parse(address); err != nil || u.Hostname() != "127.0.0.1" || u.Port() == "0" || u.RawQuery != "" {
		t.Fatalf("the address is %q", address)
	}
	if status, body := get(t, http.DefaultClient, address); status != 200 || !strings.Contains(body, "test/ramp") || !strings.Contains(body, "read-only") {
		t.Errorf("%d %s", status, body)
	}
	// Counts that are damaged are told of, as numcache stats does.
	if err := os.WriteFile(filepath.Join(dir, "stats.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, http.DefaultClient, address+"history"); status != 200 || !strings.Contains(body, "stats.json: damaged") {
		t.Errorf("%d %s", status, body)
	}
	if r, err := http.PostForm(address+"clear?f=test/ramp", nil); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a removal without --allow-delete: %v %v", r, err)
	}
	if status, said := stop(); status != statusDone || said != "Showing the cache in "+dir+", read-only, until interrupted.\n" {
		t.Errorf("status %d, stderr %q", status, said)
	}
	if _, err := http.Get(address); err == nil {
		t.Error("it answers when it has ended")
	}
}

// TestServeToken: with --token random the address has one that opens the pages.
func TestServeToken(t *testing.T) {
	address, _ := served(t, smallCache(t), "--token", "random", "--allow-delete", "--addr", "0.0.0.0:0")
	u, err := url.Parse(address)
	if err != nil || len(u.Query().Get("token")) < minToken || u.Hostname() != "127.0.0.1" {
		t.Fatalf("the address is %q", address)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	if status, body := get(t, client, "http://"+u.Host+"/"); status != http.StatusUnauthorized || strings.Contains(body, "test/ramp") {
		t.Errorf("without the token: %d %s", status, body)
	}
	if status, body := get(t, client, address); status != 200 || !strings.Contains(body, "test/ramp") {
		t.Errorf("with the token: %d %s", status, body)
	}
	if status, body := get(t, client, "http://"+u.Host+"/calls?f=test/ramp"); status != 200 || !strings.Contains(body, "Forget all calls") {
		t.Errorf("with the cookie: %d %s", status, body)
	}
}

// TestServeUsage holds what it refuses.
func TestServeUsage(t *testing.T) {
	dir := smallCache(t)
	for _, tc := range []struct {
		status int
		args   string
		says   string
	}{
		{2, "x", "serve takes no argument"},
		{2, "--addr 8080", `--addr is "8080"; give a host and a port`},
		{2, "--addr 0.0.0.0:0", "--addr 0.0.0.0:0 can be reached from other machines; protect the pages with --token random"},
		{2, "--addr :0", "--addr :0 can be reached from other machines"},
		{2, "--addr [::]:0", "--addr [::]:0 can be reached from other machines"},
		{2, "--addr 192.168.1.5:0", "--addr 192.168.1.5:0 can be reached from other machines"},
		{2, "--addr localhost.evil.example:0", "--addr localhost.evil.example:0 can be reached"},
		{2, "--token=", "--token is empty; give one, or random"},
		{2, "--token short", "--token has 5 characters; give at least 16"},
		{1, "--addr 127.0.0.1:99999", "--addr 127.0.0.1:99999: "},
		{1, "--dir " + filepath.Join(dir, "missing"), "there is no cache in "},
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), append([]string{"serve", "--dir", dir}, strings.Fields(tc.args)...), strings.NewReader(""), &stdout, &stderr)
		said := strings.TrimPrefix(stderr.String(), "Showing the cache in "+dir+", read-only, until interrupted.\n")
		if status != tc.status || !strings.HasPrefix(said, "numcache: "+tc.says) || strings.Count(said, "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("%s: status %d, stderr %q, stdout %q", tc.args, status, stderr.String(), stdout.String())
		}
	}
}

// shown is what a test asks a page.
type shown struct {
	Title      string
	Rows       int
	Images     int
	Decoded    int
	Scripts    int
	Background string
	Width      int
	Text       string
}

const askPage = `({
	title: document.title,
	rows: document.querySelectorAll("tbody tr").length,
	images: document.images.length,
	decoded: Array.from(document.images).filter(i => i.complete && i.naturalWidth > 100).length,
	scripts: document.scripts.length,
	background: getComputedStyle(document.body).backgroundColor,
	width: document.documentElement.scrollWidth,
	text: document.body.innerText,
})`

// TestServeInBrowser looks at every page in Chromium, light and dark.
func TestServeInBrowser(t *testing.T) {
	b := newBrowser(t)
	dir := filepath.Join(t.TempDir(), "cache")
	runDemo(t, dir)
	const hostile = `<script>document.title="owned"</script><img src=x onerror="document.title='owned'">`
	c, err := memo.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := memo.Do(t.Context(), c, memo.NewKey(hostile, hostile).Add(hostile), func(context.Context) (string, error) { return hostile, nil }); err != nil {
		t.Fatal(err)
	}
	pages := []struct {
		target string
		title  string
		rows   int
		images int
		text   string
	}{
		{"", "Functions", 5, 0, hostile},
		{"calls?f=demo/pca", "demo/pca", 2, 0, "float64(1797, 10), float64(10,)"},
		{"calls?" + url.Values{"f": {hostile}}.Encode(), hostile, 1, 0, hostile},
		{"history", "Hits and time saved", 5, 0, "hit rate"},
		{"sizes", "Sizes", 5 + 8, 0, "The largest calls"},
		{"nosuch", "There is no such page", 0, 0, "There is no such page"},
	}
	for r, err := range c.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		page := pages[0]
		page.target, page.title = "call?"+url.Values{"f": {r.Function}, "v": {r.Version}, "k": {r.Key.String()}}.Encode(), r.Key.String()[:8]
		page.text, page.rows = r.Key.String(), 0
		for _, v := range r.Results {
			for _, a := range v.Arrays() {
				page.images++
				page.rows += min(10, a.Shape[0])
			}
		}
		pages = append(pages, page)
		if page.images > 0 {
			digest := r.Results[0].Arrays()[0].Digest.String()
			pages = append(pages, page)
			last := &pages[len(pages)-1]
			last.target, last.title, last.text, last.rows, last.images = "array?d="+digest, "Array "+digest[:8], digest, 10, 1
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if len(pages) < 6+2*7 {
		t.Fatalf("only %d pages", len(pages))
	}
	address, _ := served(t, dir, "--allow-delete")
	for scheme, background := range map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"} {
		for _, page := range pages {
			b.open(address+page.target, scheme)
			got := evaluate[shown](b, askPage)
			if got.Title != page.title+" – numcache" || got.Rows != page.rows || got.Images != page.images || got.Decoded != page.images ||
				got.Scripts != 0 || got.Background != background || got.Width > 1200 || !strings.Contains(got.Text, page.text) {
				t.Errorf("%s, %s: want %+v, got %+v", scheme, page.target, page, got)
			}
			if page.target == "nosuch" { // of which the browser says that it is not there
				b.console = nil
			}
			for _, complaint := range b.console {
				t.Errorf("%s, %s: %s", scheme, page.target, complaint)
			}
			b.console = nil
		}
	}
	searchAndForget(t, b, address)
}

// searchAndForget uses the forms, and tries that no script runs, whoever puts it there.
func searchAndForget(t *testing.T, b *browser, address string) {
	b.open(address, "light")
	b.follow(`document.querySelector("input[name=q]").value = "PCA"; document.querySelector("form").requestSubmit()`)
	if got := evaluate[shown](b, askPage); got.Rows != 1 {
		t.Errorf("of functions with PCA: %+v", got)
	}
	b.follow(`document.querySelector("tbody a").click()`)
	b.follow(`document.querySelector("tbody a").click()`)
	if got := evaluate[shown](b, askPage); got.Images != 2 || !strings.Contains(got.Text, "Argument 2 is ") {
		t.Errorf("a call of pca: %+v", got)
	}
	b.follow(`document.querySelector("details.removal form").requestSubmit()`)
	if got := evaluate[shown](b, askPage); got.Rows != 1 || !strings.Contains(got.Text, "The call was removed.") {
		t.Errorf("after it was forgotten: %+v", got)
	}
	if len(b.console) > 0 {
		t.Errorf("the browser complains: %s", b.console)
	}
	owned := evaluate[bool](b, `(() => {
		const script = document.createElement("script");
		script.textContent = "window.owned = true";
		document.body.append(script);
		return window.owned === true;
	})()`)
	evaluate[int](b, "1") // the complaint comes before this answer
	if owned || len(b.console) == 0 || !strings.Contains(b.console[0], "Content Security Policy") {
		t.Errorf("a script in the page: it ran: %v, complaints %s", owned, b.console)
	}
}

// screenshotFile is in the README.
var screenshotFile = filepath.Join("testdata", "serve.png")

// TestServeScreenshot holds the size of the README's picture; -screenshot makes it anew.
func TestServeScreenshot(t *testing.T) {
	if *newScreenshot {
		b := newBrowser(t)
		home := t.TempDir()
		t.Setenv("HOME", home)
		dir := filepath.Join(home, ".cache", "numcache")
		runDemo(t, dir)
		address, _ := served(t, dir)
		b.open(address+"calls?f=demo/pca&sort=used", "light")
		b.follow(`document.querySelector("tbody a").click()`)
		// The browser writes it in a hurry.
		img, err := png.Decode(bytes.NewReader(b.screenshot()))
		if err != nil {
			t.Fatal(err)
		}
		var small bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(screenshotFile, small.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(screenshotFile)
	if err != nil {
		t.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil || config.Width != 1200 || config.Height != 800 || len(file) >= 200_000 {
		t.Errorf("%s: %d×%d, %d bytes, %v", screenshotFile, config.Width, config.Height, len(file), err)
	}
}
