package memo

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// A memoized function may call memoized functions, itself too. A call that is made
// while a flight computes, on its behalf, is nested in it: it must not wait for a
// flight that waits, in the end, for this one. Such a call computes by itself, as it
// would without a cache.
//
// A call is known to be nested by its context, which the function was given, or else
// by its goroutine: that of the flight, or one that this one started. A call from a
// goroutine of a goroutine, without the context, is not, and neither is one from a
// goroutine that was there before. Flights of all caches know each other, for a cycle
// may lead through several.
var nesting struct {
	running atomic.Int64 // flights in goroutines

	mu         sync.Mutex
	goroutines map[uint64]*flight // by the number of the goroutine
}

type flightKey struct{}

// enter makes the current goroutine that of a flight, until leave. The context is for
// what the flight calls.
func (f *flight) enter(ctx context.Context) (_ context.Context, leave func()) {
	id := currentGoroutine()
	nesting.running.Add(1)
	nesting.mu.Lock()
	defer nesting.mu.Unlock()
	if nesting.goroutines == nil {
		nesting.goroutines = map[uint64]*flight{}
	}
	before := nesting.goroutines[id]
	nesting.goroutines[id] = f
	return context.WithValue(ctx, flightKey{}, f), func() {
		nesting.mu.Lock()
		defer nesting.mu.Unlock()
		if nesting.goroutines[id] = before; before == nil {
			delete(nesting.goroutines, id)
		}
		nesting.running.Add(-1)
	}
}

// flightAround returns the flight in which a call is nested, nil where there is none.
func flightAround(ctx context.Context) *flight {
	if nesting.running.Load() == 0 {
		return nil
	}
	if f, ok := ctx.Value(flightKey{}).(*flight); ok && !f.landed() {
		return f
	}
	self, creator := goroutines()
	nesting.mu.Lock()
	defer nesting.mu.Unlock()
	if f := nesting.goroutines[self]; f != nil {
		return f
	}
	return nesting.goroutines[creator]
}

// landed reports whether the flight has ended.
func (f *flight) landed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// waitFor notes that a call nested in f waits for another flight, until stop. It
// reports false where that flight waits for f itself.
func (f *flight) waitFor(other *flight) (stop func(), ok bool) {
	if f == nil {
		return func() {}, true
	}
	nesting.mu.Lock()
	defer nesting.mu.Unlock()
	if other.leadsTo(f, map[*flight]bool{}) {
		return nil, false
	}
	if f.waits == nil {
		f.waits = map[*flight]int{}
	}
	f.waits[other]++
	return func() {
		nesting.mu.Lock()
		defer nesting.mu.Unlock()
		if f.waits[other]--; f.waits[other] == 0 {
			delete(f.waits, other)
		}
	}, true
}

// leadsTo reports whether f is, or waits for, the flight to.
func (f *flight) leadsTo(to *flight, seen map[*flight]bool) bool {
	if f == to {
		return true
	}
	seen[f] = true
	for next := range f.waits {
		if !seen[next] && next.leadsTo(to, seen) {
			return true
		}
	}
	return false
}

// within reports whether f is nested in a flight of the same key, maybe of another
// cache on the same folder, which then has the key's lock.
func (f *flight) within() bool {
	for around := f.around; around != nil; around = around.around {
		if around.key == f.key {
			return true
		}
	}
	return false
}

// currentGoroutine returns the number of this goroutine. The runtime tells it in
// stack traces only.
func currentGoroutine() uint64 {
	var b [64]byte
	return goroutineIn(b[:runtime.Stack(b[:], false)], "goroutine ")
}

// stacks holds buffers for stack traces. The runtime leaves frames out of a trace
// before it comes to so much.
var stacks = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// goroutines returns the number of this goroutine and of the one that started it, 0
// where that is not known.
func goroutines() (self, creator uint64) {
	buffer := stacks.Get().(*[64 << 10]byte)
	defer stacks.Put(buffer)
	b := buffer[:runtime.Stack(buffer[:], false)]
	self = goroutineIn(b, "goroutine ")
	if i := bytes.LastIndex(b, []byte("\ncreated by ")); i >= 0 {
		b = b[i:]
		if i := bytes.Index(b, []byte(" in goroutine ")); i >= 0 {
			creator = goroutineIn(b[i:], " in goroutine ")
		}
	}
	return self, creator
}

// goroutineIn reads the number behind a prefix of b.
func goroutineIn(b []byte, prefix string) uint64 {
	b = bytes.TrimPrefix(b, []byte(prefix))
	end := 0
	for end < len(b) && b[end] >= '0' && b[end] <= '9' {
		end++
	}
	id, _ := strconv.ParseUint(string(b[:end]), 10, 64)
	return id
}
