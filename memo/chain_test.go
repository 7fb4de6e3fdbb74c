package memo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

// TestResultsAsArguments gives results of all types to another function, by value and
// by reference, from a folder, from memory and from no cache at all: the keys are the
// same, and so is what the function gets.
func TestResultsAsArguments(t *testing.T) {
	caches := map[string]*memo.Cache{
		"folder": openIn(t, t.TempDir(), nil),
		"memory": openIn(t, "", &memo.Options{Memory: &memo.Memory{}}),
		"none":   openIn(t, "", nil),
	}
	g := &maker{rand.New(rand.NewPCG(7, 8)), t}
	types := []reflect.Type{reflect.TypeFor[*mat.Dense](), reflect.TypeFor[string](), reflect.TypeFor[[]byte]()}
	for typ := range speciesOf {
		types = append(types, typ)
	}
	for range 100 {
		types = append(types, g.typ(true, 2))
	}
	linked := 0
	for i, typ := range types {
		value := g.value(typ)
		if i == 1 {
			value = reflect.ValueOf(strings.Repeat("long ", 2000))
		}
		version := fmt.Sprint(i, typ)
		returns := reflect.MakeFunc(reflect.FuncOf([]reflect.Type{reflect.TypeFor[int]()}, []reflect.Type{reflect.TypeFor[bool](), typ}, false),
			func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(true), value} })
		var got reflect.Value
		takes := reflect.MakeFunc(reflect.FuncOf([]reflect.Type{typ}, []reflect.Type{reflect.TypeFor[int]()}, false),
			func(in []reflect.Value) []reflect.Value {
				got = in[0]
				return []reflect.Value{reflect.ValueOf(1)}
			})
		for name, c := range caches {
			first := must(c.Memoize(memo.Spec{Name: "returns", Version: version}, returns.Interface()))(t)
			second := must(c.Memoize(memo.Spec{Name: "takes", Version: version}, takes.Interface()))(t)
			result := must(first.Shelve(i))(t).Result(1)
			byValue := must(second.Key(value.Interface()))(t)
			byReference, err := second.Key(result)
			if err != nil || byValue.Digest() != byReference.Digest() {
				t.Fatalf("%s, %v: the key by value is %v, by reference %v (%v)", name, typ, byValue, byReference, err)
			}
			explicit := memo.NewKey("takes", version).Add(result)
			switch err := explicit.Err(); {
			case err == nil && explicit.Digest() == byValue.Digest():
				linked++
			case !errors.Is(err, memo.ErrUnsupported):
				t.Fatalf("%s, %v: Key.Add gives %v, %v", name, typ, explicit, err)
			}
			got = reflect.Value{}
			if _, err := second.Shelve(result); err != nil {
				t.Fatalf("%s, %v: %v", name, typ, err)
			}
			if !got.IsValid() || bitwise(got) != bitwise(value) {
				t.Fatalf("%s, %v: the function got %v, not %v", name, typ, got, value)
			}
			got = reflect.Value{}
			if _, err := second.Shelve(value.Interface()); err != nil || got.IsValid() == (name != "none") {
				t.Fatalf("%s, %v: by value after by reference: called %v, %v", name, typ, got.IsValid(), err)
			}
		}
	}
	if linked < 2*len(speciesOf) {
		t.Errorf("only %d results were in explicit keys", linked)
	}
}

// chainOf memoizes a source, and a step that adds 1.
func chainOf(t testing.TB, c *memo.Cache) (source, step *memo.Memoized, computed *int) {
	computed = new(int)
	source = memoize(t, c, memo.Spec{Name: "source"}, func(n int) (*mat.Dense, error) {
		*computed++
		return mat.NewDense(n, n, make([]float64, n*n)), nil
	}).Memoized
	step = memoize(t, c, memo.Spec{Name: "step"}, func(_ context.Context, m *mat.Dense) (*mat.Dense, error) {
		*computed++
		m.Apply(func(_, _ int, v float64) float64 { return v + 1 }, m) // it may: the argument is its own
		return m, nil
	}).Memoized
	return source, step, computed
}

// runChain runs ten steps and returns the last one's reference.
func runChain(t testing.TB, source, step *memo.Memoized, n int) memo.Ref {
	t.Helper()
	ref := must(source.Shelve(n))(t)
	for range 10 {
		ref = must(step.Shelve(ref))(t)
	}
	return ref
}

