package memo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/memo"
)

type kernel struct {
	Name  string
	Scale float64
	Knots []int
	Parts []kernel
}

// TestExplain misses in every way, and asks why: beforehand, and of the event.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var why []memo.Explanation
	o := &memo.Options{OnEvent: func(e memo.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == memo.Miss {
			why = append(why, e.Why(t.Context()))
		} else if x := e.Why(t.Context()); x.Neighbour != nil || x.Err != nil || x.Function != "" {
			t.Errorf("%v is explained: %v", e.Kind, x)
		}
	}}
	c := openIn(t, dir, o)
	fit := func(version string) *memo.Function[func(*mat.Dense, int, kernel) float64] {
		return memoize(t, c, memo.Spec{Name: "fit", Version: version}, func(x *mat.Dense, n int, k kernel) float64 { return k.Scale })
	}
	x := mat.NewDense(100, 4, nil)
	changed := mat.DenseCopyOf(x)
	changed.Set(7, 1, 1)
	rbf := kernel{Name: "rbf", Scale: 0.1, Knots: []int{1, 2}, Parts: []kernel{{Name: "a"}}}
	with := func(f func(*kernel)) kernel {
		k := rbf
		k.Knots, k.Parts = append([]int{}, rbf.Knots...), append([]kernel{}, rbf.Parts...)
		f(&k)
		return k
	}
	for _, step := range []struct {
		version string
		x       *mat.Dense
		n       int
		k       kernel
		cause   memo.Cause
		want    string
	}{
		{"1", x, 10, rbf, memo.NeverSeen, "no call of fit is in the cache"},
		{"1", x, 10, rbf, memo.Stored, "it is in the cache"},
		{"1", x, 20, rbf, memo.OtherArguments, "since the most similar call that is in the cache, argument 1 changed from 10 to 20"},
		{"2", x, 10, rbf, memo.OtherVersion, `the version of fit changed from "1" to "2"`},
		{"2", x, 20, rbf, memo.OtherVersion, `the version of fit changed from "1" to "2"`},
		{"2", changed, 20, rbf, memo.OtherArguments, "argument 0, float64(100, 4), changed"},
		{"2", mat.NewDense(3, 3, nil), 20, rbf, memo.OtherArguments, "argument 0 changed from float64(100, 4) to float64(3, 3)"},
		{"1", x, 10, with(func(k *kernel) { k.Scale = 0.2 }), memo.OtherArguments, "argument 2.Scale changed from 0.1 to 0.2"},
		{"1", x, 10, with(func(k *kernel) { k.Parts[0].Name, k.Name = "b", "c" }), memo.OtherArguments,
			`argument 2.Name changed from "rbf" to "c", argument 2.Parts[0].Name changed from "a" to "b"`},
		{"3", x, 11, with(func(k *kernel) { k.Scale = 0.2 }), memo.OtherArguments, `the version changed from "1" to "3", argument 1 changed from 10 to 11`},
	} {
		what := fmt.Sprint(step.version, " ", step.n, " ", step.k)
		f := fit(step.version)
		beforehand, err := f.Explain(step.x, step.n, step.k)
		if err != nil || beforehand.Cause != step.cause || !strings.Contains(beforehand.String(), step.want) {
			t.Errorf("%s: %v: %v (%v), want %q", what, beforehand.Cause, beforehand, err, step.want)
		}
		if key := must(f.Key(step.x, step.n, step.k))(t); key.Digest() != beforehand.Key {
			t.Errorf("%s: of another key", what)
		}
		why = nil
		if f.Call(step.x, step.n, step.k); step.cause == memo.Stored {
			if len(why) > 0 {
				t.Errorf("%s: a hit is explained: %v", what, why)
			}
		} else if len(why) != 1 || why[0].String() != beforehand.String() {
			t.Errorf("%s: the event says %v, beforehand it was %v", what, why, beforehand)
		}
	}
}

