package memo_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// A cache in memory only, as functools.lru_cache(maxsize=128) makes one. The
// function calls its memoized self.
func ExampleMemory() {
	c, err := memo.Open("", &memo.Options{Memory: &memo.Memory{MaxEntries: 128, Policy: memo.LRU}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var fib func(int) int
	f, err := memo.Func(c, memo.Spec{Name: "fib"}, func(n int) int {
		if n < 2 {
			return n
		}
		return fib(n-1) + fib(n-2)
	})
	if err != nil {
		log.Fatal(err)
	}
	fib = f.Call
	fmt.Println(fib(15), fib(40))
	s := c.Stats()
	fmt.Println(s.Hits, "hits", s.Misses, "misses", s.MemoryEntries, "entries")
	// Output:
	// 610 102334155
	// 39 hits 41 misses 41 entries
}

// A bounded tier in front of a folder: what was used lately is there without a
// file, all the rest is in the folder.
func ExampleMemory_folder() {
	dir, err := os.MkdirTemp("", "numcache-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	run := func() {
		c, err := memo.Open(dir, &memo.Options{Memory: &memo.Memory{MaxBytes: 256 << 20}})
		if err != nil {
			log.Fatal(err)
		}
		defer c.Close()
		ones := func(context.Context) (*mat.VecDense, error) { return mat.NewVecDense(3, []float64{1, 1, 1}), nil }
		for range 3 {
			v, err := memo.Do(context.Background(), c, memo.NewKey("ones", "1").Add(3), ones)
			if err != nil {
				log.Fatal(err)
			}
			v.SetVec(0, 7) // every caller has a copy
		}
		s := c.Stats()
		fmt.Println(s.Misses, "computed,", s.Hits-s.MemoryHits, "from the folder,", s.MemoryHits, "from memory")
	}
	run()
	run() // as the next process would
	// Output:
	// 1 computed, 0 from the folder, 2 from memory
	// 0 computed, 1 from the folder, 2 from memory
}

// With Share a hit costs the same for results of any size. All callers have the same
// result, and none may write to it.
func ExampleMemory_share() {
	c, err := memo.Open("", &memo.Options{Memory: &memo.Memory{Share: true}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	identity, err := memo.Func(c, memo.Spec{Name: "identity"}, func(n int) *mat.DiagDense {
		ones := make([]float64, n)
		for i := range ones {
			ones[i] = 1
		}
		return mat.NewDiagDense(n, ones)
	})
	if err != nil {
		log.Fatal(err)
	}
	first, second := identity.Call(1000), identity.Call(1000)
	fmt.Println(first == second)
	// Output: true
}

// Rectangle has a memoized method.
type Rectangle struct{ Width, Height float64 }

// Diagonals returns the two diagonals as vectors.
func (r Rectangle) Diagonals(scale float64) [2][2]float64 {
	fmt.Println("computing for", r)
	return [2][2]float64{{scale * r.Width, scale * r.Height}, {scale * r.Width, -scale * r.Height}}
}

// A method is a function whose first argument is the receiver: its exported fields
// are part of the key, and no receiver is kept alive.
func ExampleFunc_method() {
	c, err := memo.Open("", &memo.Options{Memory: &memo.Memory{}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	diagonals, err := memo.Func(c, memo.Spec{Name: "Rectangle.Diagonals", Version: "1"}, Rectangle.Diagonals)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(diagonals.Call(Rectangle{3, 4}, 2))
	fmt.Println(diagonals.Call(Rectangle{3, 4}, 2)) // another rectangle, of the same size
	fmt.Println(diagonals.Call(Rectangle{1, 4}, 2))
	// Output:
	// computing for {3 4}
	// [[6 8] [6 -8]]
	// [[6 8] [6 -8]]
	// computing for {1 4}
	// [[2 8] [2 -8]]
}

// Document has two properties that are computed when they are first asked for.
type Document struct {
	Text  string
	Words func() int // of this very document: the standard library has what it takes
	cache *memo.Cache
}

// NewDocument returns a document of some text.
func NewDocument(c *memo.Cache, text string) *Document {
	return &Document{text, sync.OnceValue(func() int { fmt.Println("counting words"); return len(strings.Fields(text)) }), c}
}

// Letters counts letters, once for all documents with the same text.
func (d *Document) Letters(ctx context.Context) (map[string]int, error) {
	return memo.Do(ctx, d.cache, memo.NewKey("Document.Letters", "1").Add(d.Text), func(context.Context) (map[string]int, error) {
		fmt.Println("counting letters")
		count := map[string]int{}
		for _, letter := range d.Text {
			count[string(letter)]++
		}
		return count, nil
	})
}

// A lazily computed property, as functools.cached_property makes one.
func ExampleDo_property() {
	c, err := memo.Open("", &memo.Options{Memory: &memo.Memory{MaxEntries: 1000}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		d := NewDocument(c, "to be or not to be")
		fmt.Println(d.Words(), d.Words())
		letters, err := d.Letters(context.Background())
		fmt.Println(letters["o"], err)
	}
	// Output:
	// counting words
	// 6 6
	// counting letters
	// 4 <nil>
	// counting words
	// 6 6
	// 4 <nil>
}
