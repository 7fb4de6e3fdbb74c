package memo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// TestSharedResults: with Share there is one value, for the caller that computes,
// for those who wait and for every hit.
func TestSharedResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openMemory(t, Memory{Share: true})
		release := make(chan struct{})
		one := mat.NewDense(1, 1, []float64{1})
		got := make(chan *mat.Dense)
		ask := func() {
			m, err := Do(t.Context(), c, NewKey("f", "1"), func(context.Context) (*mat.Dense, error) { <-release; return one, nil })
			if err != nil {
				t.Error(err)
			}
			got <- m
		}
		for range crowd {
			go ask()
		}
		synctest.Wait()
		close(release)
		for range crowd {
			if <-got != one {
				t.Error("a caller got a copy")
			}
		}
		go ask()
		if <-got != one {
			t.Error("a hit is a copy")
		}
		var held *mat.Dense
		if ref, err := Shelve(t.Context(), c, NewKey("f", "1"), func(context.Context) (*mat.Dense, error) { return nil, nil }); err != nil || ref.Get(t.Context(), &held) != nil || held != one {
			t.Error("a reference has a copy", err)
		}
		if s := c.Stats(); s.Misses != 1 || s.Shared != crowd-1 || s.Hits != 2 || s.MemoryHits != 2 {
			t.Errorf("%+v", s)
		}
	})
	// From the folder, too, there is one value for all.
	s := &storetest.Memory{}
	f := memoizeSample(t, openOn(t, s))
	if _, err := f.Call(t.Context(), 1); err != nil {
		t.Error(err)
	}
	f = memoizeSample(t, withMemory(t, openOn(t, s), Memory{Share: true}))
	first, err1 := f.Call(t.Context(), 1)
	second, err2 := f.Call(t.Context(), 1)
	if errors.Join(err1, err2) != nil || first.D != second.D {
		t.Error("a result from the folder is not shared", err1, err2)
	}
}

// TestOtherTypesInMemory: functions of different types share a name by mistake.
func TestOtherTypesInMemory(t *testing.T) {
	for _, share := range []bool{false, true} {
		c := openMemory(t, Memory{Share: share})
		k := NewKey("f", "1")
		for range 3 {
			n, err := Do(t.Context(), c, k, func(context.Context) (int, error) { return 1, nil })
			if n != 1 || err != nil {
				t.Error(n, err)
			}
			s, err := Do(t.Context(), c, k, func(context.Context) ([]string, error) { return []string{"a"}, nil })
			if len(s) != 1 || err != nil {
				t.Error(s, err)
			}
		}
		if s := c.Stats(); s.Misses != 6 || s.Faults != 0 || s.MemoryEntries != 1 {
			t.Errorf("%+v", s)
		}
	}
}

// TestUnsoundResultsAreNotKeptInMemory: as TestArgumentsOfThoseWhoGaveUp, without a
// folder.
func TestUnsoundResultsAreNotKeptInMemory(t *testing.T) {
	for _, share := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := openMemory(t, Memory{Share: share})
			release := make(chan struct{})
			f, err := Func(c, Spec{Name: "f"}, func(_ context.Context, x []int) ([]int, error) {
				<-release
				return x[:1], nil
			})
			if err != nil {
				t.Fatal(err)
			}
			first := func(x []int) func(context.Context) (int, error) {
				return func(ctx context.Context) (int, error) {
					y, err := f.Call(ctx, x)
					if err != nil {
						return 0, err
					}
					return y[0], nil
				}
			}
			mine := []int{1}
			a, b := start(t, first(mine)), start(t, first([]int{1}))
			a.cancel()
			synctest.Wait()
			mine[0] = 2
			close(release)
			synctest.Wait()
			if !b.done || b.value != 1 || b.err != nil {
				t.Errorf("the other caller got %+v", b)
			}
			if got, err := f.Call(t.Context(), []int{1}); err != nil || got[0] != 1 {
				t.Errorf("WRONG result in memory: %v, %v", got, err)
			}
			b.cancel()
		})
	}
}