// TestNoChangeFoolsAChain changes everything that a holder of results can reach: the
// next call sees what is stored, never that.
func TestNoChangeFoolsAChain(t *testing.T) {
	dir := t.TempDir()
	c := openIn(t, dir, &memo.Options{Memory: &memo.Memory{}})
	source, step, computed := chainOf(t, c)
	check := func(what string, wantComputed int) {
		t.Helper()
		*computed = 0
		var m *mat.Dense
		if err := runChain(t, source, step, 4).Get(t.Context(), &m); err != nil || m.At(3, 3) != 10 || m.At(0, 0) != 10 {
			t.Errorf("%s: WRONG: %v, %v", what, m, err)
		}
		if *computed != wantComputed {
			t.Errorf("%s: computed %d times, not %d", what, *computed, wantComputed)
		}
	}
	check("at first", 11)
	check("again", 0)
	first := must(source.Shelve(4))(t)
	var m *mat.Dense
	if err := first.Get(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	m.Set(0, 0, 5)
	check("a write through gonum", 0)
	m.RawMatrix().Data[15] = 7
	check("a write through the slice", 0)
	alias, done := m.Slice(0, 2, 0, 2).(*mat.Dense), make(chan struct{})
	go func() {
		defer close(done)
		for i := range 1000 {
			alias.Set(1, 1, float64(i))
		}
	}()
	check("writes from another goroutine", 0)
	<-done
	file, err := first.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	check("after a view was closed", 0)

	// A matrix that was changed is another argument.
	*computed = 0
	var changed *mat.Dense
	if err := must(step.Shelve(m))(t).Get(t.Context(), &changed); err != nil || changed.At(0, 0) != 6 || *computed != 1 {
		t.Errorf("WRONG for the changed matrix: %v, %v", changed, err)
	}
	// One that was computed anew is what the next step gets.
	other := memoize(t, c, memo.Spec{Name: "source"}, func(n int) (*mat.Dense, error) {
		return mat.NewDense(n, n, append(make([]float64, n*n-1), 90)), nil
	})
	if _, err := other.Refresh(4); err != nil {
		t.Fatal(err)
	}
	var last *mat.Dense
	if err := runChain(t, source, step, 4).Get(t.Context(), &last); err != nil || last.At(3, 3) != 100 {
		t.Errorf("WRONG after a refresh: %v, %v", last, err)
	}
}

// TestChainArguments gives references that do not fit.
func TestChainArguments(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	source, step, computed := chainOf(t, c)
	two := memoize(t, c, memo.Spec{Name: "two"}, func(n int) (int, *mat.VecDense, error) { return n, mat.NewVecDense(1, nil), nil })
	ref := must(two.Shelve(1))(t)
	for what, test := range map[string]struct {
		argument any
		want     error
	}{
		"two results":     {ref, memo.ErrArguments},
		"no such result":  {ref.Result(2), memo.ErrArguments},
		"a negative one":  {ref.Result(-5), memo.ErrArguments},
		"another kind":    {ref.Result(0), memo.ErrArguments},
		"another shape":   {ref.Result(1), memo.ErrArguments},
		"the zero Ref":    {memo.Ref{}, memo.ErrNotFound},
		"the zero Result": {memo.Result{}, memo.ErrNotFound},
		"no cache":        {ref.In(nil).Result(1), memo.ErrNil},
		"never computed":  {c.Ref(memo.NewKey("f", "").Add(1)), memo.ErrNotFound},
	} {
		if _, err := step.Shelve(test.argument); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", what, err, test.want)
		}
	}
	if k := memo.NewKey("f", "").Add(ref.Result(0)); !errors.Is(k.Err(), memo.ErrUnsupported) {
		t.Errorf("a number in an explicit key: %v", k.Err())
	}
	// What is gone is an error, and no step computes from anything else.
	first := must(source.Shelve(3))(t)
	if err := first.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	*computed = 0
	if _, err := step.Shelve(first); !errors.Is(err, memo.ErrNotFound) || *computed != 0 {
		t.Errorf("from a forgotten result: %v, computed %d times", err, *computed)
	}
	// An interface takes a matrix.
	trace := memoize(t, c, memo.Spec{Name: "trace"}, func(m mat.Matrix) (float64, error) { return m.At(0, 0), nil })
	if _, err := trace.Shelve(must(source.Shelve(2))(t)); err != nil {
		t.Error(err)
	}
}
