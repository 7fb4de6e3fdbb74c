package memo_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/numcache/numcache/memo"
)

var (
	signatureCount = flag.Int("signatures", 300, "generated signatures for TestFuncWrapAndKeyAgree")
	signatureSeed  = flag.Uint64("signatureseed", 1, "seed of those signatures")
)

// signature is a generated function, and a call of it.
type signature struct {
	spec     memo.Spec
	typ      reflect.Type
	fn       reflect.Value
	takes    bool            // a context first
	args     []reflect.Value // without the context
	results  []reflect.Value // without the error, what fn returns
	computed int
}

// signature generates one. Its name is its own in the test's cache.
func (g *maker) signature(name string) *signature {
	s := &signature{spec: memo.Spec{Name: name, Version: g.text()}, takes: g.IntN(2) == 0}
	var in, out []reflect.Type
	if s.takes {
		in = append(in, reflect.TypeFor[context.Context]())
	}
	arguments := g.IntN(7)
	variadic := arguments > 0 && g.IntN(4) == 0
	for i := range arguments {
		t := g.typ(false, 3)
		switch last := i == arguments-1; {
		case variadic && last:
			t = reflect.SliceOf(t)
		case g.IntN(8) == 0:
			s.spec.Ignore = append(s.spec.Ignore, i)
			t = pick(g, append([]reflect.Type{t}, ignoredTypes...))
		}
		in = append(in, t)
		s.args = append(s.args, g.value(t))
	}
	for range 1 + g.IntN(3) {
		t := g.typ(true, 3)
		out = append(out, t)
		s.results = append(s.results, g.value(t))
	}
	returned := s.results
	if g.IntN(2) == 0 {
		out = append(out, reflect.TypeFor[error]())
		returned = append(slices.Clone(returned), reflect.Zero(reflect.TypeFor[error]()))
	}
	s.typ = reflect.FuncOf(in, out, variadic)
	s.fn = reflect.MakeFunc(s.typ, func([]reflect.Value) []reflect.Value { s.computed++; return returned })
	return s
}

// String writes the call down, as Go would where it can.
func (s *signature) String() string {
	return fmt.Sprintf("%v, name %q, version %.20q, ignored %v, arguments\n%.2000s", s.typ, s.spec.Name, s.spec.Version, s.spec.Ignore, bitwise(s.args...))
}

// explicit returns the key that is built argument by argument.
func (s *signature) explicit(args []reflect.Value) memo.Key {
	k := memo.NewKey(s.spec.Name, s.spec.Version)
	for i, a := range args {
		if !slices.Contains(s.spec.Ignore, i) {
			k = k.Add(a.Interface())
		}
	}
	return k
}

// noContext is what verb takes for a call without one.
var noContext context.Context

// verb returns the arguments as the verbs take them.
func (s *signature) verb(ctx context.Context, args []reflect.Value) (given []any) {
	if ctx != nil {
		given = append(given, ctx)
	}
	for i, a := range args {
		if s.typ.IsVariadic() && i == len(args)-1 {
			for j := range a.Len() {
				given = append(given, a.Index(j).Interface())
			}
			break
		}
		given = append(given, a.Interface())
	}
	return given
}

// call calls f, a function of the signature's type, and returns its results without
// the error.
func (s *signature) call(t testing.TB, f any, args []reflect.Value) []reflect.Value {
	t.Helper()
	if s.takes {
		args = append([]reflect.Value{reflect.ValueOf(t.Context())}, args...)
	}
	var out []reflect.Value
	if s.typ.IsVariadic() {
		out = reflect.ValueOf(f).CallSlice(args)
	} else {
		out = reflect.ValueOf(f).Call(args)
	}
	if len(out) > len(s.results) && !out[len(out)-1].IsNil() {
		t.Fatalf("the call failed: %v", out[len(out)-1])
	}
	return out[:len(s.results)]
}

