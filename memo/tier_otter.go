package memo

import (
	"math"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/numcache/numcache/array"
)

// otterMap is a bounded map with the policy W-TinyLFU, which otter implements.
type otterMap struct {
	cache *otter.Cache[array.Digest, *kept]
}

func newOtterMap(m Memory, evicted *atomic.Int64) (*otterMap, error) {
	o := &otter.Options[array.Digest, *kept]{
		// Maintenance runs in the goroutine that causes it, so that set can wait
		// for it and no goroutine is left over. OnDeletion then runs under otter's
		// locks, and must not use the map.
		Executor: func(f func()) { f() },
		OnDeletion: func(e otter.DeletionEvent[array.Digest, *kept]) {
			if e.WasEvicted() {
				evicted.Add(1)
			}
		},
	}
	switch {
	case m.MaxBytes > 0:
		o.MaximumWeight, o.Weigher = weigher(m)
	case m.MaxEntries > 0:
		o.MaximumSize = m.MaxEntries
	}
	cache, err := otter.New(o)
	return &otterMap{cache}, err
}

// weigher returns what entries may weigh together, and what one weighs: the larger
// of its shares of MaxBytes and of MaxEntries, so that both limits hold. Shares are
// rounded up to whole units, of which there are about 2³².
func weigher(m Memory) (maximum uint64, weigh func(array.Digest, *kept) uint32) {
	maximum, least := uint64(math.MaxUint32), uint64(1)
	if m.MaxEntries > 0 {
		entries := min(uint64(m.MaxEntries), maximum)
		least = maximum / entries
		maximum = least * entries
	}
	return maximum, func(_ array.Digest, e *kept) uint32 {
		share := math.Ceil(float64(e.bytes) / float64(m.MaxBytes) * float64(maximum))
		return uint32(min(max(uint64(share), least), maximum))
	}
}

func (o *otterMap) get(key array.Digest) *kept {
	e, _ := o.cache.GetIfPresent(key)
	return e
}

func (o *otterMap) peek(key array.Digest) *kept {
	e, _ := o.cache.GetEntryQuietly(key)
	return e.Value
}

func (o *otterMap) set(key array.Digest, e *kept) {
	o.cache.Set(key, e)
	// A Set that meets another one's maintenance leaves its own to the next.
	o.cache.CleanUp()
}

func (o *otterMap) delete(key array.Digest) { o.cache.Invalidate(key) }

func (o *otterMap) clear(function string) (removed int) {
	for key, e := range o.cache.All() {
		if function != "" && e.record.Function != function {
			continue
		}
		if _, ok := o.cache.Invalidate(key); ok {
			removed++
		}
	}
	o.cache.CleanUp()
	return removed
}

func (o *otterMap) len() int { return o.cache.EstimatedSize() }
