package memo

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/numcache/numcache/array"
)

// listMap is a bounded map with the policies LRU and LRI, in exact order.
type listMap struct {
	recent     bool // LRU: a use counts as an insertion
	maxBytes   int64
	maxEntries int
	evicted    *atomic.Int64

	mu    sync.Mutex
	items map[array.Digest]*list.Element // of *listItem
	order *list.List                     // the first goes last
	bytes int64
}

type listItem struct {
	key array.Digest
	*kept
}

func newListMap(m Memory, evicted *atomic.Int64) *listMap {
	return &listMap{recent: m.Policy == LRU, maxBytes: m.MaxBytes, maxEntries: m.MaxEntries, evicted: evicted,
		items: map[array.Digest]*list.Element{}, order: list.New()}
}

func (l *listMap) get(key array.Digest) *kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.items[key]
	if at == nil {
		return nil
	}
	if l.recent {
		l.order.MoveToFront(at)
	}
	return at.Value.(*listItem).kept
}

func (l *listMap) peek(key array.Digest) *kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.items[key]; at != nil {
		return at.Value.(*listItem).kept
	}
	return nil
}

func (l *listMap) set(key array.Digest, e *kept) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(l.items[key])
	l.items[key] = l.order.PushFront(&listItem{key, e})
	l.bytes += e.bytes
	for l.maxEntries > 0 && l.order.Len() > l.maxEntries || l.maxBytes > 0 && l.bytes > l.maxBytes {
		l.remove(l.order.Back())
		l.evicted.Add(1)
	}
}

// remove takes out what at holds; nil is nothing.
func (l *listMap) remove(at *list.Element) {
	if at == nil {
		return
	}
	item := l.order.Remove(at).(*listItem)
	delete(l.items, item.key)
	l.bytes -= item.bytes
}

func (l *listMap) delete(key array.Digest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(l.items[key])
}

func (l *listMap) clear(function string) (removed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.items {
		if function == "" || at.Value.(*listItem).record.Function == function {
			l.remove(at)
			removed++
		}
	}
	return removed
}

func (l *listMap) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order.Len()
}
