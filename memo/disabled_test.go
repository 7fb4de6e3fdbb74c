package memo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// TestDisabledCacheSharesNothing: calls at the same time are computed each, in the
// goroutine of their caller.
func TestDisabledCacheSharesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := openIn(t, "", nil)
		release := make(chan struct{})
		f := memoize(t, c, memo.Spec{Name: "f"}, func() int { <-release; return 1 })
		for range 5 {
			go f.Call()
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		if s := c.Stats(); s.Misses != 5 || s.Shared != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestDisabledCache uses every verb of a cache that keeps nothing: functions compute
// every time, what is asked for is not there, what is removed was not there.
func TestDisabledCache(t *testing.T) {
	ctx := t.Context()
	c, err := memo.Open("", nil)
	if err != nil {
		t.Fatal(err)
	}
	f, computed := squares(t, c, memo.Spec{ExpiresAfter: 1, Valid: func(*memo.Record) bool { t.Error("asked about nothing"); return true }})
	for n := 1; n <= 4; n++ {
		if v, err := f.Call(3); err != nil || v.AtVec(1) != 9 || *computed != n {
			t.Error(v, err, *computed)
		}
	}
	if v, err := f.Refresh(3); err != nil || v.AtVec(1) != 9 || *computed != 5 {
		t.Error(v, err, *computed)
	}
	checkHas(t, f, false, 3)
	k := must(f.Key(3))(t)
	if k.Digest() != memo.NewKey("squares", "").Add(3.0).Digest() {
		t.Error(k)
	}
	_, recordErr := f.Record(3)
	_, objectErr := c.Object(ctx, array.Digest{})
	for verb, err := range map[string]error{"Record": recordErr, "Object": objectErr} {
		if !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", verb, err)
		}
	}
	ref := must(f.Shelve(3))(t)
	checkSquares(t, "shelved", ref, 3)
	if _, err := ref.Open(ctx, 0); !errors.Is(err, memo.ErrUnsupported) {
		t.Errorf("Open of what is in no folder: %v", err)
	}
	cleared, clearErr := f.Clear(ctx)
	report, verifyErr := c.Verify(ctx, nil)
	for verb, err := range map[string]error{
		"Forget": f.Forget(3), "Cache.Forget": c.Forget(ctx, k), "Clear": c.Clear(ctx, nil), "Function.Clear": clearErr, "Verify": verifyErr,
	} {
		if err != nil {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if cleared != 0 || report.Records != 0 || report.Objects != 0 || c.Dir() != "" {
		t.Errorf("%d cleared, %+v, folder %q", cleared, report, c.Dir())
	}
	for r, err := range c.Records(ctx) {
		t.Error(r, err)
	}
	for r, err := range c.Find(ctx, "") {
		t.Error(r, err)
	}
	if m, err := c.Dense(ctx, k, func(context.Context) (*mat.Dense, error) { return dense(1, 1), nil }); err != nil || m.At(0, 0) != 0 {
		t.Error(m, err)
	}
	checkCounts(t, c, 0, 7, 0)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if v, err := f.Call(3); err != nil || v.AtVec(1) != 9 {
		t.Error("after Close:", v, err)
	}
}
