package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/numcache/numcache/memo"
)

// progressBar returns a function that shows progress on one line of a terminal, and
// one that removes the line. Where w is no terminal they do nothing.
func progressBar(w io.Writer, name string) (progress func(memo.Progress), finish func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	return progressLine(w, name, terminalWidth(w))
}

// progressLine is progressBar for a terminal of a width, 0 for one that does not say.
func progressLine(w io.Writer, name string, width int) (progress func(memo.Progress), finish func()) {
	var shown time.Time
	progress = func(p memo.Progress) {
		// A person reads ten numbers a second at most.
		if now := time.Now(); now.Sub(shown) >= 100*time.Millisecond {
			shown = now
			text := name + ": " + progressText(p)
			if width > 0 { // a line that is wrapped could not be replaced
				text = shorten(text, max(width-1, 1))
			}
			fmt.Fprintf(w, "\r%s\x1b[K", text)
		}
	}
	return progress, func() {
		if !shown.IsZero() {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}

// barWidth is how many characters a bar has.
const barWidth = 20

func progressText(p memo.Progress) string {
	if p.Total == 0 { // not known, as with trim
		return fmt.Sprintf("%d files, %s freed", p.Done, bytesText(p.BytesDone))
	}
	// Bytes are what takes time, where there are any.
	part := float64(p.Done) / float64(p.Total)
	if p.BytesTotal > 0 {
		part = float64(p.BytesDone) / float64(p.BytesTotal)
	}
	full := min(max(int(part*barWidth), 0), barWidth)
	return fmt.Sprintf("%s%s %3.0f %%  %d of %d files, %s of %s", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), 100*min(part, 1),
		p.Done, p.Total, bytesText(p.BytesDone), bytesText(p.BytesTotal))
}
