package memo

import (
	"fmt"
	"testing"
	"time"
)

// TestFarAwayClocks stores and reads back by clocks that show times which records and
// files cannot have, and by all to which the others jump.
func TestFarAwayClocks(t *testing.T) {
	for _, jump := range jumps {
		t.Run(jump.name, func(t *testing.T) {
			now := newHandClock()
			now.set(jump.to(now.Now()))
			c := openLimited(t, t.TempDir(), Limits{MaxEntries: 10}, now)
			f := vector(t, c)
			for range 2 {
				if v, err := f.Call(1, 3); err != nil || len(v) != 3 {
					t.Error(v, err)
				}
			}
			if s := c.Stats(); s.Hits != 1 || s.Misses != 1 {
				t.Errorf("%+v", s)
			}
			r, err := f.Record(1, 3)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Created.Equal(c.now()) || !r.Used().Equal(c.now()) {
				t.Errorf("created %v, used %v, want %v", r.Created, r.Used(), c.now())
			}
			if year := r.Created.Year(); year < 1970 || year > 2261 {
				t.Errorf("created in %d", year)
			}
			if h, err := c.History(t.Context()); err != nil || !h.Since.Equal(c.now()) || h.Total().Misses != 1 {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
}

// TestFutureEntries checks what becomes of entries that were used by a clock two days
// ahead once it is right again: with no limits but an age they are used and stay or age
// and go, and over other limits they go first.
func TestFutureEntries(t *testing.T) {
	const ahead = 48 * time.Hour
	now, dir := newHandClock(), t.TempDir()
	c := openLimited(t, dir, Limits{MaxAge: 10 * time.Hour, MaxEntries: 10}, now)
	f := vector(t, c)
	call := func(x float64) {
		t.Helper()
		if _, err := f.Call(x, 10); err != nil {
			t.Fatal(err)
		}
	}
	now.pass(ahead)
	call(0)
	call(1)
	now.pass(-ahead)
	checkEqual(t, "served at first", fmt.Sprint(callsIn(t, f, 3)), "[0 1]")
	call(2) // the folder was counted in the future, so that it is counted anew
	call(0)
	checkEqual(t, "when the clock is right", fmt.Sprint(callsIn(t, f, 3)), "[0 1 2]")
	now.pass(9*time.Hour + time.Minute)
	checkEqual(t, "10 hours after the last use", fmt.Sprint(callsIn(t, f, 3)), "[0 2]")
	call(0)
	now.pass(ahead)
	call(3)
	now.pass(-ahead)
	call(0)
	if _, err := c.Trim(t.Context(), Limits{MaxEntries: 1}, nil); err != nil {
		t.Error(err)
	}
	checkEqual(t, "when one may stay", fmt.Sprint(callsIn(t, f, 4)), "[0]")
}
