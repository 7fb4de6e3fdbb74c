package memo

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// chainSteps is the length of the chains that are measured.
const chainSteps = 10

// chain runs a chain of steps on x, each of which is given the result of the one
// before through next, and returns the last one's.
func chain(t testing.TB, c *Cache, x *mat.Dense) Ref {
	t.Helper()
	f, err := Func(c, Spec{Name: "step", Version: "1"}, func(_ context.Context, m *mat.Dense) (*mat.Dense, error) {
		m = mat.DenseCopyOf(m)
		m.Set(0, 0, m.At(0, 0)+1)
		return m, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := f.Shelve(x)
	for range chainSteps - 1 {
		if err == nil {
			ref, err = f.Shelve(ref)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestChainReadsNoArrays: a chain that was computed before reads no array, so it hashes
// none but what comes from outside.
func TestChainReadsNoArrays(t *testing.T) {
	s := &storetest.Faulty{Store: &storetest.Memory{}}
	c := openOn(t, s)
	x := mat.NewDense(100, 100, nil)
	chain(t, c, x)
	opened, read := 0, 0
	s.Fail(func(_ int, op string) error {
		switch op {
		case "open":
			opened++
		case "get":
			read++
		}
		return nil
	})
	ref := chain(t, c, x)
	if opened != 0 || read == 0 {
		t.Errorf("%d arrays were opened, %d records read", opened, read)
	}
	var m *mat.Dense
	if err := ref.Get(t.Context(), &m); err != nil || m.At(0, 0) != chainSteps || opened != 1 {
		t.Errorf("the result: %v, %v; %d arrays were opened", m.At(0, 0), err, opened)
	}
}

// TestLinkLostOnTheWay: an argument goes missing after its key was made. Who gave the
// reference gets an error, who has the argument itself a result.
func TestLinkLostOnTheWay(t *testing.T) {
	s := &storetest.Faulty{Store: &storetest.Memory{}}
	c := openOn(t, s)
	first := chain(t, c, mat.NewDense(1, 1, nil))
	var x *mat.Dense
	if err := first.Get(t.Context(), &x); err != nil {
		t.Fatal(err)
	}
	f, err := Func(c, Spec{Name: "last", Version: "1"}, func(_ context.Context, m *mat.Dense) (float64, error) { return m.At(0, 0), nil })
	if err != nil {
		t.Fatal(err)
	}
	// The computation waits until the other call has joined it.
	begun := make(chan struct{})
	var once sync.Once
	c.options.OnEvent = func(e Event) {
		if e.Kind == Computing {
			once.Do(func() {
				close(begun)
				for c.waiting() < 2 {
					runtime.Gosched()
				}
				for name := range s.Store.(*storetest.Memory).Blobs() {
					if _, isObject := objectOf(name); isObject {
						if err := s.Delete(t.Context(), name); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	shelved := make(chan error, 1)
	go func() {
		_, err := f.Shelve(first)
		shelved <- err
	}()
	<-begun
	if got, err := f.Call(t.Context(), x); err != nil || got != chainSteps {
		t.Errorf("by value: %v, %v", got, err)
	}
	if err := <-shelved; !errors.Is(err, ErrNotFound) {
		t.Errorf("by reference: %v, want ErrNotFound", err)
	}
}

// waiting returns how many wait for the one computation that is under way.
func (c *Cache) waiting() int {
	c.flightsMu.Lock()
	defer c.flightsMu.Unlock()
	for _, flight := range c.flights {
		return flight.callers
	}
	return 0
}

// BenchmarkChain measures a chain of ten calls that are in the cache, from its first
// argument on: hashed once by reference, at each step by value.
func BenchmarkChain(b *testing.B) {
	const rows, cols = 4096, 8192 // 256 MB
	c := openQuiet(b, b.TempDir())
	x := mat.NewDense(rows, cols, nil)
	chain(b, c, x)
	b.Run("by reference", func(b *testing.B) {
		b.SetBytes(8 * rows * cols)
		for b.Loop() {
			chain(b, c, x)
		}
	})
	b.Run("hash of the first argument", func(b *testing.B) {
		b.SetBytes(8 * rows * cols)
		for b.Loop() {
			if err := NewKey("step", "1").Add(x).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
