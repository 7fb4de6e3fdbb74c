package memo_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo"
)

// Two texts of one function, and one that differs in its comments only.
func double(n int) int {
	return 2 * n
}

var (
	staleOne = func(n int) (int, error) { return n + 1, nil }
	staleTwo = func(n int) (int, error) { return n + 2, nil }
	staleOld = func(n int) (int, error) {
		// It adds one.
		return n + 1,
			nil
	}
)

type stale struct{ N int }

func (s stale) method(n int) int { return s.N + n }

// TestWarnStale memoizes functions under one name and version, one after the other, as
// runs of a program do that is edited meanwhile.
func TestWarnStale(t *testing.T) {
	one, two := any(staleOne), any(staleTwo)
	for name, tc := range map[string]struct {
		off      bool
		version  string
		fns      []any
		clear    bool // the results, before the last one
		uncalled bool
		warns    int
	}{
		"another text":             {fns: []any{one, two}, warns: 1},
		"in every run":             {fns: []any{one, two, two}, warns: 2},
		"and back again":           {fns: []any{one, two, one}, warns: 1},
		"the same":                 {fns: []any{one, one}},
		"comments and layout":      {fns: []any{one, staleOld}},
		"it is off":                {off: true, fns: []any{one, two}},
		"a stamp":                  {version: "v1-0123456789abcdef0123456789abcdef", fns: []any{one, two}},
		"no stamp":                 {version: "v1-0123456789abcdef", fns: []any{one, two}, warns: 1},
		"results that are cleared": {fns: []any{one, two}, clear: true},
		"no results yet":           {fns: []any{one, two}, uncalled: true},
		"a declared function":      {fns: []any{double, one}, warns: 1},
		"a method expression":      {fns: []any{stale.method, stale.method}},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			dir := t.TempDir()
			for i, fn := range tc.fns {
				c := openIn(t, dir, &memo.Options{WarnStale: !tc.off, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				if tc.clear && i == len(tc.fns)-1 {
					if _, err := c.ClearFunction(t.Context(), "f"); err != nil {
						t.Fatal(err)
					}
				}
				version := tc.version
				if version == "" {
					version = "1"
				}
				m, err := c.Memoize(memo.Spec{Name: "f", Version: version}, fn)
				if err != nil {
					t.Fatal(err)
				}
				if f, ok := m.CallFunc().(func(int) (int, error)); ok && !tc.uncalled {
					if _, err := f(i); err != nil {
						t.Fatal(err)
					}
				} else if f, ok := m.CallFunc().(func(int) int); ok {
					f(i)
				}
				if s := c.Stats(); s.Faults > 0 {
					t.Errorf("%d faults", s.Faults)
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Count(log.String(), "level=WARN"); got != tc.warns {
				t.Errorf("%d warnings, want %d\n%s", got, tc.warns, &log)
			}
			_, here, _, _ := runtime.Caller(0)
			if tc.warns > 0 && (!strings.Contains(log.String(), "function=f version=") || !strings.Contains(log.String(), "source="+here+":")) {
				t.Errorf("the warning does not say what it is about: %s", &log)
			}
			_, err := os.Stat(filepath.Join(dir, "sources.json"))
			if tc.off && err == nil {
				t.Error("a text was remembered, and nobody asked for it")
			}
			report, err := openIn(t, dir, nil).Verify(t.Context(), nil)
			if err != nil || len(report.Damaged) > 0 {
				t.Errorf("what is remembered is damage: %v, %v", report.Damaged, err)
			}
		})
	}
}

// TestWarnStaleNeverFails has no folder, one that is read-only, a file that is
// damaged, and a cache that is closed.
func TestWarnStaleNeverFails(t *testing.T) {
	var log bytes.Buffer
	options := memo.Options{WarnStale: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	memoizeOne := func(c *memo.Cache, name string) {
		t.Helper()
		if _, err := memo.Func(c, memo.Spec{Name: name}, staleOne); err != nil {
			t.Fatal(err)
		}
	}
	memoizeOne(openIn(t, "", &options), "f")
	dir := t.TempDir()
	c := openIn(t, dir, &options)
	memoizeOne(c, "e")
	file := filepath.Join(dir, "sources.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	memoizeOne(c, "f")
	readOnly := options
	readOnly.ReadOnly = true
	memoizeOne(openIn(t, dir, &readOnly), "g")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	memoizeOne(c, "h")
	if log.Len() > 0 {
		t.Errorf("it was logged: %s", &log)
	}
}
