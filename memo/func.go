package memo

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Spec names a function to the cache. Names are given, not found: a function made
// at run time has none, and a name in the source may change.
type Spec struct {
	// Name identifies the function among all that use the cache, in any
	// language. It must not be empty. A path such as "imaging/pca" keeps
	// programs that share a cache apart.
	Name string

	// Version says which behaviour of the function it is. Change it whenever
	// the function would return something else for the same arguments; results
	// of other versions stay.
	Version string
}

// Function is a memoized function of type F. It may be called from several
// goroutines.
type Function[F any] struct {
	// Call is the memoized function: it takes and returns what the function
	// does. See [Do] for what it promises.
	Call F

	function *function
}

// Func memoizes fn in c. The arguments and results of fn must be of types that
// FORMAT.md lists, else the error is [ErrUnsupported]; it needs one result at
// least. A leading context.Context is handed on and is no part of the key; an
// error as the last result is passed on and never cached, nor are the results
// beside it. Without one, faults of the cache reach only the log and the
// counters, and the call does not end with its context.
//
// fn should depend on nothing but its arguments, its name and its version:
// variables that it captures are not part of the key. It should do nothing but
// return its results: a hit changes no argument, writes no file and prints nothing.
func Func[F any](c *Cache, spec Spec, fn F) (*Function[F], error) {
	f, err := newFunction(c, spec, reflect.ValueOf(fn))
	if err != nil {
		return nil, err
	}
	return &Function[F]{Call: f.memoized().Interface().(F), function: f}, nil
}

// Has reports whether the cache holds the results of a call with these arguments.
// They are those of Call, the context optional. Arguments that do not fit are
// [ErrArguments].
func (f *Function[F]) Has(args ...any) (bool, error) {
	ctx, k, err := f.function.bind(args)
	if err != nil {
		return false, err
	}
	return f.function.cache.Has(ctx, k)
}

// Key returns the key of a call with these arguments; see [Function.Has].
func (f *Function[F]) Key(args ...any) (Key, error) {
	_, k, err := f.function.bind(args)
	return k, err
}

// Forget removes the results of the call with these arguments; see
// [Function.Has].
func (f *Function[F]) Forget(args ...any) error {
	ctx, k, err := f.function.bind(args)
	if err != nil {
		return err
	}
	return f.function.cache.Forget(ctx, k)
}

// Wrap is [Func] for interpreters that skip generic functions: it returns a
// function of fn's own type, as any.
//
//	f, err := c.Wrap(memo.Spec{Name: "gram", Version: "2"}, gram)
//	gram := f.(func(*mat.Dense) (*mat.Dense, error))
func (c *Cache) Wrap(spec Spec, fn any) (any, error) {
	f, err := newFunction(c, spec, reflect.ValueOf(fn))
	if err != nil {
		return nil, err
	}
	return f.memoized().Interface(), nil
}

// function is a function whose signature was checked.
type function struct {
	cache   *Cache
	spec    Spec
	fn      reflect.Value
	params  []reflect.Type // without the context
	results []reflect.Type // without the error
	takes   bool           // a context first
	fails   bool           // an error last
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

func newFunction(c *Cache, spec Spec, fn reflect.Value) (*function, error) {
	switch {
	case c == nil:
		return nil, fmt.Errorf("%w cache", ErrNil)
	case spec.Name == "":
		return nil, fmt.Errorf("%w: Spec.Name is empty; name the function", ErrArguments)
	case !fn.IsValid() || fn.Kind() != reflect.Func:
		return nil, fmt.Errorf("%w: %s is to memoize a function, not a value of another type", ErrUnsupported, spec.Name)
	case fn.IsNil():
		return nil, fmt.Errorf("%w function %s", ErrNil, spec.Name)
	}
	f := &function{cache: c, spec: spec, fn: fn}
	t := fn.Type()
	for i := range t.NumIn() {
		p := t.In(i)
		if i == 0 && p == contextType {
			f.takes = true
			continue
		}
		if err := checkArgument(p); err != nil {
			return nil, fmt.Errorf("function %s, argument %d: %w", spec.Name, len(f.params), err)
		}
		f.params = append(f.params, p)
	}
	for i := range t.NumOut() {
		r := t.Out(i)
		if i == t.NumOut()-1 && r == errorType {
			f.fails = true
			continue
		}
		if err := checkResult(r); err != nil {
			return nil, fmt.Errorf("function %s, result %d: %w", spec.Name, i, err)
		}
		f.results = append(f.results, r)
	}
	if len(f.results) == 0 {
		return nil, fmt.Errorf("%w: function %s has no result to cache", ErrUnsupported, spec.Name)
	}
	return f, nil
}

// memoized returns the function of the same type that goes through the cache.
func (f *function) memoized() reflect.Value {
	return reflect.MakeFunc(f.fn.Type(), func(in []reflect.Value) []reflect.Value {
		began := time.Now()
		ctx := context.Background()
		args := in
		if f.takes {
			if given, ok := in[0].Interface().(context.Context); ok {
				ctx = given
			}
			args = in[1:]
		}
		keyContext := ctx
		if !f.fails {
			keyContext = context.WithoutCancel(ctx)
		}
		k := f.key(keyContext, args)
		if err := keyContext.Err(); err != nil {
			return f.out(nil, err)
		}
		k = k.withSum()
		values, err := f.cache.do(ctx, k, f.results, f.fails, computation{
			began:     began,
			call:      func(ctx context.Context) ([]reflect.Value, error) { return f.compute(ctx, args) },
			unchanged: func() bool { return f.key(context.Background(), args).Digest() == k.Digest() },
		})
		return f.out(values, err)
	})
}

// key returns the key of a call.
func (f *function) key(ctx context.Context, args []reflect.Value) Key {
	k := NewKey(f.spec.Name, f.spec.Version)
	for _, a := range args {
		k = k.add(ctx, a)
	}
	return k
}

// compute calls the function itself.
func (f *function) compute(ctx context.Context, args []reflect.Value) ([]reflect.Value, error) {
	in := args
	if f.takes {
		in = append([]reflect.Value{reflect.ValueOf(&ctx).Elem()}, args...)
	}
	var out []reflect.Value
	if f.fn.Type().IsVariadic() {
		out = f.fn.CallSlice(in)
	} else {
		out = f.fn.Call(in)
	}
	if !f.fails {
		return out, nil
	}
	last := len(out) - 1
	err, _ := out[last].Interface().(error)
	return out[:last], err
}

// out lays the results out as the function's type has them. A call that ended
// without results has zero values.
func (f *function) out(values []reflect.Value, err error) []reflect.Value {
	out := slices.Clone(values)
	for i := len(out); i < len(f.results); i++ {
		out = append(out, reflect.Zero(f.results[i]))
	}
	if f.fails {
		out = append(out, reflect.ValueOf(&err).Elem())
	}
	return out
}
