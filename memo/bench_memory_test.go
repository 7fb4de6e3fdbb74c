package memo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkMemoryHit measures hits in memory, the making of the key included.
func BenchmarkMemoryHit(b *testing.B) {
	for _, p := range tierPolicies {
		b.Run(fmt.Sprint("Do/scalar/", p), func(b *testing.B) { benchDoScalar(b, Memory{Policy: p, MaxEntries: 128}) })
	}
	for _, p := range tierPolicies {
		b.Run(fmt.Sprint("Func/scalar/", p), func(b *testing.B) { benchFuncScalar(b, Memory{Policy: p, MaxEntries: 128}) })
	}
	b.Run("Func/argument=1KB", func(b *testing.B) {
		f, err := Func(openMemory(b, Memory{}), Spec{Name: "f"}, func(_ context.Context, x []float64) (float64, error) { return x[0], nil })
		if err != nil {
			b.Fatal(err)
		}
		x := make([]float64, 128)
		b.SetBytes(int64(8 * len(x)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Call(b.Context(), x); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Func/both=1KB", func(b *testing.B) {
		f, err := Func(openMemory(b, Memory{}), Spec{Name: "f"}, func(x []float64) []float64 { return x })
		if err != nil {
			b.Fatal(err)
		}
		x := make([]float64, 128)
		b.SetBytes(int64(8 * len(x)))
		b.ReportAllocs()
		for b.Loop() {
			if v := f.Call(x); len(v) != len(x) {
				b.Fatal(len(v))
			}
		}
	})
	for _, share := range []bool{false, true} {
		name := map[bool]string{false: "copied", true: "shared"}[share]
		b.Run("Do/result=8MB/"+name, func(b *testing.B) {
			c := openMemory(b, Memory{Share: share})
			if !share {
				b.SetBytes(8 << 20)
			}
			b.ReportAllocs()
			for b.Loop() {
				v, err := Do(b.Context(), c, NewKey("f", "1").Add(1), func(context.Context) ([]float64, error) { return make([]float64, 1<<20), nil })
				if err != nil || len(v) != 1<<20 {
					b.Fatal(len(v), err)
				}
			}
		})
	}
}

// benchArgument is no small integer, of which Go would keep one in readiness.
const benchArgument = 123456

func benchDoScalar(b *testing.B, m Memory) {
	c := openMemory(b, m)
	compute := func(context.Context) (float64, error) { return 1.5, nil }
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if v, err := Do(ctx, c, NewKey("f", "1").Add(benchArgument), compute); v != 1.5 || err != nil {
			b.Fatal(v, err)
		}
	}
	if s := c.Stats(); s.Misses != 1 {
		b.Fatalf("%+v", s)
	}
}

func benchFuncScalar(b *testing.B, m Memory) {
	c := openMemory(b, m)
	f, err := Func(c, Spec{Name: "f", Version: "1"}, func(_ context.Context, n int) (float64, error) { return float64(n) / 2, nil })
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if v, err := f.Call(ctx, benchArgument); v != benchArgument/2 || err != nil {
			b.Fatal(v, err)
		}
	}
	if s := c.Stats(); s.Misses != 1 {
		b.Fatalf("%+v", s)
	}
}

// lruCacheHits prints what a hit of functools.lru_cache takes, in nanoseconds.
const lruCacheHits = `
import functools, time
@functools.lru_cache(maxsize=128)
def f(n): return n / 2
f(123456)
best = 1e9
for _ in range(7):
    n = 500_000
    start = time.perf_counter_ns()
    for _ in range(n): f(123456)
    best = min(best, (time.perf_counter_ns() - start) / n)
print(best)
`

// BenchmarkMemoryHitBesideLRUCache reports how many hits of functools.lru_cache, which
// looks the argument up as it is, one hit takes that makes a 128-bit key of it.
func BenchmarkMemoryHitBesideLRUCache(b *testing.B) {
	python := os.Getenv("NUMCACHE_PYTHON")
	if python == "" {
		python = "python3"
	}
	out, err := exec.Command(python, "-c", lruCacheHits).Output()
	if err != nil {
		b.Skip("there is no Python to compare with:", err)
	}
	lru, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	for _, way := range []struct {
		name  string
		bench func(*testing.B, Memory)
	}{{"Do", benchDoScalar}, {"Func", benchFuncScalar}} {
		b.Run(way.name, func(b *testing.B) {
			way.bench(b, Memory{Policy: LRU, MaxEntries: 128})
			b.ReportMetric(lru, "lru_cache-ns/op")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lru, "times-lru_cache")
		})
	}
}

// BenchmarkMemoryMiss measures calls that are computed and kept, pushing another out.
func BenchmarkMemoryMiss(b *testing.B) {
	for _, p := range tierPolicies {
		b.Run(p.String(), func(b *testing.B) {
			c := openMemory(b, Memory{Policy: p, MaxEntries: 128})
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				if v, err := Do(context.Background(), c, NewKey("f", "1").Add(n), func(context.Context) (int, error) { return n, nil }); v != n || err != nil {
					b.Fatal(v, err)
				}
			}
		})
	}
}
