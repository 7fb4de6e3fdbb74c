package memo

import (
	"slices"
	"time"
)

// timesOfUse are the times of records, which tell whose an object is without reading
// them: what stores an entry, and what uses it, gives its record and its objects one
// time. An object with the time of a record is taken for that one's. What has another
// time may be waste, or another entry shared it that is gone.
//
// Clocks tick in nanoseconds, so that two entries have one time by a rare chance. Where
// many have, the clock is coarse, and where times are of whole seconds they may have
// been cut when the folder was copied: then nothing is concluded. A wrong conclusion
// keeps an object that could go, until the record with its time is used again. It
// never has one removed.
type timesOfUse struct {
	nanos  []int64
	sorted bool
	coarse bool
}

// tells reports whether a time is so fine that it tells of an entry.
func (*timesOfUse) tells(at time.Time) bool { return at.Nanosecond() != 0 }

func (u *timesOfUse) note(at time.Time) { u.nanos = append(u.nanos, at.UnixNano()) }

// has reports whether a record has the time, and nothing else is to be expected. All
// are noted before.
func (u *timesOfUse) has(at time.Time) bool {
	if !u.sorted {
		u.sort()
	}
	_, found := slices.BinarySearch(u.nanos, at.UnixNano())
	return found && !u.coarse && u.tells(at)
}

// sort sorts the times, and finds out whether more than one in a hundred is another's.
func (u *timesOfUse) sort() {
	noted := len(u.nanos)
	slices.Sort(u.nanos)
	u.nanos = slices.Compact(u.nanos)
	u.sorted = true
	u.coarse = (noted-len(u.nanos))*100 > noted
}
