package memo_test

import (
	"context"
	"expvar"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/numcache/numcache/memo"
)

// openSquares memoizes a function in a new cache with the given options, and returns both.
func openSquares(o *memo.Options) (c *memo.Cache, call func(n int) []float64, remove func()) {
	dir, err := os.MkdirTemp("", "numcache-example-")
	if err != nil {
		log.Fatal(err)
	}
	c, err = memo.Open(dir, o)
	if err != nil {
		log.Fatal(err)
	}
	f, err := memo.Func(c, memo.Spec{Name: "squares", Version: "1"}, func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(i * i)
		}
		return v
	})
	if err != nil {
		log.Fatal(err)
	}
	return c, f.Call, func() {
		c.Close()
		os.RemoveAll(dir)
	}
}

// A cache that keeps itself small: what was used least recently goes.
func ExampleLimits() {
	size, err := memo.ParseSize("64K")
	if err != nil {
		log.Fatal(err)
	}
	c, squares, remove := openSquares(&memo.Options{Limits: memo.Limits{MaxBytes: size}})
	defer remove()
	for n := range 20 {
		squares(1000 + n) // 8 KB each
	}
	entries := 0
	for _, err := range c.Records(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		entries++
	}
	fmt.Println(entries, "entries, evicted:", c.Stats().Evicted)
	// Output: 7 entries, evicted: 13
}

// Trim once, first to see what it would do. joblib calls it reduce_size.
func ExampleCache_Trim() {
	c, squares, remove := openSquares(nil)
	defer remove()
	for n := range 10 {
		squares(n + 1)
	}
	ctx, limits := context.Background(), memo.Limits{MaxEntries: 4}
	would, err := c.Trim(ctx, limits, &memo.TrimOptions{DryRun: true})
	if err != nil {
		log.Fatal(err)
	}
	did, err := c.Trim(ctx, limits, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("would remove", would.Entries, "and removed", did.Entries, "leaving", did.LeftEntries)
	// Output: would remove 6 and removed 6 leaving 4
}

// Compressed results take less room, and NumPy opens them all the same:
// numpy.load(path)["data"].
func ExampleOptions_compress() {
	c, squares, remove := openSquares(&memo.Options{Compress: 6})
	defer remove()
	v := squares(1 << 16)
	for r, err := range c.Records(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		path := c.ObjectPath(r.Results[0].Arrays()[0].Digest)
		info, err := os.Stat(filepath.FromSlash(path))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(filepath.Ext(path), "smaller:", info.Size() < int64(8*len(v)/2))
	}
	// Output: .npz smaller: true
}

// What all processes counted that ever used the folder.
func ExampleCache_History() {
	c, squares, remove := openSquares(nil)
	defer remove()
	for range 3 {
		squares(10)
	}
	h, err := c.History(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for name, s := range h.Functions {
		fmt.Println(name, "hits:", s.Hits, "misses:", s.Misses)
	}
	fmt.Println("counted for less than a minute:", time.Since(h.Since) < time.Minute)
	// Output:
	// squares hits: 2 misses: 1
	// counted for less than a minute: true
}

// The calls that are asked for most often.
func ExampleStats_hottest() {
	c, squares, remove := openSquares(&memo.Options{Memory: &memo.Memory{}})
	defer remove()
	for _, n := range []int{1, 2, 3, 2, 2, 3} {
		squares(n)
	}
	for _, hot := range c.Stats().Hottest {
		for r, err := range c.Find(context.Background(), hot.Key.String()) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(hot.Function, r.Args, hot.Calls, "calls")
		}
	}
	// Output:
	// squares [2] 3 calls
	// squares [3] 2 calls
}

// The counters where expvar, and what reads it, finds them.
func ExampleCache_Stats_expvar() {
	c, squares, remove := openSquares(nil)
	defer remove()
	stats := expvar.Func(func() any { return c.Stats() }) // expvar.Publish("numcache", stats)
	squares(10)
	squares(10)
	fmt.Println(stats.Value().(memo.Stats).Hits, "hit")
	// Output: 1 hit
}
