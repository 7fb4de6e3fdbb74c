package memo

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// Function is a memoized function of type F. It may be called from several
// goroutines. The verbs of [Memoized] are its own too.
type Function[F any] struct {
	// Call is the memoized function: it takes and returns what the function
	// does. See [Do] for what it promises.
	Call F

	// Refresh computes, whatever the cache holds, and stores the results in
	// place of that; see [Refresh].
	Refresh F

	*Memoized
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
	m, err := newMemoized(c, spec, reflect.ValueOf(fn))
	if err != nil {
		return nil, err
	}
	return &Function[F]{Call: m.memoized(false).Interface().(F), Refresh: m.memoized(true).Interface().(F), Memoized: m}, nil
}

// Wrap is [Func] for interpreters that skip generic functions: it returns a
// function of fn's own type, as any. [Cache.Memoize] gives the other verbs.
//
//	f, err := c.Wrap(memo.Spec{Name: "gram", Version: "2"}, gram)
//	gram := f.(func(*mat.Dense) (*mat.Dense, error))
func (c *Cache) Wrap(spec Spec, fn any) (any, error) {
	m, err := newMemoized(c, spec, reflect.ValueOf(fn))
	if err != nil {
		return nil, err
	}
	return m.CallFunc(), nil
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	noError     = reflect.Zero(errorType)
)

func newMemoized(c *Cache, spec Spec, fn reflect.Value) (*Memoized, error) {
	switch {
	case c == nil:
		return nil, fmt.Errorf("%w cache", ErrNil)
	case !fn.IsValid() || fn.Kind() != reflect.Func:
		return nil, fmt.Errorf("%w: %s is to memoize a function, not a value of another type", ErrUnsupported, spec.Name)
	case fn.IsNil():
		return nil, fmt.Errorf("%w function %s", ErrNil, spec.Name)
	}
	t := fn.Type()
	f := &Memoized{cache: c, spec: spec, fn: fn, takes: t.NumIn() > 0 && t.In(0) == contextType}
	arguments := t.NumIn()
	if f.takes {
		arguments--
	}
	if err := spec.check(arguments); err != nil {
		return nil, err
	}
	f.spec.Ignore = slices.Clone(spec.Ignore)
	f.valid = spec.valid(c.now)
	for i := range t.NumIn() {
		p := t.In(i)
		if i == 0 && f.takes {
			continue
		}
		if err := checkArgument(p); err != nil && !spec.ignores(len(f.params)) {
			return nil, fmt.Errorf("function %s, argument %d: %w; or leave it out of the key with Spec.Ignore", spec.Name, len(f.params), err)
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
	c.warnStale(spec, fn)
	return f, nil
}

// memoized returns the function of the same type that goes through the cache, or
// with refresh set passes it by to renew what it holds.
func (f *Memoized) memoized(refresh bool) reflect.Value {
	return reflect.MakeFunc(f.fn.Type(), func(in []reflect.Value) []reflect.Value {
		ctx := context.Background()
		args := in
		if f.takes {
			if given, ok := in[0].Interface().(context.Context); ok {
				ctx = given
			}
			args = in[1:]
		}
		values, err := f.call(ctx, args, refresh)
		return f.out(values, err)
	})
}

// call is a call with arguments of the function's own types.
func (f *Memoized) call(ctx context.Context, args []reflect.Value, refresh bool) ([]reflect.Value, error) {
	r := f.request(Key{}, args)
	r.refresh = refresh
	keyContext := ctx
	if !f.fails {
		keyContext = withoutCancel(ctx)
	}
	r.key = f.key(keyContext, args)
	if err := keyContext.Err(); err != nil {
		return nil, err
	}
	return f.cache.do(ctx, &r)
}

// request is the request of a call whose key is k.
func (f *Memoized) request(k Key, args []reflect.Value) request {
	return request{key: k, types: f.results, fails: f.fails, began: clock(), valid: f.valid, callee: f, args: args}
}

// unchanged implements callee.
func (f *Memoized) unchanged(k Key, args []reflect.Value) bool {
	return f.key(context.Background(), args).Digest() == k.Digest()
}

// key returns the key of a call.
func (f *Memoized) key(ctx context.Context, args []reflect.Value) Key {
	if len(f.spec.Ignore) > 0 {
		var counted []reflect.Value
		for i, a := range args {
			if !f.spec.ignores(i) {
				counted = append(counted, a)
			}
		}
		args = counted
	}
	return NewKey(f.spec.Name, f.spec.Version).add(ctx, args...)
}

// compute implements callee: it calls the function itself.
func (f *Memoized) compute(ctx context.Context, args []reflect.Value) ([]reflect.Value, error) {
	args, err := follow(ctx, args)
	if err != nil {
		return nil, err
	}
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
	err, _ = out[last].Interface().(error)
	return out[:last], err
}

// out lays the results out as the function's type has them, which are only read. A call
// that ended without results has zero values.
func (f *Memoized) out(values []reflect.Value, err error) []reflect.Value {
	if !f.fails && len(values) == len(f.results) {
		return values
	}
	out := make([]reflect.Value, len(f.results), len(f.results)+1)
	for i := copy(out, values); i < len(f.results); i++ {
		out[i] = reflect.Zero(f.results[i])
	}
	switch {
	case f.fails && err == nil:
		out = append(out, noError)
	case f.fails:
		failure := err // of which the reflection needs the address
		out = append(out, reflect.ValueOf(&failure).Elem())
	}
	return out
}
