package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/numcache/numcache/cmd/numcache/internal/picture"
)

// TestTerminalColors takes the null device for a terminal, as isTerminal does.
func TestTerminalColors(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
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
		if got := terminalColors(null); got != tc.want && isTerminal(null) {
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
