package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/numcache/numcache/cmd/numcache/internal/text"
)

// What the pages of numcache serve write the same way.
var (
	bytesText    = text.Bytes
	durationText = text.Duration
	ageText      = text.Age
	count        = text.Count
	printable    = text.Printable
	shorten      = text.Shorten
)

// momentText returns when something was, in the reader's time zone, and how long ago.
func momentText(t time.Time) string {
	return fmt.Sprintf("%s (%s ago)", t.Local().Format("2006-01-02 15:04:05 MST"), ageText(time.Since(t)))
}

// jsonLines returns an encoder that writes each value as one line, with its
// characters as they are.
func jsonLines(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
