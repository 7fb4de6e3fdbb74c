package memo

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestRecordsReadAhead checks that the records come in order however many are asked for,
// that few are read where few are, and that nothing goes on when the listing is over.
func TestRecordsReadAhead(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c, s := openCounting(t, &now)
	f := vector(t, c)
	const entries = 400
	for i := range entries {
		if _, err := f.Call(float64(i), 1); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for e, err := range c.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, e.Key.String())
	}
	for n := 1; n <= entries; n += 19 {
		var got []string
		counts := s.of(func() {
			for r, err := range c.Records(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, r.Key.String()); len(got) == n {
					break
				}
			}
		})
		if !slices.Equal(got, want[:n]) {
			t.Fatalf("of %d records the keys are %q, want %q", n, got, want[:n])
		}
		if reads := counts["get"]; reads < n || reads > 6*n {
			t.Errorf("%d records were read for %d", reads, n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen, failed := 0, error(nil)
	for _, err := range c.Records(ctx) {
		if failed != nil {
			t.Fatalf("after %v comes %v", failed, err)
		}
		if failed = err; err == nil {
			seen++
		}
		if seen == 100 {
			cancel()
		}
	}
	if seen != 100 || !errors.Is(failed, context.Canceled) {
		t.Errorf("%d records, then %v", seen, failed)
	}
}
