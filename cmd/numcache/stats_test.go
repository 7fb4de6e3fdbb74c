package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/numcache/numcache/memo"
)

func TestStatsText(t *testing.T) {
	s := statistics{dir: "/c", holds: &holdings{1, 2000}, history: memo.History{
		Since: time.Now().Add(-49 * time.Hour),
		Functions: map[string]memo.FunctionStats{
			"a":            {Hits: 1, Misses: 1, Saved: -time.Second, Computed: time.Minute},
			"b":            {Hits: 5, Misses: 2, Shared: 1, Saved: time.Hour, Computed: time.Second},
			"evil\x1b[2J":  {Misses: 1},
			"waited":       {Shared: 1},
			"":             {Faults: 3},
			"ärger/früh/1": {Hits: 3, Saved: time.Minute, Faults: 1},
		},
	}}
	var b strings.Builder
	if err := s.text(&b, true); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	head, table, _ := strings.Cut(got, "\n\n")
	for _, want := range []string{
		"folder    /c\nholds     1 entry, 2.00 kB\nsince     ",
		" (2d ago)\nhit rate  60.0 %, 9 hits in 15 calls\nsaved     1h00m\ncomputed  1m01s\nfaults    4",
	} {
		if !strings.Contains(head, want) {
			t.Errorf("got\n%s\nwant in it\n%s", got, want)
		}
	}
	want := `
FUNCTION         CALLS      HITS    MISSES    SHARED  HIT RATE     SAVED  COMPUTED  FAULTS
b                    8         5         2         1    62.5 %     1h00m    1.00 s       0
ärger/früh/1         3         3         0         0   100.0 %     1m00s      0 ns       1
(other)              0         0         0         0         –      0 ns      0 ns       3
evil�[2J             1         0         1         0     0.0 %      0 ns      0 ns       0
waited               1         0         0         1     0.0 %      0 ns      0 ns       0
a                    2         1         1         0    50.0 %   -1.00 s     1m00s       0
`
	if table != want[1:] {
		t.Errorf("got\n%s\nwant%s", table, want)
	}
}

// TestStatsOfManyFunctions has more functions than are counted by name.
func TestStatsOfManyFunctions(t *testing.T) {
	dir := t.TempDir()
	c, err := memo.Open(dir, &memo.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1003 {
		compute := func(context.Context) (int, error) { return 0, io.EOF } // stored nowhere
		if _, err := memo.Do(t.Context(), c, memo.NewKey(fmt.Sprint("f", i), "1"), compute); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	var told struct {
		Calls     int
		Functions []struct {
			Function string
			Calls    int
		}
	}
	if err := json.Unmarshal([]byte(numcache(t, "stats", "--json", "--dir", dir)), &told); err != nil {
		t.Fatal(err)
	}
	if told.Calls != 1003 || len(told.Functions) != 1001 {
		t.Errorf("%d calls of %d functions, want 1003 of 1000 and the others", told.Calls, len(told.Functions))
	}
	for _, f := range told.Functions {
		if want := map[bool]int{false: 1, true: 3}[f.Function == ""]; f.Calls != want {
			t.Errorf("%d calls of %q, want %d", f.Calls, f.Function, want)
		}
	}
	if !strings.Contains(numcache(t, "stats", "--dir", dir), "\n(other) ") {
		t.Error("there is no (other)")
	}
}
