package memo

import (
	"fmt"
	"testing"
)

// TestFunctionText finds functions by their lines, and compares their texts with those
// of others.
func TestFunctionText(t *testing.T) {
	text := func(function string) string {
		return functionText(fmt.Appendf(nil, "package p\n\nvar before = 1\n%s\nvar after = 2\n", function), 4, false)
	}
	const base = "func f(a int, g func() struct{ x interface{ M() } }) int { if a > 0 { return 1 }; return 2 }"
	for function, same := range map[string]bool{
		base:                          true,
		base + " // and a comment":    true,
		base + "; var x = 3":          true,
		"var _ = 1; " + base:          true,
		"/* nothing */ " + base:       true,
		"  " + base + "\nfunc g() {}": true,
		"func f(\n\ta int, // one\n\tg func() struct{ x interface{ M() } },\n) int {\n\tif a > 0 {\n\t\treturn 1\n\t}\n\treturn 2\n}": true,
		"func f(b int, g func() struct{ x interface{ M() } }) int { if a > 0 { return 1 }; return 2 }":                                false,
		"func f(a int, g func() struct{ x interface{ M() } }) int { if a > 0 { return 1 }; return 3 }":                                false,
		"func f(a int, g func() struct{ x interface{ N() } }) int { if a > 0 { return 1 }; return 2 }":                                false,
		"func f(a int, g func() struct{ x interface{ M() } }) int { if a > 0 { return 1 } }":                                          false,
	} {
		got := text(function)
		if got == "" || (got == text(base)) != same {
			t.Errorf("%q: same as %q is %t, want %t", function, base, !same, same)
		}
	}
	results := "func f() struct{ x int } { return struct{ x int }{%d} }"
	if text(fmt.Sprintf(results, 1)) == text(fmt.Sprintf(results, 2)) {
		t.Error("the braces of a type end the function")
	}
	for _, none := range []string{"", "var x = 1", "type f func()", "func f() {", "func (", "var s = \"func f() {}\"", "\x00", "func f() { \"", "var f func(int) = g"} {
		if got := text(none); got != "" {
			t.Errorf("%q has the digest %s", none, got)
		}
	}
	for _, line := range []int{-1, 0, 100} {
		if got := functionText([]byte(base), line, false); got != "" {
			t.Errorf("line %d has the digest %s", line, got)
		}
	}
}

// TestTextAround finds functions whose code begins below their first line, and literals.
func TestTextAround(t *testing.T) {
	source := []byte(`package p

func outer() {
	call(func() { one() }, func() { two() })
	call(
		func() {
			three()
		})
}
`)
	text := func(s string) string { return functionText([]byte(s), 1, false) }
	outer := functionText(source, 3, false)
	for _, tc := range []struct {
		line    int
		literal bool
		want    string
	}{
		{4, false, outer},
		{7, false, outer},
		{4, true, text("func() { one() }")},
		{6, true, text("func() { three() }")},
		{7, true, text("func() { three() }")},
	} {
		if got := functionText(source, tc.line, tc.literal); got == "" || got != tc.want {
			t.Errorf("line %d, literal %t: %s, want %s", tc.line, tc.literal, got, tc.want)
		}
	}
	for name, want := range map[string]bool{
		"main.main": false, "example.com/a.func1/p.f": false, "p.(*T).funcs": false, "p.f.func1": true, "p.init.func2": true, "p.f.func1.2": true, "p.glob..func1": true,
	} {
		if got := isLiteral(name); got != want {
			t.Errorf("%s is a literal: %t", name, got)
		}
	}
}

func TestSourcesAreBounded(t *testing.T) {
	sources := map[string]string{}
	for i := range maxSources + 10 {
		sources = remember(sources, fmt.Sprint(i), "text")
	}
	if len(sources) != 10 || sources[fmt.Sprint(maxSources+9)] == "" {
		t.Errorf("%d texts are remembered", len(sources))
	}
}
