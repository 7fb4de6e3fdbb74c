//go:build !race && !purego

package memo

import (
	"context"
	"testing"
)

// The race detector allocates, and so does SHA-256 without assembly.

// TestAllocationsOfAHit pins them.
func TestAllocationsOfAHit(t *testing.T) {
	c := openMemory(t, Memory{})
	ctx := context.Background()
	compute := func(context.Context) (float64, error) { return 1.5, nil }
	if n := testing.AllocsPerRun(100, func() {
		if v, err := Do(ctx, c, NewKey("f", "1").Add(benchArgument), compute); v != 1.5 || err != nil {
			t.Error(v, err)
		}
	}); n > 2 {
		t.Errorf("Do: %v allocations", n)
	}
	f, err := Func(c, Spec{Name: "g"}, func(_ context.Context, n int) (float64, error) { return float64(n), nil })
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if v, err := f.Call(ctx, benchArgument); v != benchArgument || err != nil {
			t.Error(v, err)
		}
	}); n > 6 {
		t.Errorf("Func: %v allocations", n)
	}
}
