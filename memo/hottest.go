package memo

import (
	"cmp"
	"slices"
	"sync"

	"github.com/numcache/numcache/array"
)

// HotKey is a call that is often asked for.
type HotKey struct {
	Key               array.Digest
	Function, Version string
	Calls             int64 // at least so many
	Error             int64 // and at most so many more
}

const (
	// hotThreshold is the part of all calls, one in so many, from which on a key
	// is certain to be counted.
	hotThreshold = 1000
	// maxHottest is how many keys Stats lists.
	maxHottest = 10
)

// hotKeys counts how often keys are asked for, in bounded memory however many there
// are: it is lossy counting (Manku, Motwani: Approximate Frequency Counts over Data
// Streams, 2002), as boltons' ThresholdCounter is. Keys that make up less than a
// thousandth of the calls are forgotten at times, so that some 10,000 are kept at most.
type hotKeys struct {
	mu    sync.Mutex
	calls int64
	keys  map[array.Digest]*HotKey
}

func (h *hotKeys) note(key array.Digest, function, version string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if hot := h.keys[key]; hot != nil {
		hot.Calls++
	} else {
		if h.keys == nil {
			h.keys = map[array.Digest]*HotKey{}
		}
		h.keys[key] = &HotKey{key, function, version, 1, h.calls / hotThreshold}
	}
	if h.calls++; h.calls%hotThreshold == 0 {
		for key, hot := range h.keys {
			if hot.Calls+hot.Error <= h.calls/hotThreshold {
				delete(h.keys, key)
			}
		}
	}
}

// hottest returns the keys with the most calls, those first.
func (h *hotKeys) hottest() []HotKey {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []HotKey
	for _, hot := range h.keys {
		if hot.Calls > 1 {
			all = append(all, *hot)
		}
	}
	slices.SortFunc(all, func(a, b HotKey) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), slices.Compare(a.Key[:], b.Key[:]))
	})
	return all[:min(len(all), maxHottest)]
}

func (h *hotKeys) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls, h.keys = 0, nil
}
