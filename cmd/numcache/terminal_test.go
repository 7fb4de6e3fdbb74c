package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/numcache/numcache/cmd/numcache/internal/picture"
)

// openTerminal opens one that nobody sits at, where that is easy.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there is no terminal to be had: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if !isTerminal(f) {
		t.Skip("the near end of a terminal is none here")
	}
	return f
}

func TestIsTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if isTerminal(null) || isTerminal(&bytes.Buffer{}) || isTerminal(nil) {
		t.Error("the null device, a buffer or nothing passes for a terminal")
	}
	openTerminal(t)
}

func TestTerminalColors(t *testing.T) {
	terminal := openTerminal(t)
	for _, tc := range []struct {
		noColor, term, colorTerm string
		want                     picture.Color
	}{
		{"", "xterm", "", picture.Color256},
		{"", "xterm", "truecolor", picture.TrueColor},
		{"", "xterm", "24bit", picture.TrueColor},
		{"", "dumb", "truecolor", picture.NoColor},
		{"1", "xterm", "truecolor", picture.NoColor},
	} {
		t.Setenv("NO_COLOR", tc.noColor)
		t.Setenv("TERM", tc.term)
		t.Setenv("COLORTERM", tc.colorTerm)
		if got := terminalColors(terminal); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
		if got := terminalColors(&bytes.Buffer{}); got != picture.NoColor {
			t.Errorf("%+v: colours %v where there is no terminal", tc, got)
		}
	}
}

func TestTerminalWidth(t *testing.T) {
	for columns, want := range map[string]int{"": 0, "123": 123, "-1": 0, "wide": 0} {
		t.Setenv("COLUMNS", columns)
		if got := terminalWidth(&bytes.Buffer{}); got != want {
			t.Errorf("COLUMNS=%s: %d", columns, got)
		}
	}
}
