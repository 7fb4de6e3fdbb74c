package memo_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/numcache/numcache/memo"
)

// TestCallsAreLogged at debug level, faults as warnings, the first of its kind; hits
// and misses do not show at the usual level.
func TestCallsAreLogged(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "DEBUG computing f 1, DEBUG miss f 1, DEBUG hit f 1, WARN call f 1, DEBUG computing f 1, DEBUG miss f 1, DEBUG call f 1, DEBUG computing f 1, DEBUG miss f 1",
		slog.LevelInfo:  "WARN call f 1",
	} {
		var out bytes.Buffer
		c := openIn(t, t.TempDir(), &memo.Options{Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))})
		f := memoize(t, c, memo.Spec{Name: "f", Version: "1"}, func(x any) int { return 1 })
		f.Call(1)
		f.Call(1)
		f.Call(func() {}) // a fault, as it has no key
		f.Call(func() {})
		var told []string
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			kind := "call"
			for _, k := range []string{"hit", "miss", "computing"} {
				if strings.Contains(line, `"numcache: `+k+`"`) {
					kind = k
				}
			}
			level, _, _ := strings.Cut(line[strings.Index(line, "level=")+len("level="):], " ")
			if !strings.Contains(line, "function=f version=1 key=") {
				t.Errorf("%s does not name the call", line)
			}
			told = append(told, fmt.Sprintf("%s %s f 1", level, kind))
		}
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("at level %v: %s\nwant %s\n%s", level, got, want, &out)
		}
	}
}
