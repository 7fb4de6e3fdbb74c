package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// The quick form of each table runs, with every peer that is there; in CI all must be.
func TestQuick(t *testing.T) {
	for name, table := range tables {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := table.measure(context.Background(), &out, options{quick: true, rounds: 1, dir: t.TempDir()}); err != nil {
				t.Fatal(err)
			}
			t.Log(out.String())
			for _, part := range table.parts {
				if !strings.Contains(out.String(), "\n"+part+": ") {
					t.Errorf("the table does not have %s", part)
				}
			}
			if strings.Contains(out.String(), "without ") && os.Getenv("CI") != "" {
				t.Error("a peer is not installed")
			}
		})
	}
}
