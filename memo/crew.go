package memo

import "sync"

// inFlight is how much a collection asks of a store at the same time. It is more than a
// disk at hand has use for, and what a store far away needs: of one that takes 20 ms
// for each record, 10⁶ are read in five minutes instead of six hours.
const inFlight = 64

// crew does work beside who gives it, so much at the same time as is allowed. The zero
// crew is not for use.
type crew struct {
	turns   chan struct{}
	working sync.WaitGroup
}

func newCrew() *crew { return &crew{turns: make(chan struct{}, inFlight)} }

// do has f done, and waits where everybody is busy.
func (w *crew) do(f func()) {
	w.turns <- struct{}{}
	w.working.Go(func() {
		defer func() { <-w.turns }()
		f()
	})
}

// wait returns when everything is done.
func (w *crew) wait() { w.working.Wait() }

// each calls f for the numbers up to n beside each other.
func (w *crew) each(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	for i := range n {
		w.do(func() { f(i) })
	}
	w.wait()
}
