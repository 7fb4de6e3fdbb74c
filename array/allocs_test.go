//go:build !race && !purego

package array_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/numcache/numcache/array"
)

// Allocations of a digest are a gate; the race detector allocates, and so does SHA-256
// without assembly.
func TestAllocationsOfADigest(t *testing.T) {
	for _, c := range []struct {
		elements int
		most     float64
	}{{128, 0}, {1 << 15, 0}, {1 << 20, 16}} {
		t.Run(fmt.Sprintf("%dKB", c.elements*8>>10), func(t *testing.T) {
			src, err := array.Of(make([]float64, c.elements))
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			n := testing.AllocsPerRun(50, func() {
				if _, err := array.Hash(ctx, src); err != nil {
					t.Error(err)
				}
			})
			if n > c.most {
				t.Errorf("%v allocations, more than %v", n, c.most)
			}
			t.Logf("%v allocations", n)
		})
	}
}
