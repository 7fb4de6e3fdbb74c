package memo

import (
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// Times of files are nanoseconds since 1970 in 64 bits at best, and some systems have
// none before. Records have years of four digits.
var (
	firstTime = time.Unix(0, 0)
	lastTime  = time.Date(2261, 12, 31, 23, 59, 59, 0, time.UTC)
)

// now tells the time that records and files get, one that they can have; the zero Cache
// has no options.
func (c *Cache) now() time.Time {
	if c.options.Now == nil {
		return time.Now()
	}
	switch now := c.options.Now(); {
	case now.Before(firstTime):
		return firstTime
	case now.After(lastTime):
		return lastTime
	default:
		return now
	}
}

// recent reports whether t lies less than d before now. What lies after it was
// noted by another clock, or by this one before it was set.
func recent(t, now time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return age >= 0 && age < d
}

// ahead reports whether t lies further after now than the clocks of machines that share
// a folder may differ: then it is of a clock that was wrong, or was set back since.
func ahead(t, now time.Time) bool { return t.Sub(now) > store.MaxAhead }
