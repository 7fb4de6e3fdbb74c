package main

import (
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/numcache/numcache/cmd/numcache/internal/picture"
)

// isTerminal reports whether a stream is a terminal, with a person behind it.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns how many columns there are for what is written to a stream:
// COLUMNS where that is set, else those of the terminal. It is 0 where there is no
// terminal, and so no bound.
func terminalWidth(stream any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := stream.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// terminalColors returns the colours for what is written to a stream: none unless it is
// a terminal that has them and NO_COLOR is not set (https://no-color.org).
func terminalColors(stream any) picture.Color {
	if !isTerminal(stream) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return picture.NoColor
	}
	switch os.Getenv("COLORTERM") {
	case "truecolor", "24bit":
		return picture.TrueColor
	}
	return picture.Color256
}
