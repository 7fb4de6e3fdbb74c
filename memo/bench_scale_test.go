package memo

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/numcache/numcache/parallel"
)

// scaleRecords is the largest cache that BenchmarkScale fills: a million records take
// a minute or two, and 8 GB of disk.
var scaleRecords = flag.Int("scale", 10_000, "records in the largest cache of BenchmarkScale")

// fillTo stores calls from to to−1 of f, each with an array as its result.
func fillTo(b *testing.B, c *Cache, from, to int) {
	b.Helper()
	began := time.Now()
	created := time.Now().Add(-time.Duration(to) * time.Second)
	err := parallel.ForRange(b.Context(), nil, to-from, func(ctx context.Context, lo, hi int) error {
		for n := from + lo; n < from+hi; n++ {
			results, err := storeResults(ctx, reflectValues([]float64{float64(n)}), false)
			if err == nil {
				err = c.save(ctx, NewKey("f", "1").Add(n).withSum(), results, created.Add(time.Duration(n)*time.Second), time.Millisecond)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if to-from > 1000 {
		b.Logf("%d entries stored in %v", to-from, time.Since(began).Round(time.Millisecond))
	}
}

// BenchmarkScale measures what calls cost in caches of ten, ten thousand and, with
// -scale 1000000, a million records: a hit and a miss, the first ten records of a
// listing, and looking for what is over a limit.
func BenchmarkScale(b *testing.B) {
	dir := b.TempDir()
	filled := 0
	for _, records := range []int{10, 10_000, 1_000_000} {
		if records > *scaleRecords {
			continue
		}
		c := openQuiet(b, dir)
		fillTo(b, c, filled, records)
		filled = records
		f, err := Func(c, Spec{Name: "f", Version: "1"}, func(n int) []float64 { return []float64{float64(n)} })
		if err != nil {
			b.Fatal(err)
		}
		run := func(name string, op func(b *testing.B)) {
			b.Run(fmt.Sprintf("records=%d/%s", records, name), op)
		}
		run("hit", func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			// Entries from all over the folder, no more than the memory of the
			// machine keeps at hand in each case.
			some := min(records, 1000)
			for n := range some {
				f.Call(n * (records / some))
			}
			hits := c.Stats().Hits
			calls := int64(0)
			for b.Loop() {
				n := r.IntN(some) * (records / some)
				if v := f.Call(n); v[0] != float64(n) {
					b.Fatal(v)
				}
				calls++
			}
			if got := c.Stats().Hits - hits; got != calls {
				b.Fatalf("%d hits in %d calls", got, calls)
			}
		})
		run("miss", func(b *testing.B) {
			n := 1 << 40
			for b.Loop() {
				f.Call(n)
				n++
				b.StopTimer() // so that there are no more records than said
				if err := f.Forget(n - 1); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
		run("first10", func(b *testing.B) {
			for b.Loop() {
				seen := 0
				for _, err := range c.Records(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					if seen++; seen == 10 {
						break
					}
				}
			}
		})
		run("trim", func(b *testing.B) {
			for b.Loop() {
				col := collection{c: c, s: c.store, limits: Limits{MaxEntries: records * 19 / 20}, target: Limits{MaxEntries: records * 19 / 20},
					now: time.Now(), swept: time.Now(), dryRun: true}
				if err := col.run(b.Context()); err != nil || col.removed.Entries < records/20 {
					b.Fatal(col.removed, err)
				}
			}
		})
		run("sweep", func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Trim(b.Context(), Limits{}, &TrimOptions{DryRun: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
