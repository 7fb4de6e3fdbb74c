package memo_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo"
)

// filled returns a cache of 320 records, so many for the 256 folders of each function
// that some stand side by side.
func filled(t *testing.T) *memo.Cache {
	t.Helper()
	c := openIn(t, t.TempDir(), &memo.Options{Sync: memo.SyncNone})
	for _, name := range []string{"f", "g/h"} {
		f := memoize(t, c, memo.Spec{Name: name, Version: "1"}, func(n int, by string) int { return n })
		for n := range 160 {
			f.Call(n, "x")
		}
	}
	return c
}

// TestRecordsLookUpByArgument finds the calls that had one.
func TestRecordsLookUpByArgument(t *testing.T) {
	c := filled(t)
	found := map[string]bool{}
	n := 0
	last := ""
	for r, err := range c.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if order := r.Function + " " + r.Key.String(); order <= last {
			t.Errorf("%s comes after %s", order, last)
		} else {
			last = order
		}
		if n++; r.Args[0].String() == "42" && r.Args[1].String() == `"x"` {
			found[r.Function+" "+r.Results[0].String()] = true
		}
	}
	if n != 320 || len(found) != 2 || !found["f 42"] || !found["g/h 42"] {
		t.Errorf("of %d records: %v", n, found)
	}
}

func TestRecordsEndEarly(t *testing.T) {
	c := filled(t)
	n := 0
	for _, err := range c.Records(t.Context()) {
		if n++; err != nil || n == 5 {
			break
		}
	}
	if n != 5 {
		t.Errorf("%d records", n)
	}
}

// TestRecordsWhileTheyAreForgotten: the cache can be used, and changed, inside the loop.
func TestRecordsWhileTheyAreForgotten(t *testing.T) {
	c := filled(t)
	n := 0
	for r, err := range c.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		argument := must(strconv.Atoi(r.Args[0].String()))(t)
		if err := c.Forget(t.Context(), memo.NewKey(r.Function, r.Version).Add(argument).Add("x")); err != nil {
			t.Error(err)
		}
	}
	if left := files(t, c.Dir(), "calls"); n != 320 || len(left) > 0 {
		t.Errorf("%d records, all forgotten, and %d are left", n, len(left))
	}
}

// TestRecordsPassDamageOver: it comes as an error in its place, and the others follow.
func TestRecordsPassDamageOver(t *testing.T) {
	c := openIn(t, t.TempDir(), nil)
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) int { return n })
	f.Call(0)
	damaged := spoil(t, c.Dir(), "calls")
	for n := 1; n < 20; n++ {
		f.Call(n)
	}
	all := files(t, c.Dir(), "calls")
	if i := slices.Index(all, damaged); i == 0 || i == len(all)-1 {
		t.Fatalf("the damaged record is number %d of %d, not in the middle", i, len(all))
	}
	for range 2 { // it is left where it is
		n, broken := 0, 0
		for r, err := range c.Records(t.Context()) {
			var typed *memo.Error
			switch {
			case err == nil && r != nil:
				n++
			case errors.Is(err, memo.ErrDamaged) && errors.As(err, &typed) && r == nil && n > 0:
				broken++
				if !strings.HasSuffix(damaged, typed.Path[len("calls/"):]) {
					t.Errorf("the error names %s, not %s", typed.Path, damaged)
				}
			default:
				t.Error(r, err)
			}
		}
		if n != 19 || broken != 1 {
			t.Errorf("%d records and %d damaged, want 19 and 1", n, broken)
		}
	}
}

// TestRecordsEndWithTheirContext: the error comes once, as the last thing.
func TestRecordsEndWithTheirContext(t *testing.T) {
	c := filled(t)
	for _, after := range []int{0, 1, 2, 3, 100, 159, 160, 319} {
		ctx, cancel := context.WithCancel(t.Context())
		if after == 0 {
			cancel()
		}
		n, ended := 0, 0
		for r, err := range c.Records(ctx) {
			switch {
			case err == nil && r != nil && ended == 0:
				if n++; n == after {
					cancel()
				}
			case errors.Is(err, context.Canceled) && r == nil:
				ended++
			default:
				t.Errorf("cancelled after %d: %v, %v", after, r, err)
			}
		}
		cancel()
		if n != after || ended != 1 {
			t.Errorf("cancelled after %d: %d records and %d errors", after, n, ended)
		}
	}
}

func TestFind(t *testing.T) {
	c := filled(t)
	begin := map[string]int{} // how many keys begin so
	for r, err := range c.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for length := range 33 {
			begin[r.Key.String()[:length]]++
		}
	}
	some := memo.NewKey("f", "1").Add(7).Add("x").String()
	for length := range 33 {
		prefix := some[:length]
		for _, form := range []string{prefix, strings.ToUpper(prefix)} {
			n := 0
			for r, err := range c.Find(t.Context(), form) {
				if n++; err != nil || !strings.HasPrefix(r.Key.String(), prefix) {
					t.Fatal(r, err)
				}
			}
			if n != begin[prefix] {
				t.Errorf("%d calls begin with %q, want %d", n, form, begin[prefix])
			}
		}
	}
	if begin[""] != 320 || begin[some] != 1 {
		t.Errorf("%d and %d keys", begin[""], begin[some])
	}
	for _, none := range []string{"x", "../", "*", strings.Repeat("0", 33), "\x00", ".json"} {
		for r, err := range c.Find(t.Context(), none) {
			t.Errorf("%q: %v, %v", none, r, err)
		}
	}
}
