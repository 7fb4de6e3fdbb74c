package memo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math"
	"os"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// A refresh computes whatever the cache holds: here for a sensor that is no pure
// function.
func ExampleRefresh() {
	c, remove := openTemporary()
	defer remove()
	ctx := context.Background()
	reading := 20.0
	measure := func(context.Context) (float64, error) { reading++; return reading, nil }
	k := memo.NewKey("temperature", "1").Add("roof")

	fmt.Println(memo.Do(ctx, c, k, measure))
	fmt.Println(memo.Do(ctx, c, k, measure))
	fmt.Println(memo.Refresh(ctx, c, k, measure))
	fmt.Println(memo.Do(ctx, c, k, measure))
	// Output:
	// 21 <nil>
	// 21 <nil>
	// 22 <nil>
	// 22 <nil>
}

func ExampleFunction_refresh() {
	c, remove := openTemporary()
	defer remove()
	runs := 0
	fit, err := memo.Func(c, memo.Spec{Name: "fit", Version: "1"}, func(x []float64) (slope float64, run int) {
		runs++
		return (x[len(x)-1] - x[0]) / float64(len(x)-1), runs
	})
	if err != nil {
		log.Fatal(err)
	}
	x := []float64{1, 3, 5}
	fmt.Println(fit.Call(x))
	fmt.Println(fit.Refresh(x))
	fmt.Println(fit.Call(x))
	// Output:
	// 2 1
	// 2 2
	// 2 2
}

// Shelve keeps a result of any size in the folder and returns a reference, which goes
// through JSON to another program that uses the folder.
func ExampleMemoized_Shelve() {
	c, remove := openTemporary()
	defer remove()
	ctx := context.Background()
	identity, err := memo.Func(c, memo.Spec{Name: "identity", Version: "1"}, func(n int) *mat.Dense {
		m := mat.NewDense(n, n, nil)
		for i := range n {
			m.Set(i, i, 1)
		}
		return m
	})
	if err != nil {
		log.Fatal(err)
	}
	ref, err := identity.Shelve(2)
	if err != nil {
		log.Fatal(err)
	}
	message, err := json.Marshal(map[string]memo.Ref{"result": ref})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(message))

	// The other program:
	var received map[string]memo.Ref
	if err := json.Unmarshal(message, &received); err != nil {
		log.Fatal(err)
	}
	var m *mat.Dense
	if err := received["result"].In(c).Get(ctx, &m); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.RawMatrix().Data)
	// Output:
	// {"result":"identity/1/d2cb34df3c2d00f53a9b49c5bd470ca8"}
	// [1 0 0 1]
}

