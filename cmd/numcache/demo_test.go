package main

import (
	"encoding/json"
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

// TestShowWhy compares calls with those that are most like them.
func TestShowWhy(t *testing.T) {
	dir := t.TempDir()
	numcache(t, "demo", "--dir", dir)
	numcache(t, "demo", "--dir", dir, "--neighbours", "7")
	for _, line := range strings.Split(strings.TrimSpace(numcache(t, "ls", "--json", "--dir", dir)), "\n") {
		var call struct{ Key, Function string }
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatal(err)
		}
		out, asJSON := numcache(t, "show", call.Key, "--why", "--dir", dir), numcache(t, "show", call.Key, "--why", "--json", "--dir", dir)
		wants := [2]string{"why        there is no other call of " + call.Function, `"cause":"never seen"`}
		if call.Function == "demo/knn" {
			wants = [2]string{" there\n", `"cause":"other arguments"`}
		}
		if !strings.Contains(out, wants[0]) || !strings.Contains(asJSON, wants[1]) {
			t.Errorf("%s\n%s\nhave not %q", out, asJSON, wants)
		}
	}
}
