package numpy

import "testing"

func TestSession(t *testing.T) {
	s := Start(t, `
import numpy as np
asked = 0
def answer(what, *more):
    global asked
    asked += 1
    return f"{asked} {what} {len(more)} {np.arange(4).sum()}\n"
`)
	for i, want := range []string{"1 a 0 6 ", "2 b 2 6 "} {
		if got := s.Ask([][]string{{"a"}, {"b", "c", "d"}}[i]...); got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
	}
}
