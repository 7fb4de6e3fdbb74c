package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// The quick form runs, with every peer that is there; in CI all must be.
func TestQuick(t *testing.T) {
	var out strings.Builder
	if err := parallelTable(context.Background(), &out, options{quick: true, rounds: 1}); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	for _, want := range []string{"tasks:", "rows:", "sum:", "gram:", "stream:", "conc/iter.Map", "ForRange"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not have %s", want)
		}
	}
	if strings.Contains(out.String(), "without ") && os.Getenv("CI") != "" {
		t.Error("a peer is not installed")
	}
}
