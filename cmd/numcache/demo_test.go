package main

import (
	"strings"
	"testing"
)

// TestDemoVerifies has the demo compute its hits again, and find them the same.
func TestDemoVerifies(t *testing.T) {
	t.Setenv("NUMCACHE_VERIFY", "1")
	out := numcache(t, "demo", "--dir", t.TempDir())
	if !strings.Contains(out, "4 of the hits were computed again") || strings.Contains(out, "faults") {
		t.Error(out)
	}
}