// Open reads some rows of a result that need not fit in memory.
func ExampleRef_Open() {
	c, remove := openTemporary()
	defer remove()
	ctx := context.Background()
	k := memo.NewKey("powers", "1").Add(1000)
	ref, err := memo.Shelve(ctx, c, k, func(context.Context) (*mat.Dense, error) {
		m := mat.NewDense(1000, 3, nil)
		for i := range 1000 {
			x := float64(i)
			m.SetRow(i, []float64{x, x * x, x * x * x})
		}
		return m, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	file, err := ref.Open(ctx, 0)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	rows, err := file.ReadRowsDense(10, 12)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Shape(), rows.RawMatrix().Data)
	// Output: [1000 3] [10 100 1000 11 121 1331]
}

// How many workers there are, and who listens, does not change the sum.
func ExampleSpec_ignore() {
	c, remove := openTemporary()
	defer remove()
	sum, err := memo.Func(c, memo.Spec{Name: "sum", Version: "1", Ignore: []int{1, 2}},
		func(x []float64, workers int, listen func(string)) float64 {
			listen(fmt.Sprint("computing with ", workers, " workers"))
			return floats.Sum(x)
		})
	if err != nil {
		log.Fatal(err)
	}
	listen := func(s string) { fmt.Println(s) }
	fmt.Println(sum.Call([]float64{1, 2, 3}, 4, listen))
	fmt.Println(sum.Call([]float64{1, 2, 3}, 8, nil))
	// Output:
	// computing with 4 workers
	// 6
	// 6
}

// What is computed quickly is computed again rather than read.
func ExampleSpec_valid() {
	c, remove := openTemporary()
	defer remove()
	slow := func(r *memo.Record) bool { return r.Duration > time.Minute }
	root, err := memo.Func(c, memo.Spec{Name: "root", Version: "1", Valid: slow}, func(x float64) float64 {
		fmt.Println("computing")
		return math.Sqrt(x)
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(root.Call(9))
	fmt.Println(root.Has(9))
	fmt.Println(root.Call(9))
	// Output:
	// computing
	// 3
	// false <nil>
	// computing
	// 3
}

func ExampleSpec_expiresAfter() {
	dir, err := os.MkdirTemp("", "numcache-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	now := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	c, err := memo.Open(dir, &memo.Options{Now: func() time.Time { return now }}) // a clock of the example's own
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	rates, err := memo.Func(c, memo.Spec{Name: "rates", Version: "1", ExpiresAfter: 24 * time.Hour}, func(currency string) (float64, error) {
		return 1.08, nil // in truth, a question to a server
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := rates.Call("EUR"); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		fmt.Println(rates.Has("EUR"))
		now = now.Add(12 * time.Hour)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false <nil>
}

// A read-only cache serves what is there and leaves the folder as it is.
func ExampleOptions_readOnly() {
	c, remove := openTemporary()
	defer remove()
	spec := memo.Spec{Name: "square", Version: "1"}
	square := func(x float64) float64 { return x * x }
	writer, err := memo.Func(c, spec, square)
	if err != nil {
		log.Fatal(err)
	}
	writer.Call(3)

	published, err := memo.Open(c.Dir(), &memo.Options{ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	defer published.Close()
	reader, err := memo.Func(published, spec, square)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reader.Call(3), reader.Call(4)) // a hit, and one that is computed
	fmt.Println(reader.Has(4))
	fmt.Println(errors.Is(reader.Forget(3), memo.ErrReadOnly))
	// Output:
	// 9 16
	// false <nil>
	// true
}

// Without a folder nothing is cached, and the program runs as it is.
func ExampleOpen_disabled() {
	c, err := memo.Open(os.Getenv("NO_SUCH_VARIABLE"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	calls := 0
	double, err := memo.Func(c, memo.Spec{Name: "double", Version: "1"}, func(x float64) float64 { calls++; return 2 * x })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(double.Call(1), double.Call(1), calls)
	fmt.Println(double.Has(1))
	// Output:
	// 2 2 2
	// false <nil>
}

// Memoize has every verb without a generic type, for interpreters such as gophernotes.
func ExampleCache_Memoize() {
	c, remove := openTemporary()
	defer remove()
	runs := 0
	m, err := c.Memoize(memo.Spec{Name: "scale", Version: "1"}, func(x []float64, by float64) ([]float64, error) {
		runs++
		y := make([]float64, len(x))
		floats.ScaleTo(y, by, x)
		return y, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	scale := m.CallFunc().(func([]float64, float64) ([]float64, error))
	refresh := m.RefreshFunc().(func([]float64, float64) ([]float64, error))
	x := []float64{1, 2}

	fmt.Println(scale(x, 3))
	fmt.Println(m.Has(x, 3))
	fmt.Println(m.Key(x, 3))
	record, err := m.Record(x, 3)
	fmt.Println(record.Function, record.Args, record.Results, err)
	ref, err := m.Shelve(x, 3)
	fmt.Println(ref.Function(), err)
	var y []float64
	err = ref.Get(context.Background(), &y)
	fmt.Println(y, err)
	fmt.Println(refresh(x, 3))
	fmt.Println("runs:", runs)
	fmt.Println(m.Forget(x, 3))
	fmt.Println(m.Clear(context.Background())) // there is nothing left
	// Output:
	// [3 6] <nil>
	// true <nil>
	// d2886b1fe5b7b19406631578c324138f <nil>
	// scale [float64(2,) 3.0] [float64(2,)] <nil>
	// scale <nil>
	// [3 6] <nil>
	// [3 6] <nil>
	// runs: 2
	// <nil>
	// 0 <nil>
}

// Which calls had a certain argument?
func ExampleCache_Records_byArgument() {
	c, remove := openTemporary()
	defer remove()
	window, err := memo.Func(c, memo.Spec{Name: "window", Version: "1"}, func(shape string, n int) []float64 {
		return make([]float64, n)
	})
	if err != nil {
		log.Fatal(err)
	}
	for n := range 3 {
		window.Call("hann", n)
		window.Call("blackman", n)
	}
	found := map[string]string{}
	for r, err := range c.Records(context.Background()) {
		if err != nil {
			log.Print(err) // a record that cannot be read; the next one follows
			continue
		}
		if r.Function == "window" && r.Args[0].String() == `"hann"` {
			found[r.Args[1].String()] = r.Results[0].String()
		}
	}
	fmt.Println(found)
	// Output: map[0:float64(0,) 1:float64(1,) 2:float64(2,)]
}

func ExampleMemoized_Clear() {
	c, remove := openTemporary()
	defer remove()
	ctx := context.Background()
	f, err := memo.Func(c, memo.Spec{Name: "f", Version: "1"}, func(n int) int { return n })
	if err != nil {
		log.Fatal(err)
	}
	g, err := memo.Func(c, memo.Spec{Name: "g", Version: "1"}, func(n int) int { return -n })
	if err != nil {
		log.Fatal(err)
	}
	for n := range 3 {
		f.Call(n)
		g.Call(n)
	}
	fmt.Println(f.Forget(0))               // one call
	fmt.Println(f.Clear(ctx))              // all calls of a function, every version
	fmt.Println(c.ClearFunction(ctx, "g")) // the same by name
	fmt.Println(c.Clear(ctx, nil))         // everything
	// Output:
	// <nil>
	// 2 <nil>
	// 3 <nil>
	// <nil>
}

// OnEvent hears of every call, here to log what was computed and how long that took.
func ExampleOptions_onEvent() {
	dir, err := os.MkdirTemp("", "numcache-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey { // which differs from run to run
				return slog.Attr{}
			}
			return a
		},
	}))
	c, err := memo.Open(dir, &memo.Options{OnEvent: func(e memo.Event) {
		logger.Info("call", "function", e.Function, "outcome", e.Kind, "slow", e.Compute > time.Minute)
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	norm, err := memo.Func(c, memo.Spec{Name: "norm", Version: "1"}, func(x []float64) float64 { return floats.Norm(x, 2) })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(norm.Call([]float64{3, 4}))
	fmt.Println(norm.Call([]float64{3, 4}))
	// Output:
	// level=INFO msg=call function=norm outcome=computing slow=false
	// level=INFO msg=call function=norm outcome=miss slow=false
	// 5
	// level=INFO msg=call function=norm outcome=hit slow=false
	// 5
}
