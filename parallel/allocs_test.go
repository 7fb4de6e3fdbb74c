//go:build !race

package parallel_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/numcache/numcache/parallel"
)

// What Map allocates is its results and what its workers need, whatever the number of
// items: the gate is on all of it.
func TestAllocationsOfMap(t *testing.T) {
	for _, c := range []struct {
		workers int
		most    float64
	}{{1, 9}, {4, 20}} {
		for _, items := range []int{1000, 100_000} {
			t.Run(fmt.Sprintf("workers=%d/items=%d", c.workers, items), func(t *testing.T) {
				xs := make([]float64, items)
				ctx, o := context.Background(), &parallel.Options{Workers: c.workers}
				double := func(_ context.Context, x float64) (float64, error) { return 2 * x, nil }
				n := testing.AllocsPerRun(50, func() {
					if _, err := parallel.Map(ctx, o, xs, double); err != nil {
						t.Error(err)
					}
				})
				if n > c.most {
					t.Errorf("%v allocations for %d items, more than %v", n, items, c.most)
				}
				t.Logf("%v allocations", n)
			})
		}
	}
}
