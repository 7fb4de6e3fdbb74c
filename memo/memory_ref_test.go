package memo

import (
	"errors"
	"fmt"
	"testing"
)

// TestRefsInMemory: references to results that are in no folder hold them.
func TestRefsInMemory(t *testing.T) {
	ctx := t.Context()
	c := openMemory(t, Memory{Policy: LRU, MaxEntries: 1})
	f, computed, m := memoizeCounted(t, c, Spec{Name: "f", Version: "1"})
	f(1)
	held, err := m.Shelve(1) // a hit
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.Shelve(2) // a miss, which pushes the first one out
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for n, ref := range map[int]Ref{1: held, 2: other} {
			var got []int
			if err := ref.Get(ctx, &got); err != nil || got[1] != n*n {
				t.Error(n, got, err)
				continue
			}
			got[1] = -1
			r, err := ref.Record(ctx)
			if err != nil || fmt.Sprint(r.Args) != fmt.Sprint([]int{n}) || r.Key != ref.Key() {
				t.Errorf("%+v, %v", r, err)
			}
			if _, err := ref.MarshalText(); !errors.Is(err, ErrUnsupported) {
				t.Error("MarshalText:", err)
			}
			if _, err := ref.Open(ctx, 0); !errors.Is(err, ErrUnsupported) {
				t.Error("Open:", err)
			}
			var wrong string
			if err := ref.Get(ctx, &wrong); !errors.Is(err, ErrArguments) {
				t.Error("Get into another type:", err)
			}
		}
	}
	// Others find what is in memory now, and no more.
	refTo := func(n int) Ref {
		k, err := m.Key(n)
		if err != nil {
			t.Fatal(err)
		}
		return c.Ref(k)
	}
	var got []int
	var wrong string
	if err := refTo(2).Get(ctx, &got); err != nil || got[1] != 4 {
		t.Error(got, err)
	}
	if err := refTo(2).Get(ctx, &wrong); !errors.Is(err, ErrArguments) {
		t.Error("Get into another type:", err)
	}
	if err := refTo(1).Get(ctx, &got); !errors.Is(err, ErrNotFound) {
		t.Error("Get of what was evicted:", err)
	}
	if err := other.Forget(ctx); err != nil {
		t.Error(err)
	}
	if err := refTo(2).Get(ctx, &got); !errors.Is(err, ErrNotFound) {
		t.Error("Get of what was forgotten:", err)
	}
	if s := c.Stats(); computed.Load() != 2 || s.Hits != 1 || s.MemoryHits != 1 || s.Misses != 2 {
		t.Errorf("computed %d times, %+v", computed.Load(), s)
	}
}
