package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo"
)

// TestLimits parses limits that make sense; TestStatus has those that do not.
func TestLimits(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "500": 500, "64k": 64 << 10, "1.5GB": 3 << 29, "2G": 2 << 30, "2GiB": 2 << 30} {
		if n, err := parseSize(text); n != want || err != nil {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	if n, err := parseEntries("1000"); n != 1000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for text, want := range map[string]time.Duration{
		"720h": 720 * time.Hour, "30d": 720 * time.Hour, "1d": 24 * time.Hour, "1h30m": 90 * time.Minute, "106751d": 106751 * 24 * time.Hour,
	} {
		if age, err := parseAge(text); age != want || err != nil {
			t.Errorf("%s: %v, %v", text, age, err)
		}
	}
	for text, want := range map[string]memo.Policy{"lru": memo.LRU, "lri": memo.LRI, "least-cost": memo.LeastCost} {
		if p, err := parsePolicy(text); p != want || err != nil {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
}

// TestTrimmingCutShort tells what was removed before an error, and not what is left,
// which is not known.
func TestTrimmingCutShort(t *testing.T) {
	cut := trimming{Dir: "/c", Entries: 2, Objects: 1, Bytes: 3000}
	var b strings.Builder
	if err := cut.text(&b); err != nil || b.String() != "Removed 2 entries and 1 object, 3.00 kB, from /c\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
	raw, err := json.Marshal(cut)
	if want := `{"dir":"/c","dry_run":false,"entries":2,"objects":1,"bytes":3000}`; err != nil || string(raw) != want {
		t.Errorf("got %s, %v, want %s", raw, err, want)
	}
}
