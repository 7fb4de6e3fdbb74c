//go:build !race && !purego

package memo_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/numcache/numcache/memo"
	"github.com/numcache/numcache/npy"
)

// allocations are gates: unlike times they have no noise, so that a change that costs more
// of them shows. Who needs less lowers the gate. The race detector allocates, too, and so
// does SHA-256 without assembly; under these nothing is counted.
var allocations = []struct {
	name string
	most float64
	hit  func(t *testing.T) func() error
}{
	{"memory/Do/scalar", 0, func(t *testing.T) func() error {
		return doing(t, inMemory(t), 123456, 1.5)
	}},
	{"memory/Do/1KB", 2, func(t *testing.T) func() error {
		return doing(t, inMemory(t), oneKB(), 1.5)
	}},
	{"memory/Do/1KB/1KB", 4, func(t *testing.T) func() error {
		return doing(t, inMemory(t), oneKB(), oneKB())
	}},
	{"memory/Func/scalar", 4, func(t *testing.T) func() error {
		return calling(t, inMemory(t), 123456, 1.5)
	}},
	{"memory/Func/1KB", 6, func(t *testing.T) func() error {
		return calling(t, inMemory(t), oneKB(), 1.5)
	}},
	{"memory/Func/1KB/1KB", 8, func(t *testing.T) func() error {
		return calling(t, inMemory(t), oneKB(), oneKB())
	}},
	{"disk/Do/scalar", 27, func(t *testing.T) func() error {
		return doing(t, onDisk(t), 123456, 1.5)
	}},
	{"disk/Do/1KB/1KB", 46, func(t *testing.T) func() error {
		return doing(t, onDisk(t), oneKB(), oneKB())
	}},
	{"disk/Func/scalar", 29, func(t *testing.T) func() error {
		return calling(t, onDisk(t), 123456, 1.5)
	}},
	{"disk/Func/1KB/1KB", 48, func(t *testing.T) func() error {
		return calling(t, onDisk(t), oneKB(), oneKB())
	}},
	{"mapped/1KB/1KB", 165, mapping},
	{"Has/memory", 0, func(t *testing.T) func() error { return asking(t, inMemory(t)) }},
	{"Has/disk", 24, func(t *testing.T) func() error { return asking(t, onDisk(t)) }},
}

func TestAllocationsOfAHit(t *testing.T) {
	for _, a := range allocations {
		t.Run(a.name, func(t *testing.T) {
			hit := a.hit(t)
			n := testing.AllocsPerRun(200, func() {
				if err := hit(); err != nil {
					t.Error(err)
				}
			})
			if n > a.most {
				t.Errorf("%v allocations, more than %v", n, a.most)
			}
			t.Logf("%v allocations", n)
		})
	}
}

func oneKB() []float64 {
	xs := make([]float64, 128)
	for i := range xs {
		xs[i] = float64(i)
	}
	return xs
}

func inMemory(t *testing.T) *memo.Cache {
	return opened(t, "", memo.Options{Memory: &memo.Memory{}})
}

// onDisk is a cache whose hits read files, for which other systems need other memory.
func onDisk(t *testing.T) *memo.Cache {
	if runtime.GOOS != "linux" {
		t.Skip("the gates are those of Linux")
	}
	return opened(t, t.TempDir(), memo.Options{})
}

func opened(t *testing.T, dir string, o memo.Options) *memo.Cache {
	t.Helper()
	c, err := memo.Open(dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s := c.Stats(); s.Misses > 1 || s.Faults > 0 {
			t.Errorf("they were no hits: %+v", s)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// doing is a hit by Do, after the call that computes.
func doing[Result any](t *testing.T, c *memo.Cache, arg any, result Result) func() error {
	ctx := context.Background()
	compute := func(context.Context) (Result, error) { return result, nil }
	return warm(t, func() error {
		_, err := memo.Do(ctx, c, memo.NewKey("f", "1").Add(arg), compute)
		return err
	})
}

// calling is a hit by the function that Func returns.
func calling[Arg, Result any](t *testing.T, c *memo.Cache, arg Arg, result Result) func() error {
	f, err := memo.Func(c, memo.Spec{Name: "f"}, func(_ context.Context, _ Arg) (Result, error) { return result, nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	return warm(t, func() error {
		_, err := f.Call(ctx, arg)
		return err
	})
}

// mapping is a hit whose result is mapped.
func mapping(t *testing.T) func() error {
	f, err := memo.Func(onDisk(t), memo.Spec{Name: "f"}, func(x []float64) []float64 { return x })
	if err != nil {
		t.Fatal(err)
	}
	ctx, xs := context.Background(), oneKB()
	return warm(t, func() error {
		ref, err := f.Shelve(ctx, xs)
		if err != nil {
			return err
		}
		file, err := ref.Open(ctx, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		m, err := file.Map(npy.ReadOnly)
		if err != nil {
			return err
		}
		return m.Close()
	})
}

// asking is a question for what is there.
func asking(t *testing.T, c *memo.Cache) func() error {
	if err := doing(t, c, 123456, 1.5)(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var arg any = 123456
	return warm(t, func() error {
		if there, err := c.Has(ctx, memo.NewKey("f", "1").Add(arg)); err != nil || !there {
			t.Error("it is not there: ", err)
		}
		return nil
	})
}

// warm computes, and hits once.
func warm(t *testing.T, hit func() error) func() error {
	t.Helper()
	for range 2 {
		if err := hit(); err != nil {
			t.Fatal(err)
		}
	}
	return hit
}
