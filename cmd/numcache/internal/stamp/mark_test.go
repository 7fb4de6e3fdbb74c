package stamp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestMarks holds what can be marked, and which names the constants get.
func TestMarks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "m", "", map[string]string{
		"go.mod": "module m\n\ngo 1.25\n",
		"a.go": `package m

//numcache:stamp
func plain() {}

// Documented is documented.
//
//numcache:stamp
func Documented() {}

//numcache:stamp Named
func other() {}

type box[T any] struct{ t T }

//numcache:stamp
func (b *box[T]) method() {}

//numcache:stamp
func generic[T any]() {}

//numcache:stamp
var variable = func() {}

var (
	//numcache:stamp
	grouped = func() {}
	not     = func() {}
)

func call(...any) func() { return nil }

func within() any {
	//numcache:stamp
	local := func() {}
	//numcache:stamp Argument
	f := call("a", func() {})
	g := call(
		func() {},
		//numcache:stamp Second
		func() { func() {}() },
	)
	//numcache:stamp Returned
	return call(local, f, g, func() {})
}

// The words //numcache:stamp in a text are no mark, nor is
//numcache:stamped
func unmarked() { _ = "//numcache:stamp" }
`,
	})
	s, err := Compute(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range s.Functions {
		got = append(got, f.Name+" "+f.Function)
	}
	want := []string{
		"Argument the function literal in m.within", "BoxMethod m.box.method", "Documented m.Documented", "Generic m.generic",
		"Grouped grouped in m", "Local local in m.within", "Named m.other", "Plain m.plain", "Returned the function literal in m.within",
		"Second the function literal in m.within", "Variable variable in m",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestBadMarks has marks on what is no function.
func TestBadMarks(t *testing.T) {
	for source, want := range map[string]string{
		"//numcache:stamp\ntype t int":                                     "a.go:3:1: //numcache:stamp stands above code with 0 function literals; put it above one function",
		"//numcache:stamp\nconst c = 1":                                    "a.go:3:1: //numcache:stamp stands above code with 0 function literals; ",
		"//numcache:stamp\nvar v = 1":                                      "a.go:3:1: //numcache:stamp stands above code with 0 function literals; ",
		"//numcache:stamp\nvar v, w = func() {}, func() {}":                "a.go:3:1: //numcache:stamp stands above code with 2 function literals; ",
		"//numcache:stamp\n\nfunc f() {}":                                  "a.go:3:1: //numcache:stamp marks no function; put it on the line above one",
		"func f() {}\n\n//numcache:stamp":                                  "a.go:5:1: //numcache:stamp marks no function; ",
		"func f() { //numcache:stamp\n}":                                   "a.go:3:12: //numcache:stamp marks no function; ",
		"func f() {\n\t//numcache:stamp\n\t_ = func() {}\n}":               "a.go:4:2: the function literal has no name; give one: //numcache:stamp NAME",
		"//numcache:stamp lower\nfunc f() {}":                              `a.go:3:1: "lower" is no exported name; `,
		"//numcache:stamp Two Words\nfunc f() {}":                          `a.go:3:1: "Two Words" is no exported name; `,
		"//numcache:stamp\nfunc _() {}":                                    `a.go:3:1: "_" is no exported name; `,
		"//numcache:stamp\nfunc f() {}\n\n//numcache:stamp F\nfunc g() {}": "a.go:6:1: F is the name of m.f too, at a.go:3:1; give one of them another: //numcache:stamp NAME",
		"func f() {}":                       "no function is marked; put //numcache:stamp above those to stamp",
		"//numcache:stamp\nfunc f() int {}": "a.go:4:15: missing return",
		"//numcache:stamp\nfunc f() { undefined() }\nfunc g() { undefined() }": "a.go:4:12: undefined: undefined (and 1 more)",
		"import \"m/nosuch\"\n\n//numcache:stamp\nfunc f() { nosuch.F() }":     "a.go:3:8: ",
		"//numcache:stamp\nfunc f() { return":                                  "a.go:4:19: ",
	} {
		dir := t.TempDir()
		write(t, dir, "n", "", map[string]string{"go.mod": "module m\n\ngo 1.25\n", "a.go": fmt.Sprintf("package m\n\n%s\n", source)})
		_, err := Compute(t.Context(), Options{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", source, err, want)
		}
	}
	if _, err := Compute(t.Context(), Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "go") {
		t.Errorf("without a module: %v", err)
	}
}
