package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
)

// TestListReadsAhead lists many folders at several depths, whole and to each of its
// files, by both readers: the order is that of the names, and nothing goes on after.
func TestListReadsAhead(t *testing.T) {
	for _, throughRoot := range []bool{false, true} {
		d, err := store.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if throughRoot {
			if err := d.UseRootReader(); err != nil {
				t.Fatal(err)
			}
		}
		var want []string
		for i := range 40 {
			for _, name := range []string{"a/%02d/x", "a/%02d-/y", "a/%02d/b/c/z", "a/f%02d", "a/z/%02d/%[1]d"} {
				name = fmt.Sprintf(name, i)
				want = append(want, name)
				err := d.Put(t.Context(), name, store.PutOptions{}, func(w io.Writer) error {
					_, err := fmt.Fprint(w, name)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		slices.Sort(want)
		for n := len(want); n > 0; n -= 7 {
			var got []string
			for info, err := range d.List(t.Context(), "a") {
				if err != nil || info.Size != int64(len(info.Name)) || info.Modified.IsZero() {
					t.Fatal(info, err)
				}
				if got = append(got, info.Name); len(got) == n {
					break
				}
			}
			if !slices.Equal(got, want[:n]) {
				t.Fatalf("of %d names the first are %q, want %q", n, got, want[:n])
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		for _, err = range d.List(ctx, ".") {
			if seen++; seen == 50 {
				cancel()
			}
		}
		cancel()
		if !errors.Is(err, context.Canceled) || seen == len(want) {
			t.Errorf("after %d files of a context that ended: %v", seen, err)
		}
	}
}
