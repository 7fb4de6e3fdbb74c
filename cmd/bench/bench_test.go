package main

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestMain lets the program of the tests be one of the two processes, too.
func TestMain(m *testing.M) {
	if asWorker() {
		return
	}
	os.Exit(m.Run())
}

// Every work is done once in its small form, with every peer that is there; in CI all must
// be. Those who do a work have come to the same answer, or measure would have failed.
func TestEveryWork(t *testing.T) {
	b := &bench{top: t.TempDir(), quick: true, records: 200, sizes: [4]int{small: 1 << 10, middle: 64 << 10, large: 1 << 20}}
	b.peers = startPeers(t.Context(), b.top)
	t.Cleanup(b.peers.close)
	for _, missing := range b.peers.missing {
		if os.Getenv("CI") != "" {
			t.Error("not installed: ", missing)
		}
		t.Log("not installed: ", missing)
	}
	for _, row := range catalogue {
		t.Run(row.name(b), func(t *testing.T) {
			m, err := b.measure(t.Context(), row, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range m.Contestants {
				for i, v := range s.values(m.Quantity) {
					if v <= 0 {
						t.Errorf("turn %d of %s took %v", i, s.Name, v)
					}
				}
			}
			for _, c := range m.Comparisons {
				// A peer is held to the same as ours, so that both have done the work.
				if they := m.of(c.Other); they.Role == peer && m.Quantity != fileSize && they.Answer == "" {
					t.Errorf("nobody knows what came of the work of %s", they.Name)
				}
			}
			if len(m.Contestants) == 0 {
				t.Error("nobody took part: ", b.skipped)
			}
			if len(m.Comparisons) < len(row.pairs) && len(b.peers.missing) == 0 {
				t.Errorf("%d of %d pairs were compared: a contestant has another name, or took no part", len(m.Comparisons), len(row.pairs))
			}
		})
	}
}

func TestAnswersMustBeTheSame(t *testing.T) {
	answering := func(name, answer string, err error) contestant {
		return contestant{name: name}.saying(func(context.Context) (string, error) { return answer, err })
	}
	mine := answering("mine", "1", nil)
	turns := 0
	silent := contestant{name: "a limit", turn: func(context.Context) (took, error) {
		turns++
		return took{}, nil
	}}
	for _, c := range []struct {
		other contestant
		ok    bool
	}{{answering("other", "1", nil), true}, {answering("other", "2", nil), false}, {answering("other", "", errors.New("none")), false}} {
		_, err := work{contestants: []contestant{mine, silent, c.other}}.agree(t.Context())
		if (err == nil) != c.ok {
			t.Errorf("%v", err)
		}
	}
	if turns != 3 {
		t.Errorf("the one without an answer had %d turns to warm up, not one each time", turns)
	}
}

// Each has a turn a round, and another one begins each.
func TestTurns(t *testing.T) {
	var order string
	var w work
	for _, name := range []string{"a", "b", "c"} {
		w.contestants = append(w.contestants, contestant{name: name, turn: func(context.Context) (took, error) {
			order += name
			return took{bytes: int64(len(order))}, nil
		}})
	}
	turns, err := w.takeTurns(t.Context(), 3)
	if want := [][]took{{{bytes: 1}, {bytes: 6}, {bytes: 8}}, {{bytes: 2}, {bytes: 4}, {bytes: 9}}, {{bytes: 3}, {bytes: 5}, {bytes: 7}}}; err != nil || order != "abcbcacab" || !reflect.DeepEqual(turns, want) {
		t.Errorf("%s: %v, %v", order, turns, err)
	}
}

// What is not installed, and what the disk has no room for, is told of, with what to do,
// and the rest is measured.
func TestSkipped(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what room there is on a disk is known on Linux")
	}
	t.Setenv("PATH", t.TempDir())
	o := options{quick: true, rounds: 1, records: 1 << 54, only: regexp.MustCompile("^digest|records"), dir: t.TempDir()}
	r, err := measure(t.Context(), io.Discard, o)
	if err != nil || len(r.Works) != 3 || len(r.Skipped) == 0 || !strings.Contains(r.Skipped[0], "apt-get install gcc") {
		t.Fatalf("%+v, %v", r, err)
	}
	if last := r.Skipped[len(r.Skipped)-1]; !strings.Contains(last, "no room") {
		t.Error("nothing is said of the disk, but of: ", last)
	}
	if left, err := os.ReadDir(o.dir); err != nil || len(left) > 0 {
		t.Error("something is left in the folder: ", left, err)
	}
	o.only = regexp.MustCompile("^nothing of that name$")
	if _, err := measure(t.Context(), io.Discard, o); err == nil {
		t.Error("no work is no error")
	}
}