// TestExplainRemoved asks of calls that were there.
func TestExplainRemoved(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	open := func(o memo.Options) *memo.Cache {
		o.Now = func() time.Time { now = now.Add(time.Second); return now }
		return openIn(t, dir, &o)
	}
	check := func(what string, f interface {
		Explain(args ...any) (memo.Explanation, error)
	}, n int, cause memo.Cause) {
		t.Helper()
		x, err := f.Explain(n)
		if err != nil || x.Cause != cause || strings.Contains(x.String(), "Cause(") || x.String() == "" {
			t.Errorf("%s: %v: %v (%v), want %v", what, x.Cause, x, err, cause)
		}
	}
	c := open(memo.Options{Limits: memo.Limits{MaxEntries: 2}})
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) []float64 { return []float64{float64(n)} })
	for n := range 3 {
		f.Call(n)
	}
	check("evicted", f, 0, memo.WasEvicted)
	check("another process", memoize(t, open(memo.Options{}), memo.Spec{Name: "f"}, f.Call), 0, memo.WasEvicted)
	check("never", f, 9, memo.OtherArguments)
	expiring := memoize(t, c, memo.Spec{Name: "f", ExpiresAfter: time.Minute}, f.Call)
	check("young", expiring, 2, memo.Stored)
	now = now.Add(time.Hour)
	check("old", expiring, 2, memo.Expired)
	check("other types", memoize(t, c, memo.Spec{Name: "f"}, func(int) string { return "" }), 2, memo.OtherTypes)
	ref := must(f.Shelve(2))(t)
	object := c.ObjectPath(must(ref.Record(t.Context()))(t).Results[0].Arrays()[0].Digest)
	if err := os.Remove(object); err != nil {
		t.Fatal(err)
	}
	check("without its object", f, 2, memo.OtherArguments)
	check("no folder", memoize(t, openIn(t, "", nil), memo.Spec{Name: "f"}, f.Call), 2, memo.NoFolder)
	if x, err := c.Explain(t.Context(), memo.Key{}); err != nil || x.Cause != memo.InvalidKey {
		t.Errorf("the zero Key: %v, %v", x, err)
	}
	if _, err := f.Explain("text"); !errors.Is(err, memo.ErrArguments) {
		t.Errorf("an argument that does not fit: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed", f, 2, memo.NoFolder)
	if _, err := (*memo.Cache)(nil).Explain(t.Context(), memo.Key{}); !errors.Is(err, memo.ErrNil) {
		t.Errorf("a nil cache: %v", err)
	}
}

// TestExplainDamage spoils a record, and asks beforehand and of the event.
func TestExplainDamage(t *testing.T) {
	dir := t.TempDir()
	var why memo.Explanation
	c := openIn(t, dir, &memo.Options{OnEvent: func(e memo.Event) {
		if e.Kind == memo.Miss {
			why = e.Why(t.Context())
		}
	}})
	f := memoize(t, c, memo.Spec{Name: "f"}, func(n int) int { return n })
	f.Call(1)
	if !strings.Contains(why.String(), "no call of f") {
		t.Errorf("at first: %v", why)
	}
	spoil(t, dir, "calls")
	if x := must(f.Explain(1))(t); x.Cause != memo.Damaged || !errors.Is(x.Err, memo.ErrDamaged) {
		t.Errorf("beforehand: %v: %v", x.Cause, x)
	}
	f.Call(1)
	if why.Cause != memo.Damaged || !strings.Contains(why.String(), "does not match") {
		t.Errorf("the event: %v: %v", why.Cause, why)
	}
	f.Refresh(1)
	if why.Cause != memo.Refreshed {
		t.Errorf("a refresh: %v", why)
	}
}

// TestWhyInTheLog: at level debug the log says why.
func TestWhyInTheLog(t *testing.T) {
	var log bytes.Buffer
	c := openIn(t, t.TempDir(), &memo.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	f := memoize(t, c, memo.Spec{Name: "f"}, func(_ context.Context, n int) int { return n })
	f.Call(t.Context(), 10)
	f.Call(t.Context(), 20)
	if want := `why="since the most similar call that is in the cache, argument 0 changed from 10 to 20"`; !strings.Contains(log.String(), want) {
		t.Errorf("the log has no %s:\n%s", want, &log)
	}
}
