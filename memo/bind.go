package memo

import (
	"context"
	"fmt"
	"reflect"
)

// bind makes the request of a call whose arguments are given as they would be to
// the function itself, the context optional.
func (f *Memoized) bind(args []any) (context.Context, *request, error) {
	ctx := context.Background()
	if f == nil || f.cache == nil {
		return ctx, nil, fmt.Errorf("%w memoized function", ErrNil)
	}
	if len(args) > 0 {
		if given, ok := args[0].(context.Context); ok {
			ctx, args = given, args[1:]
		}
	}
	values, err := f.arguments(orBackground(ctx), args)
	if err != nil {
		return ctx, nil, err
	}
	k := f.key(ctx, values)
	r := f.request(k.withSum(), values)
	return ctx, &r, k.Err()
}

// arguments converts args to the function's parameters, but for links.
func (f *Memoized) arguments(ctx context.Context, args []any) ([]reflect.Value, error) {
	fixed, variadic := len(f.params), f.fn.Type().IsVariadic()
	if variadic {
		fixed--
	}
	if len(args) < fixed || len(args) > fixed && !variadic {
		return nil, fmt.Errorf("%w: %s takes %d, given are %d", ErrArguments, f.spec.Name, fixed, len(args))
	}
	values := make([]reflect.Value, 0, len(f.params))
	for i, p := range f.params[:fixed] {
		var v reflect.Value
		var err error
		if r, ok := asResult(args[i]); ok {
			if v, err = r.argument(ctx, p); err != nil {
				return nil, fmt.Errorf("argument %d of %s: %w", i, f.spec.Name, err)
			}
		} else if v, err = convertArgument(args[i], p); err != nil {
			return nil, fmt.Errorf("%w: argument %d of %s: %w", ErrArguments, i, f.spec.Name, err)
		}
		values = append(values, v)
	}
	if !variadic {
		return values, nil
	}
	last := f.params[fixed]
	rest := reflect.MakeSlice(last, 0, len(args)-fixed)
	for i, arg := range args[fixed:] {
		v, err := convertArgument(arg, last.Elem())
		if err != nil {
			return nil, fmt.Errorf("%w: argument %d of %s: %w", ErrArguments, fixed+i, f.spec.Name, err)
		}
		rest = reflect.Append(rest, v)
	}
	return append(values, rest), nil
}

// convertArgument does with arg what the compiler would do with it in a call: a
// value of the type as it is, a number as the type where that holds it exactly.
func convertArgument(arg any, t reflect.Type) (reflect.Value, error) {
	v := reflect.ValueOf(arg)
	switch {
	case !v.IsValid():
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
			return reflect.Zero(t), nil
		}
		return v, fmt.Errorf("nil is no %v", t)
	case v.Type().AssignableTo(t):
		to := reflect.New(t).Elem()
		to.Set(v)
		return to, nil
	case isNumber(v.Type()) && isNumber(t):
		if to, ok := convertNumber(v, t); ok {
			return to, nil
		}
	case v.Kind() == t.Kind() && v.Type().ConvertibleTo(t) && v.Type().PkgPath() == "":
		return v.Convert(t), nil // such as a string where a named one is taken
	}
	if isNumber(v.Type()) {
		return v, fmt.Errorf("%v (%v) is no %v", arg, v.Type(), t)
	}
	return v, fmt.Errorf("a %v is no %v", v.Type(), t)
}

func isNumber(t reflect.Type) bool { return t.Kind() != reflect.Bool && numberType(t) != nil }

// convertNumber converts v to the numeric type t where that loses nothing.
func convertNumber(v reflect.Value, t reflect.Type) (reflect.Value, bool) {
	isComplex := func(t reflect.Type) bool { return t.Kind() == reflect.Complex64 || t.Kind() == reflect.Complex128 }
	if isComplex(t) && !isComplex(v.Type()) { // reflect does not convert between them
		f, ok := convertNumber(v, reflect.TypeFor[float64]())
		if !ok {
			return v, false
		}
		v = reflect.ValueOf(complex(f.Float(), 0))
	}
	if !v.CanConvert(t) {
		return v, false
	}
	to := v.Convert(t)
	if v.CanFloat() && v.Float() != v.Float() {
		return to, to.CanFloat() || isComplex(t)
	}
	if !to.Convert(v.Type()).Equal(v) {
		return v, false
	}
	// A round trip alone would let −1 pass for the largest uint64, and 2⁶³ for the
	// largest int64 where the processor saturates.
	switch {
	case v.CanInt() && to.CanUint():
		return to, v.Int() >= 0
	case v.CanUint() && to.CanInt():
		return to, to.Int() >= 0
	case v.CanFloat() && to.CanInt():
		return to, v.Float() < 1<<63
	case v.CanFloat() && to.CanUint():
		return to, v.Float() < 1<<64
	case v.CanInt() && to.CanFloat():
		return to, to.Float() < 1<<63
	case v.CanUint() && to.CanFloat():
		return to, to.Float() < 1<<64
	}
	return to, true
}
