package parallel

import (
	"iter"
	"reflect"
)

// Source is what items come from: a slice, a sequence of any length, or a
// sequence of values and errors, such as [Stream] returns and as a reader of
// files may be. X is known from the function that takes the items, so that
// a Source is passed as it is:
//
//	parallel.Map(ctx, nil, xs, f)                  // xs is a []X
//	parallel.Map(ctx, nil, maps.Keys(m), f)        // iter.Seq[X]
//	parallel.Map(ctx, nil, file.Blocks(ctx, 0), f) // iter.Seq2[X, error]
//
// A sequence is walked in one goroutine, and not in the caller's unless there is
// only one worker. Its first error ends it, and is returned as it is once the
// items before it are through. The call returns only when the sequence
// has returned from its yield function: a sequence that may wait for long should
// watch a context itself.
type Source[X any] interface {
	~[]X | ~func(yield func(X) bool) | ~func(yield func(X, error) bool)
}

// sliceOf returns xs if it is a slice.
func sliceOf[X any, S Source[X]](xs S) ([]X, bool) {
	if s, ok := any(xs).([]X); ok {
		return s, true
	}
	return as[[]X](xs)
}

// sequenceOf returns xs as a sequence; nil is an empty one.
func sequenceOf[X any, S Source[X]](xs S) iter.Seq2[X, error] {
	if s, ok := sliceOf[X](xs); ok {
		return withoutErrors(func(yield func(X) bool) {
			for _, x := range s {
				if !yield(x) {
					return
				}
			}
		})
	}
	if s, ok := as[func(func(X, error) bool)](xs); ok {
		if s == nil {
			s = func(func(X, error) bool) {}
		}
		return s
	}
	s, _ := as[func(func(X) bool)](xs)
	if s == nil {
		s = func(func(X) bool) {}
	}
	return withoutErrors(s)
}

func withoutErrors[X any](xs iter.Seq[X]) iter.Seq2[X, error] {
	return func(yield func(X, error) bool) {
		for x := range xs {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// as converts v to T where that is v's underlying type. A type switch would see
// T itself only, and not iter.Seq or another name of it.
func as[T, S any](v S) (t T, ok bool) {
	from, to := reflect.ValueOf(v), reflect.TypeFor[T]()
	if from.Kind() != to.Kind() || !from.CanConvert(to) {
		return t, false
	}
	return from.Convert(to).Interface().(T), true
}
