package memo

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestHistory counts over several caches on a folder, one after the other and at once,
// and over damage.
func TestHistory(t *testing.T) {
	dir := t.TempDir()
	now := newHandClock()
	began := now.Now()
	want := FunctionStats{}
	check := func(step string, c *Cache) {
		t.Helper()
		h, err := c.History(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		got := h.Functions["f"]
		if got.Computed <= 0 {
			t.Errorf("%s: computed for %v", step, got.Computed)
		}
		got.Computed, got.Saved = 0, 0
		if got != want || !h.Since.Equal(began) {
			t.Errorf("%s: %+v since %v, want %+v since %v", step, got, h.Since, want, began)
		}
		if total := h.Total(); total.Hits != want.Hits || total.Misses != want.Misses+1 {
			t.Errorf("%s: in total %+v", step, total)
		}
	}
	open := func() (*Cache, func(int) int) {
		c := openLimited(t, dir, Limits{}, now)
		f, err := Func(c, Spec{Name: "f", Version: "1"}, func(x int) int { return x })
		if err != nil {
			t.Fatal(err)
		}
		return c, f.Call
	}
	first, f := open()
	if _, err := Do(t.Context(), first, NewKey("another", "1"), func(context.Context) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	f(1)
	f(1)
	want = FunctionStats{Hits: 1, Misses: 1}
	check("not yet written", first)
	now.pass(time.Hour)
	second, g := open()
	g(1)
	g(2)
	want = FunctionStats{Hits: 2, Misses: 2}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	check("written by closing", first)
	if s := first.Stats(); s.Hits != 1 || s.Misses != 2 {
		t.Errorf("its own: %+v", s)
	}
	first.ResetStats()
	if s := first.Stats(); s.Hits != 0 || s.Misses != 0 || s.Saved != 0 || len(s.Hottest) != 0 {
		t.Errorf("after reset: %+v", s)
	}
	check("after reset", first)

	o := quiet()
	o.ReadOnly = true
	reader, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Func(reader, Spec{Name: "f", Version: "1"}, func(x int) int { return x })
	if err != nil {
		t.Fatal(err)
	}
	h.Call(1)
	want.Hits++
	check("read-only", reader)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	want.Hits--
	check("read-only leaves nothing", first)

	if err := os.WriteFile(filepath.Join(dir, statsFile), []byte(`{"format":1,"functions":{"f":{"hits":1000}},"check":"`), 0o600); err != nil {
		t.Fatal(err)
	}
	began = now.Now()
	f(1)
	hist, err := first.History(t.Context())
	if err != nil || hist.Functions["f"].Hits != 1 || len(hist.Functions) != 1 {
		t.Errorf("after damage: %+v, %v", hist, err)
	}
}

// TestHistoryForged holds that a history with any numbers can be read, and added to.
func TestHistoryForged(t *testing.T) {
	for name, text := range map[string]string{
		"late":  `{"format":1,"since":"9999-12-31T23:59:59-23:00","functions":{"f":{"hits":1}},`,
		"early": `{"format":1,"since":"0000-01-01T00:00:00+23:00","functions":{"f":{"hits":1}},`,
		"large": `{"format":1,"since":"2025-01-01T00:00:00Z","functions":{"f":{"saved":1e300,"computed":-1e300,"misses":9223372036854775807}},`,
	} {
		dir := t.TempDir()
		c := openLimited(t, dir, Limits{}, newHandClock())
		if err := os.WriteFile(filepath.Join(dir, statsFile), seal([]byte(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := vector(t, c).Call(1, 10); err != nil {
			t.Fatal(err)
		}
		h, err := c.History(t.Context())
		if err != nil || h.Since.IsZero() || len(h.Functions) == 0 {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		if err := c.Close(); err != nil || c.Stats().Faults > 0 {
			t.Errorf("%s: %d faults, %v", name, c.Stats().Faults, err)
		}
	}
}

// TestHistoryIsToldInBetween checks that other processes learn before a cache closes.
func TestHistoryIsToldInBetween(t *testing.T) {
	dir := t.TempDir()
	now := newHandClock()
	c := openLimited(t, dir, Limits{}, now)
	f := vector(t, c)
	other := openLimited(t, dir, Limits{}, now)
	for i, want := range []int64{0, 0, 3} {
		if _, err := f.Call(float64(i), 10); err != nil {
			t.Fatal(err)
		}
		if h, err := other.History(t.Context()); err != nil || h.Total().Misses != want {
			t.Errorf("after %d calls: %+v, %v; want %d", i+1, h, err, want)
		}
		now.pass(historyInterval / 2)
	}
	now.pass(historyInterval)
	for range notesPerLook {
		if _, err := f.Call(0, 10); err != nil {
			t.Fatal(err)
		}
	}
	if h, err := other.History(t.Context()); err != nil || h.Total().Hits == 0 {
		t.Errorf("after many hits: %+v, %v", h, err)
	}
}

// TestManyFunctions checks that names which are made up do not fill the memory.
func TestManyFunctions(t *testing.T) {
	c := openMemory(t, Memory{MaxEntries: 1})
	for i := range maxFunctions + 100 {
		if _, err := Do(t.Context(), c, NewKey(fmt.Sprint("f", i), "1"), func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Fatal(err)
		}
	}
	h, err := c.History(t.Context())
	if err != nil || len(h.Functions) != maxFunctions+1 || h.Functions[""].Misses != 100 || h.Total().Misses != maxFunctions+100 {
		t.Errorf("%d functions, %d under no name, %v", len(h.Functions), h.Functions[""].Misses, err)
	}
	var none *Cache
	if _, err := none.History(t.Context()); !errors.Is(err, ErrNil) {
		t.Error(err)
	}
	none.ResetStats()
}

// TestHottest compares with exact counts, for a few hot keys among many cold ones.
func TestHottest(t *testing.T) {
	var h hotKeys
	exact := map[string]int64{}
	note := func(n int) {
		k := NewKey("f", "1").Add(n).Digest()
		h.note(k, "f", "1")
		exact[k.String()]++
	}
	const calls = 100_000
	for i := range calls {
		note(i + 1000)
		for hot := 1; hot <= 12; hot++ {
			if i%(hot*10) == 0 {
				note(hot)
			}
		}
	}
	hottest := h.hottest()
	if len(hottest) != maxHottest {
		t.Fatalf("%d keys", len(hottest))
	}
	for i, hot := range hottest {
		if want := NewKey("f", "1").Add(i + 1).Digest(); hot.Key != want {
			t.Errorf("number %d is %v, want %v", i, hot.Key, want)
		}
		if n := exact[hot.Key.String()]; n < hot.Calls || n > hot.Calls+hot.Error {
			t.Errorf("number %d: %d calls, said to be %d to %d", i, n, hot.Calls, hot.Calls+hot.Error)
		}
	}
	if n := len(h.keys); n > 10*hotThreshold {
		t.Errorf("%d keys are kept", n)
	}
}

// TestStatsMarshal checks that counters can be published as they are.
func TestStatsMarshal(t *testing.T) {
	c := openMemory(t, Memory{})
	if _, err := Do(t.Context(), c, NewKey("f", "1"), func(context.Context) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	var back Stats
	if err := json.Unmarshal([]byte(expvar.Func(func() any { return c.Stats() }).String()), &back); err != nil || back.Misses != 1 {
		t.Errorf("%+v, %v", back, err)
	}
}