// TestFuncWrapAndKeyAgree generates functions and calls of them. However a key is come
// by, from the verbs of Memoize, the calls of Func and Wrap, or argument by argument,
// it is the same; the second call is a hit and returns every bit of the first; an equal
// argument that lies otherwise in memory has the same key, and one with another bit
// another key.
func TestFuncWrapAndKeyAgree(t *testing.T) {
	var told memo.Event
	c := openIn(t, t.TempDir(), &memo.Options{Sync: memo.SyncNone, OnEvent: func(e memo.Event) {
		if told = e; e.Kind == memo.Fault {
			t.Errorf("fault: %v", e.Err)
		}
	}})
	relaid, flipped := 0, 0
	for i := range *signatureCount {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			g := &maker{rand.New(rand.NewPCG(*signatureSeed, uint64(i))), t}
			s := g.signature(fmt.Sprint("signature ", i))
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("-signatureseed %d, number %d: %v", *signatureSeed, i, s)
				}
			})
			m := must(c.Memoize(s.spec, s.fn.Interface()))(t)
			want := s.explicit(s.args)
			if want.Err() != nil {
				t.Fatalf("the explicit key: %v", want.Err())
			}
			checkKey := func(what string, args []reflect.Value, same bool) {
				t.Helper()
				var ctx context.Context
				if g.IntN(2) == 0 {
					ctx = t.Context() // which the verbs take whether the function does or not
				}
				k, explicit := must(m.Key(s.verb(ctx, args)...))(t), s.explicit(args)
				if k.Digest() != explicit.Digest() || (k.Digest() == want.Digest()) != same {
					t.Errorf("%s: the verb has key %v, the explicit key is %v, that of the call %v", what, k, explicit, want)
				}
			}
			checkKey("the call", s.args, true)
			checkHas(t, m, false, s.verb(noContext, s.args)...)

			doors := map[string]any{
				"Memoize": m.CallFunc(),
				"Wrap":    must(c.Wrap(s.spec, s.fn.Interface()))(t),
				"Func":    memoize[any](t, c, s.spec, s.fn.Interface()).Call,
			}
			stored := bitwise(s.results...)
			check := func(what string, kind memo.EventKind, f any, args []reflect.Value) {
				t.Helper()
				got := bitwise(s.call(t, f, args)...)
				if told.Kind != kind || told.Key != want.Digest() || s.computed != 1 {
					t.Errorf("%s: a %v of %v, computed %d times; want a %v of %v", what, told.Kind, told.Key, s.computed, kind, want)
				}
				if got != stored {
					t.Errorf("%s: WRONG result\n%.2000s\nwant\n%.2000s", what, got, stored)
				}
			}
			names := []string{"Memoize", "Wrap", "Func"}
			g.Shuffle(len(names), reflect.Swapper(names))
			check(names[0]+", first call", memo.Miss, doors[names[0]], s.args)
			for _, name := range names {
				check(name+", again", memo.Hit, doors[name], s.args)
			}

			checkHas(t, m, true, s.verb(noContext, s.args)...)
			if ok, err := c.Has(t.Context(), want); !ok || err != nil {
				t.Errorf("Has with the explicit key: %v, %v", ok, err)
			}
			if r := must(m.Record(s.verb(noContext, s.args)...))(t); r.Key != want.Digest() || len(r.Args) != len(s.args)-len(s.spec.Ignore) || len(r.Results) != len(s.results) {
				t.Errorf("record %+v", r)
			}
			into := make([]any, len(s.results))
			for i, r := range s.results {
				into[i] = reflect.New(r.Type()).Interface()
			}
			if err := c.Ref(want).Get(t.Context(), into...); err != nil {
				t.Errorf("by reference: %v", err)
			}
			got := make([]reflect.Value, len(into))
			for i, p := range into {
				got[i] = reflect.ValueOf(p).Elem()
			}
			if got := bitwise(got...); got != stored {
				t.Errorf("by reference: WRONG result\n%.2000s\nwant\n%.2000s", got, stored)
			}

			equal := make([]reflect.Value, len(s.args))
			for i, a := range s.args {
				if slices.Contains(s.spec.Ignore, i) {
					equal[i] = g.value(a.Type())
				} else {
					equal[i] = g.relayout(a)
					relaid++
				}
			}
			checkKey("in another layout", equal, true)
			check("in another layout", memo.Hit, doors[names[0]], equal)
			for i, a := range s.args {
				if slices.Contains(s.spec.Ignore, i) {
					continue
				}
				for range 4 {
					other, ok := g.flip(a)
					if !ok {
						break // it has no parts
					}
					flipped++
					args := slices.Clone(s.args)
					args[i] = other
					checkKey(fmt.Sprintf("argument %d is now %.500s", i, bitwise(other)), args, false)
				}
			}
		})
	}
	t.Logf("%d arguments relaid, %d flipped", relaid, flipped)
}
