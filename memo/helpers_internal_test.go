package memo

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo/internal/store"
)

// quiet are options for tests that cause faults or write much.
func quiet() *Options {
	return &Options{Sync: SyncNone, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

// openQuiet opens the cache in dir, and closes it with the test.
func openQuiet(t testing.TB, dir string) *Cache {
	t.Helper()
	o := quiet()
	o.OnEvent = func(e Event) {
		if e.Kind == Fault {
			t.Logf("fault: %v", e.Err)
		}
	}
	c, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// openOn returns a cache on a store of the test's own.
func openOn(t testing.TB, s store.Store) *Cache {
	t.Helper()
	c := openQuiet(t, "")
	c.store = s
	return c
}

// sample is a result with every kind of part: arrays of several types, text in
// the record and in an object, scalars.
type sample struct {
	N     int
	F     float64
	Name  string
	Long  string
	D     *mat.Dense
	Parts []*mat.VecDense
	Count map[string][]int
}

// makeSample is what the memoized functions of the tests return for n.
func makeSample(n int) sample {
	return sample{
		N: n, F: math.Float64frombits(0x7ff8000000000000 + uint64(n)), Name: fmt.Sprint("sample ", n),
		Long: strings.Repeat(string(rune('a'+n)), maxInline+1),
		D:    mat.NewDense(2, 2, []float64{float64(n), math.Copysign(0, -1), math.Inf(1), math.NaN()}),
		// The same for every n: an object that entries share.
		Parts: []*mat.VecDense{mat.NewVecDense(3, []float64{1, 2, 3}), nil},
		Count: map[string][]int{"a": {n}, "empty": {}, "nil": nil},
	}
}

// bits writes a value with every bit of its floats.
func bits(x any) string {
	switch x := x.(type) {
	case *mat.Dense:
		if x == nil {
			return "nil Dense"
		}
		return fmt.Sprintf("%x", hexFloats(x.RawMatrix().Data))
	case *mat.VecDense:
		if x == nil {
			return "nil VecDense"
		}
		return fmt.Sprintf("%x", hexFloats(x.RawVector().Data))
	case sample:
		parts := ""
		for _, p := range x.Parts {
			parts += " " + bits(p)
		}
		return fmt.Sprintf("%d %x %s %s%s %#v ", x.N, math.Float64bits(x.F), x.Name, bits(x.D), parts, x.Count) + x.Long
	}
	return fmt.Sprintf("%#v", x)
}

func hexFloats(data []float64) []uint64 {
	out := make([]uint64, len(data))
	for i, f := range data {
		out[i] = math.Float64bits(f)
	}
	return out
}

// checkSample fails the test if got is not what the function returns for n.
func checkSample(t testing.TB, n int, got sample, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("call %d: %v", n, err)
	} else if bits(got) != bits(makeSample(n)) {
		t.Errorf("call %d returned a WRONG result:\n%.300s\nwant\n%.300s", n, bits(got), bits(makeSample(n)))
	}
}

// memoizeSample memoizes makeSample.
func memoizeSample(t testing.TB, c *Cache) *Function[func(context.Context, int) (sample, error)] {
	t.Helper()
	f, err := Func(c, Spec{Name: "sample", Version: "1"}, func(_ context.Context, n int) (sample, error) { return makeSample(n), nil })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// filesBelow returns the files in a folder and below, relative to dir.
func filesBelow(t testing.TB, dir, folder string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !e.IsDir() {
			relative, relErr := filepath.Rel(dir, path)
			files, err = append(files, relative), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func overwrite(t testing.TB, b []byte, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkEqual compares with reflect.DeepEqual.
func checkEqual(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// reflectValues returns values as a function's results.
func reflectValues(values ...any) []reflect.Value {
	results := make([]reflect.Value, len(values))
	for i, v := range values {
		results[i] = reflect.ValueOf(v)
	}
	return results
}

// openMemory opens a cache in memory only.
func openMemory(t testing.TB, m Memory) *Cache {
	t.Helper()
	o := quiet()
	o.Memory = &m
	c, err := Open("", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// withMemory gives a cache that was just opened a memory tier.
func withMemory(t testing.TB, c *Cache, m Memory) *Cache {
	t.Helper()
	var err error
	if c.memory, err = newTier(m); err != nil {
		t.Fatal(err)
	}
	return c
}
