package memo_test

import (
	"context"
	"errors"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// TestFuncCalls memoizes functions of many shapes through Func and Wrap and
// checks that each computes once.
func TestFuncCalls(t *testing.T) {
	ctx := context.Background()
	c := openCache(t)
	computed := 0
	spec := func() memo.Spec { return memo.Spec{Name: "f", Version: "1"} }

	plain, err := memo.Func(c, spec(), func(x float64) float64 { computed++; return 2 * x })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := plain.Call(1.5); got != 3 {
			t.Errorf("plain: %v", got)
		}
	}
	withContext, err := memo.Func(c, memo.Spec{Name: "context"}, func(ctx context.Context, x *mat.Dense, k int) (*mat.Dense, []float64, error) {
		computed++
		return mat.DenseCopyOf(x), make([]float64, k), ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		m, v, err := withContext.Call(ctx, dense(2, 2), 3)
		if err != nil || !mat.Equal(m, dense(2, 2)) || len(v) != 3 {
			t.Error(m, v, err)
		}
	}
	variadic, err := c.Wrap(memo.Spec{Name: "variadic"}, func(names ...string) (int, error) { computed++; return len(names), nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := variadic.(func(...string) (int, error))("a", "b"); n != 2 || err != nil {
			t.Error(n, err)
		}
	}
	if computed != 3 {
		t.Errorf("computed %d times, want 3", computed)
	}
	if s := c.Stats(); s.Hits != 3 || s.Misses != 3 || s.Faults != 0 || s.Shared != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestErrorsAreNotCached(t *testing.T) {
	c := openCache(t)
	broken := errors.New("broken")
	calls := 0
	f, err := memo.Func(c, memo.Spec{Name: "f"}, func(x int) ([]int, error) {
		if calls++; calls == 1 {
			return []int{x, -1}, broken
		}
		return []int{x}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Call(1); !errors.Is(err, broken) || len(got) != 2 {
		t.Errorf("first call: %v, %v; the results beside an error are passed on", got, err)
	}
	if ok, err := f.Has(1); ok || err != nil {
		t.Error("an error was cached", err)
	}
	for range 2 {
		if got, err := f.Call(1); err != nil || len(got) != 1 {
			t.Error(got, err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

func TestFuncRefuses(t *testing.T) {
	c := openCache(t)
	var nilFunc func(int) int
	for name, test := range map[string]struct {
		fn   any
		want error
	}{
		"nil":                     {nil, memo.ErrUnsupported},
		"no function":             {3, memo.ErrUnsupported},
		"nil function":            {nilFunc, memo.ErrNil},
		"no result":               {func(int) {}, memo.ErrUnsupported},
		"only an error":           {func(int) error { return nil }, memo.ErrUnsupported},
		"channel":                 {func(chan int) int { return 0 }, memo.ErrUnsupported},
		"context later":           {func(int, context.Context) int { return 0 }, nil}, // an interface shows at the call
		"hidden field":            {func(hidden) int { return 0 }, memo.ErrUnsupported},
		"hidden field, inside":    {func(map[string][]*hidden) int { return 0 }, memo.ErrUnsupported},
		"interface result":        {func() any { return 0 }, memo.ErrUnsupported},
		"matrix interface result": {func() mat.Matrix { return nil }, memo.ErrUnsupported},
		"matrix by value":         {func() mat.Dense { return mat.Dense{} }, memo.ErrUnsupported},
		//lint:ignore ST1008 an error that is not last is what is refused
		"error not last":        {func() (error, int) { return nil, 0 }, memo.ErrUnsupported},
		"foreign matrix":        {func() mat.Transpose { return mat.Transpose{} }, memo.ErrUnsupported},
		"keyer result":          {func() keyer { return keyer{} }, memo.ErrUnsupported},
		"function result":       {func() func() { return nil }, memo.ErrUnsupported},
		"pointer to pointer":    {func() **int { return nil }, memo.ErrUnsupported},
		"field left out":        {func() struct{ A, B int } { return struct{ A, B int }{} }, nil},
		"field left out by tag": {func() Grid { return Grid{} }, memo.ErrUnsupported},
		"recursive type":        {func(*node) *node { return nil }, nil},
	} {
		_, err := c.Wrap(memo.Spec{Name: "f"}, test.fn)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
	}
	if _, err := c.Wrap(memo.Spec{}, func() int { return 0 }); !errors.Is(err, memo.ErrArguments) {
		t.Error("a function without a name:", err)
	}
	var none *memo.Cache
	if _, err := memo.Func(none, memo.Spec{Name: "f"}, func() int { return 0 }); !errors.Is(err, memo.ErrNil) {
		t.Error("a nil cache:", err)
	}
	if _, err := memo.Do(context.Background(), none, key(), func(context.Context) (int, error) { return 0, nil }); !errors.Is(err, memo.ErrNil) {
		t.Error("Do with a nil cache:", err)
	}
	if _, err := memo.Do(context.Background(), c, key(), func(context.Context) (any, error) { return 0, nil }); !errors.Is(err, memo.ErrUnsupported) {
		t.Error("Do with an interface result:", err)
	}
}

func TestVerbsTakeTheCallsArguments(t *testing.T) {
	c := openCache(t)
	f, err := memo.Func(c, memo.Spec{Name: "f", Version: "1"}, func(_ context.Context, x []float64, by float64, n uint8, name label, rest ...int32) (int, error) {
		return len(rest), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1}
	if _, err := f.Call(context.Background(), x, 2, 3, "n", 4, 5); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]any{
		{x, 2.0, uint8(3), label("n"), int32(4), int32(5)},
		{x, 2, 3, "n", 4, 5},
		{context.Background(), x, float32(2), 3.0, "n", uint64(4), 5},
	} {
		if ok, err := f.Has(args...); !ok || err != nil {
			t.Errorf("Has(%v): %v, %v", args, ok, err)
		}
	}
	for _, args := range [][]any{
		{x, 2, 3, "n", 4}, {x, 2, 3, "n"}, {nil, 2, 3, "n", 4, 5}, {[]float64{2}, 2, 3, "n", 4, 5}, {x, -2, 3, "n", 4, 5},
	} {
		if ok, err := f.Has(args...); ok || err != nil {
			t.Errorf("Has(%v): %v, %v", args, ok, err)
		}
	}
	for _, args := range [][]any{
		{}, {x}, {x, "2", 3, "n"}, {x, 2, 256, "n"}, {x, 2, -1, "n"}, {x, 2, 2.5, "n"}, {x, 2, 3, 4}, {x, nil, 3, "n"},
		{x, 2, 3, "n", int64(1 << 40)}, {x, 2i, 3, "n"}, {[]int{1}, 2, 3, "n"}, {x, true, 3, "n"},
	} {
		if _, err := f.Has(args...); !errors.Is(err, memo.ErrArguments) {
			t.Errorf("Has(%v): %v, want ErrArguments", args, err)
		}
		if _, err := f.Key(args...); !errors.Is(err, memo.ErrArguments) {
			t.Errorf("Key(%v): %v, want ErrArguments", args, err)
		}
		if err := f.Forget(args...); !errors.Is(err, memo.ErrArguments) {
			t.Errorf("Forget(%v): %v, want ErrArguments", args, err)
		}
	}
	if err := f.Forget(x, 2, 3, "n", 4, 5); err != nil {
		t.Fatal(err)
	}
	if ok, _ := f.Has(x, 2, 3, "n", 4, 5); ok {
		t.Error("forgotten, yet there")
	}
}
