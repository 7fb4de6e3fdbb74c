package memo

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
)

// Result is one result of a call, by reference. Where a [Memoized] verb or
// [Key.Add] takes an array, it takes one too, or the Ref of a call with one result:
// a chain of calls then hashes only what comes from outside, and reads only what a
// call that is computed needs.
//
// What stands in the key is the digest that the record has of the array. Nobody can
// write to what is stored; what is read from there is verified, and belongs to the
// function it is read for. So the shortcut needs no trust in those who hold arrays:
// an array that is given as such is hashed, always, wherever it came from.
type Result struct {
	ref   Ref
	index int
}

// Result returns the result with the given number, from 0, as an argument of another
// call.
func (r Ref) Result(i int) Result { return Result{r, i} }

// onlyResult stands for the one result of a call that must have no more.
const onlyResult = -1

// asResult returns the result that an argument refers to, and whether it does.
func asResult(x any) (Result, bool) {
	switch x := x.(type) {
	case Result:
		return x, true
	case Ref:
		return Result{x, onlyResult}, true
	}
	return Result{}, false
}

// link is an argument that is a stored array. It is read when a function needs it.
type link struct {
	result  Result
	record  *Record
	node    any          // the result as its record has it
	encoded argument     // the array as it stands in keys; nothing for a result of another kind
	as      reflect.Type // what the function takes
}

var linkType = reflect.TypeFor[*link]()

// linkOf returns v as a link, nil where it is another argument.
func linkOf(v reflect.Value) *link {
	if !v.IsValid() || v.Type() != linkType {
		return nil
	}
	return v.Interface().(*link)
}

// link looks up the record of a result that is in a folder.
func (x Result) link(ctx context.Context) (*link, error) {
	record, err := x.ref.Record(ctx)
	if err != nil {
		return nil, err
	}
	i, err := x.number(len(record.Results))
	if err != nil {
		return nil, err
	}
	l := &link{result: x, record: record}
	if l.node, err = decodeJSON(record.Results[i].raw); err != nil {
		return nil, err
	}
	if ref, ok := arrayRefOf(l.node); ok {
		l.encoded = argument{append([]byte{'a'}, ref.Digest.String()...), []arrayInfo{{dtype: ref.DType, shape: ref.Shape}}}
	}
	return l, nil
}

// number returns which of a call's results is meant.
func (x Result) number(results int) (int, error) {
	switch {
	case x.index == onlyResult && results == 1:
		return 0, nil
	case x.index == onlyResult:
		return 0, fmt.Errorf("%w: %s has %d results; say which with Ref.Result", ErrArguments, x.ref.function, results)
	case x.index < 0 || x.index >= results:
		return 0, fmt.Errorf("%w: %s has %d results, there is no result %d", ErrArguments, x.ref.function, results, x.index)
	}
	return x.index, nil
}

// argument returns a result as an argument of type t: a link where it is a stored
// array, else its value.
func (x Result) argument(ctx context.Context, t reflect.Type) (reflect.Value, error) {
	if err := x.ref.check(); err != nil {
		return reflect.Value{}, err
	}
	if t.Kind() == reflect.Interface && denseType.AssignableTo(t) {
		t = denseType
	}
	if x.ref.held != nil {
		v, err := x.heldValue()
		if err == nil && !v.Type().AssignableTo(t) {
			err = fmt.Errorf("%w: a %v is no %v", ErrArguments, v.Type(), t)
		}
		return v, err
	}
	l, err := x.link(ctx)
	if err != nil {
		return reflect.Value{}, err
	}
	l.as = t
	if info := infoOf(t); l.encoded.encoded != nil && (info.kind == kindArray || info.kind == kindNumbers) {
		return reflect.ValueOf(l), nil
	}
	return l.load(ctx)
}

var denseType = reflect.TypeFor[*mat.Dense]()

// heldValue returns a result that is in no folder, as the caller's own.
func (x Result) heldValue() (v reflect.Value, err error) {
	values, err := x.ref.held.get()
	if err != nil {
		return v, err
	}
	i, err := x.number(len(values))
	if err != nil {
		return v, err
	}
	own, err := cloneResults(values[i : i+1])
	if err != nil {
		return v, err
	}
	return own[0], nil
}

// load reads the result, verified, for a function of which it will be an argument.
func (l *link) load(ctx context.Context) (reflect.Value, error) {
	c := l.result.ref.cache
	s, release := c.use()
	defer release()
	v := reflect.New(l.as).Elem()
	if s == nil {
		return v, ErrClosed
	}
	d := resultDecoder{load: func(ref arrayRef) (array.Any, error) {
		return c.object(ctx, s, l.result.ref.callKey(), ref, l.record.checkOf(ref.Digest))
	}}
	err := d.value(l.node, v)
	switch {
	case errors.Is(err, errMismatch):
		err = fmt.Errorf("%w: a result of %s is no %v: %w", ErrArguments, l.record.Function, l.as, err)
	case isGone(err):
		err = fmt.Errorf("%w: a result of %s that is an argument; call it again: %w", ErrNotFound, l.record.Function, err)
	}
	return v, err
}

// follow returns arguments with what links refer to in their place.
func follow(ctx context.Context, args []reflect.Value) ([]reflect.Value, error) {
	followed := args
	for i, v := range args {
		l := linkOf(v)
		if l == nil {
			continue
		}
		if &followed[0] == &args[0] {
			followed = slices.Clone(args)
		}
		var err error
		if followed[i], err = l.load(ctx); err != nil {
			return nil, &linkError{fmt.Errorf("argument %d: %w", i, err)}
		}
	}
	return followed, nil
}

// linkError is an argument that could not be read. Others who make the same call have
// it at hand, and compute.
type linkError struct{ error }

func (e *linkError) Unwrap() error { return e.error }

// addResult returns the key with a stored array as one more argument.
func (k Key) addResult(x Result) Key {
	if k.Err() != nil {
		return k
	}
	v, err := x.keyed()
	if err != nil {
		k.err, k.summed = fmt.Errorf("argument %d: %w", k.count(), err), false
		return k
	}
	return k.add(context.Background(), v)
}

// keyed returns a result as a value for a key, which says nothing of types.
func (x Result) keyed() (v reflect.Value, err error) {
	if err := x.ref.check(); err != nil {
		return v, err
	}
	if x.ref.held != nil {
		return x.heldValue()
	}
	l, err := x.link(context.Background())
	if err == nil && l.encoded.encoded == nil {
		err = fmt.Errorf("%w: a result of %s that is no array; read it with Ref.Get and add its value", ErrUnsupported, l.record.Function)
	}
	return reflect.ValueOf(l), err
}
