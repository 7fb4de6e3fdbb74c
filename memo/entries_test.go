package memo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// TestEntries: they are the records, in the same order, with what is known without
// reading them.
func TestEntries(t *testing.T) {
	c := filled(t)
	var entries, ofG []memo.Entry
	for e, err := range c.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	for e, err := range c.EntriesOf(t.Context(), "g/h") {
		if err != nil {
			t.Fatal(err)
		}
		ofG = append(ofG, e)
	}
	i, g := 0, 0
	for r, err := range c.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		e := entries[i]
		if e.Key != r.Key || e.Function != r.Function || e.Version != r.Version || !e.Used.Equal(r.Used()) || e.Bytes != r.Size() {
			t.Fatalf("entry %d is %+v, its record %+v", i, e, r)
		}
		if e.Function == "g/h" {
			if ofG[g] != e {
				t.Fatalf("of g/h entry %d is %+v, not %+v", g, ofG[g], e)
			}
			g++
		}
		again, err := c.ReadEntry(t.Context(), e)
		if err != nil || again.Key != r.Key {
			t.Fatalf("read: %+v, %v", again, err)
		}
		i++
	}
	if i != len(entries) || g != len(ofG) || g != 160 {
		t.Errorf("%d records, %d entries, %d of %d of g/h", i, len(entries), len(ofG), g)
	}
	first := entries[0]
	if err := c.RefOf(&memo.Record{Function: first.Function, Version: first.Version, Key: first.Key}).Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadEntry(t.Context(), first); !errors.Is(err, memo.ErrNotFound) {
		t.Errorf("a forgotten entry: %v", err)
	}
	if _, err := c.ReadEntry(t.Context(), memo.Entry{}); !errors.Is(err, memo.ErrNotFound) {
		t.Errorf("the zero entry: %v", err)
	}
	if _, err := c.ReadEntry(t.Context(), c.EntryOf("../..", "..", first.Key)); !errors.Is(err, memo.ErrNotFound) {
		t.Errorf("an entry of hostile names: %v", err)
	}
}

// TestEntriesOfAbsentFolders: nothing, or ErrNil, and no panic.
func TestEntriesOfAbsentFolders(t *testing.T) {
	none, err := memo.Open("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range none.Entries(t.Context()) {
		t.Error("a cache without a folder has entries")
	}
	var c *memo.Cache
	for _, err := range c.Entries(t.Context()) {
		if !errors.Is(err, memo.ErrNil) {
			t.Errorf("the nil cache: %v", err)
		}
	}
	if _, err := c.ReadEntry(t.Context(), memo.Entry{}); !errors.Is(err, memo.ErrNil) {
		t.Errorf("the nil cache: %v", err)
	}
	if _, err := c.StatObject(t.Context(), array.Digest{}); !errors.Is(err, memo.ErrNil) {
		t.Errorf("the nil cache: %v", err)
	}
	if _, err := none.StatObject(t.Context(), array.Digest{}); !errors.Is(err, memo.ErrNotFound) {
		t.Errorf("no folder: %v", err)
	}
}

// TestReadEntryWithoutItsResults reads the record of a call whose result is gone, and
// leaves one that is damaged where it is.
func TestReadEntryWithoutItsResults(t *testing.T) {
	for _, level := range []int{0, 6} {
		dir := t.TempDir()
		c := openIn(t, dir, &memo.Options{Compress: level})
		k := memo.NewKey("f", "1").Add(1)
		if _, err := c.Dense(t.Context(), k, func(context.Context) (*mat.Dense, error) { return mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}), nil }); err != nil {
			t.Fatal(err)
		}
		e := c.EntryOf("f", "1", k.Digest())
		r, err := c.ReadEntry(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		want := r.Results[0].Arrays()[0]
		got, err := c.StatObject(t.Context(), want.Digest)
		path := filepath.FromSlash(c.ObjectPath(want.Digest))
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || got.DType != want.DType || array.FormatShape(got.Shape) != "(2, 3)" || got.Bytes != info.Size() || got.Compressed != (level > 0) {
			t.Errorf("level %d: %+v, %v, %v", level, got, err, statErr)
		}
		if err := os.WriteFile(path, []byte("no array"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.StatObject(t.Context(), want.Digest); !errors.Is(err, memo.ErrDamaged) {
			t.Errorf("level %d: damaged: %v", level, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := c.StatObject(t.Context(), want.Digest); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("level %d: missing: %v", level, err)
		}
		if _, err := c.ReadEntry(t.Context(), e); err != nil {
			t.Errorf("level %d: %v", level, err)
		}
		record, err := filepath.Glob(filepath.Join(dir, "calls", "*", "*", "*", "*.json"))
		if err != nil || len(record) != 1 {
			t.Fatal(record, err)
		}
		if err := os.WriteFile(record[0], []byte(strings.Repeat("x", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadEntry(t.Context(), e); !errors.Is(err, memo.ErrDamaged) {
			t.Errorf("level %d: %v", level, err)
		}
		if _, err := os.Stat(record[0]); err != nil {
			t.Error(err)
		}
	}
}
