package web

import (
	"context"
	"sync"
	"time"
	"unique"

	"github.com/numcache/numcache/array"
	"github.com/numcache/numcache/memo"
)

// facts are what of a record is wanted of many at once.
type facts struct {
	function unique.Handle[string]
	created  int64 // nanoseconds since 1970
	took     time.Duration
	size     int64
}

// noted are facts of a record as it was.
type noted struct {
	facts
	used  int64
	bytes int64
}

// maxNoted bounds the catalogue, to about 30 MB. What has no room is read each time.
const maxNoted = 1 << 18

// catalogue remembers facts. A record that was replaced or touched since, which its
// file's time and size tell, is read again. The zero catalogue is empty and ready.
type catalogue struct {
	mu    sync.Mutex
	noted map[array.Digest]noted
}

func (c *catalogue) known(e memo.Entry) (facts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.noted[e.Key]
	return n.facts, ok && n.used == e.Used.UnixNano() && n.bytes == e.Bytes
}

func (c *catalogue) note(e memo.Entry, r *memo.Record) facts {
	f := facts{unique.Make(r.Function), r.Created.UnixNano(), r.Duration, r.Size()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.noted == nil {
		c.noted = map[array.Digest]noted{}
	}
	if _, there := c.noted[e.Key]; !there && len(c.noted) >= maxNoted {
		for key := range c.noted { // any of them: those of calls that are gone go in time
			delete(c.noted, key)
			break
		}
	}
	c.noted[e.Key] = noted{f, e.Used.UnixNano(), e.Bytes}
	return f
}

// of returns the facts of an entry, which is read where they are not known. Its error
// is that of the record.
func (c *catalogue) of(ctx context.Context, cache *memo.Cache, e memo.Entry) (facts, error) {
	if f, ok := c.known(e); ok {
		return f, nil
	}
	r, err := cache.ReadEntry(ctx, e)
	if err != nil {
		return facts{}, err
	}
	return c.note(e, r), nil
}
