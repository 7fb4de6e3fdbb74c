package memo_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo"
)

// withMethods are the exported types of the package that have methods, but for
// interfaces.
var withMethods = []any{
	memo.Cache{}, memo.Error{}, memo.EventKind(0), memo.History{}, memo.Key{}, memo.Memoized{}, memo.Policy(0), memo.Record{}, memo.Ref{}, memo.Secret{}, memo.Value{},
}

// parsePackage parses the files of this package for which want is true, by name.
func parsePackage(t testing.TB, want func(name string) bool) map[string]*ast.File {
	t.Helper()
	parsed := map[string]*ast.File{}
	for _, name := range must(filepath.Glob("*.go"))(t) {
		if want(name) {
			parsed[name] = must(parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution))(t)
		}
	}
	return parsed
}

// methods returns the methods of the exported types in the package's source, such as
// "Cache.Has".
func methods(t testing.TB) (names []string) {
	for _, file := range parsePackage(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() {
				continue
			}
			receiver := f.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if name, ok := receiver.(*ast.Ident); ok && name.IsExported() {
				names = append(names, name.Name+"."+f.Name.Name)
			}
		}
	}
	return names
}

// TestNilAndZeroReceivers calls every exported method of the package on a zero value,
// and where it takes a pointer on a nil one, with arguments that are zero too. Nothing
// panics, and what is nil says so.
func TestNilAndZeroReceivers(t *testing.T) {
	called := map[string]bool{}
	for _, zero := range withMethods {
		typ := reflect.TypeOf(zero)
		onValue := map[string]bool{}
		for i := range typ.NumMethod() {
			onValue[typ.Method(i).Name] = true
		}
		pointer := reflect.PointerTo(typ)
		for i := range pointer.NumMethod() {
			method := pointer.Method(i)
			name := typ.Name() + "." + method.Name
			called[name] = true
			callWithZeros(t, "zero "+name, method, reflect.New(typ))
			// A method of the value itself cannot be called on a nil pointer in Go.
			if !onValue[method.Name] {
				callWithZeros(t, "nil "+name, method, reflect.Zero(pointer))
			}
		}
	}
	for _, name := range methods(t) {
		if !called[name] {
			t.Errorf("%s was not called; is its type in withMethods?", name)
		}
	}
	if len(called) < 40 {
		t.Errorf("only %d methods were found", len(called))
	}
}

// callWithZeros calls a method, ranges over the iterators it returns, and prints the rest.
func callWithZeros(t *testing.T, what string, method reflect.Method, receiver reflect.Value) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s panicked: %v", what, p)
		}
	}()
	in := []reflect.Value{receiver}
	for i := 1; i < method.Type.NumIn(); i++ {
		in = append(in, reflect.Zero(method.Type.In(i)))
	}
	var out []reflect.Value
	if method.Type.IsVariadic() {
		out = method.Func.CallSlice(in)
	} else {
		out = method.Func.Call(in)
	}
	for _, v := range out {
		if v.Kind() == reflect.Func && v.Type().CanSeq2() && !v.IsNil() {
			for range v.Seq2() {
			}
			continue
		}
		_ = fmt.Sprintf("%v %+v", v, v)
	}
}

// TestFunctionOfNothing: the zero Function has no cache, and its verbs say so.
func TestFunctionOfNothing(t *testing.T) {
	var f memo.Function[func() int]
	if f.Call != nil || f.Refresh != nil || f.CallFunc() != nil || f.RefreshFunc() != nil {
		t.Error("the zero Function has functions")
	}
	var m memo.Memoized
	for name, verbs := range map[string]*memo.Memoized{"nil": f.Memoized, "zero": &m} {
		_, hasErr := verbs.Has()
		_, keyErr := verbs.Key()
		_, recordErr := verbs.Record()
		_, shelveErr := verbs.Shelve()
		_, clearErr := verbs.Clear(t.Context())
		for _, err := range []error{hasErr, keyErr, recordErr, shelveErr, clearErr, verbs.Forget()} {
			if !errors.Is(err, memo.ErrNil) {
				t.Errorf("%s: %v, want ErrNil", name, err)
			}
		}
	}
}
