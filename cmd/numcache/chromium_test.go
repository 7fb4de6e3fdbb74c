package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// browser is a headless Chromium with one page, spoken to by the DevTools protocol over
// a pipe: JSON messages that end with a zero byte.
type browser struct {
	t       *testing.T
	to      io.WriteCloser
	from    *bufio.Reader
	session string
	last    int      // message that was sent
	loaded  int      // load events that were seen
	console []string // what the page complained of
}

// browserTime bounds a test with a browser: then it is killed.
const browserTime = 100 * time.Second

// newBrowser starts a browser whose window has 1200×800 pixels. Where none is installed
// the test is skipped; in CI it fails, unless NUMCACHE_BROWSER=none says that none can be had.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		const lack = "there is no chromium, chromium-browser or google-chrome; on Debian: apt-get install chromium"
		if os.Getenv("CI") != "" && os.Getenv("NUMCACHE_BROWSER") != "none" {
			t.Fatal(lack)
		}
		t.Skip(lack)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), browserTime)
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, "--headless", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "--no-sandbox",
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--no-first-run", "--no-default-browser-check", "--hide-scrollbars", "--force-color-profile=srgb", "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // its 3 and 4
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, to: ourOut, from: bufio.NewReader(ourIn)}
	t.Cleanup(func() {
		defer cancel()
		if !t.Failed() { // else it may not answer
			b.send("", "Browser.close", nil, nil)
		}
		ourOut.Close()
		ourIn.Close()
		if t.Failed() {
			cancel()
		}
		if err := cmd.Wait(); t.Failed() {
			t.Logf("the browser ended with %v and said: %s", err, said.Bytes())
		}
	})
	var target struct{ TargetID string }
	b.send("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.send("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		b.do(domain+".enable", nil, nil)
	}
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1200, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil)
	return b
}

// devtoolsMessage is one of the protocol's.
type devtoolsMessage struct {
	ID        int             `json:"id"`
	SessionID string          `json:"sessionId"`
	Method    string          `json:"method"`
	Params    json.RawMessage `json:"params"`
	Result    json.RawMessage `json:"result"`
	Error     *struct{ Message string }
}

// do sends a command to the page.
func (b *browser) do(method string, params map[string]any, result any) {
	b.t.Helper()
	b.send(b.session, method, params, result)
}

// send sends a command and reads messages until its answer comes.
func (b *browser) send(session, method string, params map[string]any, result any) {
	b.t.Helper()
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if session != "" {
		command["sessionId"] = session
	}
	text, err := json.Marshal(command)
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	for {
		m, err := b.next()
		if method == "Browser.close" && errors.Is(err, io.EOF) {
			return
		}
		switch {
		case err != nil:
			b.t.Fatalf("%s: %v", method, err)
		case m.ID != b.last:
			continue
		case m.Error != nil:
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		case result != nil:
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("%s: %v: %s", method, err, m.Result)
			}
		}
		return
	}
}

// next reads a message, and notes what happened if it is an event.
func (b *browser) next() (m devtoolsMessage, err error) {
	text, err := b.from.ReadBytes(0)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		return m, fmt.Errorf("%w: %s", err, text)
	}
	switch m.Method {
	case "Page.loadEventFired":
		b.loaded++
	case "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown":
		b.console = append(b.console, string(m.Params))
	}
	return m, nil
}

// wait reads messages until as many pages have loaded.
func (b *browser) wait(loaded int) {
	b.t.Helper()
	for b.loaded < loaded {
		if _, err := b.next(); err != nil {
			b.t.Fatalf("a page does not load: %v", err)
		}
	}
}

// open shows a page, in the colour scheme light or dark.
func (b *browser) open(url, scheme string) {
	b.t.Helper()
	b.do("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	before := b.loaded
	b.do("Page.navigate", map[string]any{"url": url}, nil)
	b.wait(before + 1)
}

// follow runs an expression that leads to another page, and waits for it.
func (b *browser) follow(expression string) {
	b.t.Helper()
	before := b.loaded
	b.do("Runtime.evaluate", map[string]any{"expression": expression}, nil)
	b.wait(before + 1)
}

// evaluate returns the value of an expression in the page.
func evaluate[T any](b *browser, expression string) (value T) {
	b.t.Helper()
	var result struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &result)
	if result.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, result.ExceptionDetails)
	}
	if err := json.Unmarshal(result.Result.Value, &value); err != nil {
		b.t.Fatalf("%s: %v: %s", expression, err, result.Result.Value)
	}
	return value
}

// screenshot returns what the window shows, as PNG.
func (b *browser) screenshot() []byte {
	b.t.Helper()
	var shot struct{ Data string }
	b.do("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	img, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return img
}
