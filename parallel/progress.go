package parallel

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Progress is how far a call is.
type Progress struct {
	Done    int           // items that have ended, failed ones among them
	Total   int           // items there are; -1 where a sequence does not say
	Elapsed time.Duration // since the call began

	// Rate is in items per second, over about the last ten seconds: results that
	// come from a cache in no time soon count no more.
	Rate float64

	// ETA is the time that the rest takes at that rate; -1 where Total or Rate
	// does not tell.
	ETA time.Duration
}

const (
	progressInterval = 100 * time.Millisecond
	rateMemory       = 10 * time.Second
)

// meter counts the items of one call and tells its caller. A nil meter does
// nothing.
type meter struct {
	tell     func(Progress)
	interval time.Duration
	total    int
	start    time.Time
	done     atomic.Int64
	due      atomic.Int64 // when to tell next, in nanoseconds since start

	mu    sync.Mutex // held while tell runs
	last  time.Duration
	told  int
	items float64 // of the weighted past, and the seconds that they took
	secs  float64
}

func newMeter(tell func(Progress), interval time.Duration) *meter {
	if tell == nil {
		return nil
	}
	if interval == 0 {
		interval = progressInterval
	}
	m := &meter{tell: tell, interval: interval, total: -1, start: time.Now(), told: -1}
	m.due.Store(int64(interval))
	return m
}

// expect says how many items there are.
func (m *meter) expect(total int) {
	if m != nil {
		m.total = total
	}
}

// count counts items that have ended, and tells nobody.
func (m *meter) count(n int) {
	if m != nil {
		m.done.Add(int64(n))
	}
}

// add counts items that have ended.
func (m *meter) add(n int) {
	if m == nil {
		return
	}
	m.count(n)
	if int64(time.Since(m.start)) < m.due.Load() || !m.mu.TryLock() {
		return
	}
	defer m.mu.Unlock()
	if now := time.Since(m.start); int64(now) >= m.due.Load() {
		m.due.Store(int64(now + m.interval))
		m.report(now)
	}
}

// end tells the last of it. Nothing is running any more.
func (m *meter) end() error {
	if m == nil || m.told == int(m.done.Load()) {
		return nil
	}
	return Protect(func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.report(time.Since(m.start))
		return nil
	})
}

// report calls tell. The past fades with its age, so that at a steady pace Rate
// is that pace from the first report on.
func (m *meter) report(now time.Duration) {
	done, step := int(m.done.Load()), (now - m.last).Seconds()
	fade := math.Exp(-step / rateMemory.Seconds())
	m.items = m.items*fade + float64(done-max(m.told, 0))
	m.secs = m.secs*fade + step
	m.last, m.told = now, done
	p := Progress{Done: done, Total: m.total, Elapsed: now, ETA: -1}
	if m.secs > 0 {
		p.Rate = m.items / m.secs
	}
	if rest := float64(m.total-done) / p.Rate * 1e9; m.total >= 0 && p.Rate > 0 && rest < math.MaxInt64 {
		p.ETA = time.Duration(rest)
	}
	m.tell(p)
}
