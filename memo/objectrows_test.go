package memo_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// rowsCache returns a cache that holds an array of 3 chunks, and the array.
func rowsCache(t *testing.T, level int) (*memo.Cache, *array.Array[float64], *array.Table) {
	t.Helper()
	c, err := memo.Open(t.TempDir(), &memo.Options{Compress: level})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	data := make([]float64, 1000*70)
	for i := range data {
		data[i] = float64(i)
	}
	a, err := array.FromSlice(data, 1000, 70)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := memo.Do(t.Context(), c, memo.NewKey("rows", "1"), func(context.Context) (*array.Array[float64], error) { return a, nil }); err != nil {
		t.Fatal(err)
	}
	table, err := array.HashTable(t.Context(), a)
	if err != nil || table.Len() < 3 {
		t.Fatal(table.Len(), err)
	}
	return c, a, table
}

func TestObjectRows(t *testing.T) {
	for _, level := range []int{0, 1} {
		c, a, table := rowsCache(t, level)
		for _, r := range [][2]int{{0, 1000}, {0, 1}, {999, 1000}, {467, 470}, {468, 469}, {100, 900}, {5, 5}, {0, 0}, {1000, 1000}} {
			got, err := c.ObjectRows(t.Context(), table, r[0], r[1])
			if err != nil {
				t.Fatal(r, err)
			}
			want, err := a.Slice(r[0], r[1])
			if err != nil {
				t.Fatal(err)
			}
			wantDigest, _ := array.Hash(t.Context(), want)
			if gotDigest, _ := array.Hash(t.Context(), got); gotDigest != wantDigest {
				t.Errorf("level %d, rows %v: %v", level, r, got)
			}
		}
		for _, r := range [][2]int{{-1, 5}, {5, 4}, {0, 1001}} {
			if _, err := c.ObjectRows(t.Context(), table, r[0], r[1]); !errors.Is(err, memo.ErrArguments) {
				t.Errorf("rows %v: %v", r, err)
			}
		}
		if _, err := c.ObjectRows(t.Context(), nil, 0, 1); !errors.Is(err, memo.ErrArguments) {
			t.Errorf("nil table: %v", err)
		}
		other, _ := array.NewTable(array.Float64, 1000, 70)
		if _, err := c.ObjectRows(t.Context(), other, 0, 1); !errors.Is(err, memo.ErrNotFound) {
			t.Errorf("another table: %v", err)
		}
	}
}

// Only what is read is verified, and it is.
func TestObjectRowsDamaged(t *testing.T) {
	c, _, table := rowsCache(t, 0)
	path := c.ObjectPath(table.Digest())
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ObjectRows(t.Context(), table, 0, 400); err != nil {
		t.Errorf("rows of chunks that are whole: %v", err)
	}
	if _, err := c.ObjectRows(t.Context(), table, 990, 991); !errors.Is(err, memo.ErrDamaged) {
		t.Errorf("a row of the damaged chunk: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the damaged object was not put aside: %v", err)
	}
}
