package memo

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// FunctionStats counts the calls of one function.
type FunctionStats struct {
	Hits     int64         // calls answered from the cache
	Misses   int64         // calls computed
	Shared   int64         // calls that waited for the computation of another
	Faults   int64         // things that went wrong without failing a call
	Computed time.Duration // what the misses took to compute
	Saved    time.Duration // compute time of the hits, less what they took
}

func (s *FunctionStats) add(t *FunctionStats) {
	s.Hits += t.Hits
	s.Misses += t.Misses
	s.Shared += t.Shared
	s.Faults += t.Faults
	s.Computed += t.Computed
	s.Saved += t.Saved
}

// History is what all processes counted that used a cache's folder.
type History struct {
	Since     time.Time // when counting began; zero where nothing was counted
	Functions map[string]FunctionStats
}

// Total returns the sum over all functions.
func (h History) Total() (total FunctionStats) {
	for _, s := range h.Functions {
		total.add(&s)
	}
	return total
}

// maxFunctions and maxFunctionName bound the functions that are counted by name, and
// with that the file. The others are counted together, under the name "".
const (
	maxFunctions    = 1000
	maxFunctionName = 1024
)

// tallies are counts by function.
type tallies map[string]*FunctionStats

// of returns the counts of a function, to add to.
func (t *tallies) of(function string) *FunctionStats {
	if len(function) > maxFunctionName {
		function = ""
	}
	known := (*t)[function]
	if known == nil && (len(*t) > maxFunctions || len(*t) == maxFunctions && (*t)[""] == nil) {
		function = ""
		known = (*t)[function]
	}
	if known == nil {
		if *t == nil {
			*t = tallies{}
		}
		known = new(FunctionStats)
		(*t)[function] = known
	}
	return known
}

func (t *tallies) addAll(other tallies) {
	for function, s := range other {
		t.of(function).add(s)
	}
}

// The history's file has its times in seconds, as records have.
type historyJSON struct {
	Format    int                       `json:"format"`
	Since     time.Time                 `json:"since"`
	Functions map[string]functionCounts `json:"functions"`
}

type functionCounts struct {
	Hits     int64   `json:"hits"`
	Misses   int64   `json:"misses"`
	Shared   int64   `json:"shared"`
	Faults   int64   `json:"faults"`
	Computed float64 `json:"computed"`
	Saved    float64 `json:"saved"`
}

// parseHistory reads the history's file. What is no history is an empty one.
func parseHistory(raw []byte) (since time.Time, counts tallies) {
	var file historyJSON
	if json.Unmarshal(raw, &file) != nil || file.Format != format {
		return since, nil
	}
	// In UTC the years 0 and 9999 may end in ones that JSON does not have.
	file.Since = file.Since.UTC()
	if year := file.Since.Year(); year < 0 || year > 9999 {
		return since, nil
	}
	for name, s := range file.Functions {
		seconds := func(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
		counts.of(name).add(&FunctionStats{s.Hits, s.Misses, s.Shared, s.Faults, seconds(s.Computed), seconds(s.Saved)})
	}
	return file.Since, counts
}

// historyBody is the history's file but for the check.
func historyBody(since time.Time, counts tallies) []byte {
	file := historyJSON{format, since.UTC(), map[string]functionCounts{}}
	for name, s := range counts {
		file.Functions[name] = functionCounts{s.Hits, s.Misses, s.Shared, s.Faults, s.Computed.Seconds(), s.Saved.Seconds()}
	}
	b, err := json.Marshal(file)
	if err != nil {
		panic(err) // there is nothing in it that JSON does not have
	}
	b[len(b)-1] = ',' // the check follows
	return b
}

// unwritten is what a Cache counted since it last told the history.
type unwritten struct {
	mu      sync.Mutex
	counts  tallies
	notes   int
	written time.Time

	// last are the counts of the function that was noted last, which is mostly the
	// next one too.
	last         *FunctionStats
	lastFunction string
}

const (
	// historyInterval is how often a Cache tells the history at most, before it
	// is closed.
	historyInterval = 10 * time.Second
	// notesPerLook is how many hits are counted between two looks at the clock.
	notesPerLook = 1024
)

// note counts calls, and reports whether it is time to write.
func (u *unwritten) note(function string, s *FunctionStats, now func() time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil || u.lastFunction != function {
		u.last, u.lastFunction = u.counts.of(function), function
	}
	u.last.add(s)
	if u.notes++; s.Misses == 0 && u.notes%notesPerLook != 0 {
		return false
	}
	at := now()
	if u.written.IsZero() {
		u.written = at
	}
	if recent(u.written, at, historyInterval) {
		return false
	}
	u.written = at
	return true
}

// take returns what was counted, for the caller to write or to give back.
func (u *unwritten) take() tallies {
	u.mu.Lock()
	defer u.mu.Unlock()
	counts := u.counts
	u.counts, u.last = nil, nil
	return counts
}

func (u *unwritten) giveBack(counts tallies) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.counts.addAll(counts)
}

// flushHistory adds what this Cache counted to the history's file. It stays counted
// here if that fails.
func (c *Cache) flushHistory(ctx context.Context, s store.Store) error {
	own := c.unwritten.take()
	if len(own) == 0 {
		return nil
	}
	err := revise(ctx, s, statsFile, func(raw []byte) []byte {
		since, counts := parseHistory(raw)
		if since.IsZero() {
			since = c.now()
		}
		counts.addAll(own)
		return historyBody(since, counts)
	})
	if err != nil {
		c.unwritten.giveBack(own)
	}
	return err
}

// History returns what all processes counted that used the folder, this one
// included. A process tells its counts every ten seconds or so, and when it closes the
// cache; what one that was killed had not told is missing. Where there is no folder,
// or it cannot be written, only this Cache's own counts are known.
func (c *Cache) History(ctx context.Context) (History, error) {
	if c == nil {
		return History{}, ErrNil
	}
	ctx = orBackground(ctx)
	s, release := c.use()
	defer release()
	h := History{Functions: map[string]FunctionStats{}}
	var counts tallies
	if s != nil {
		if err := c.flushHistory(ctx, s); err != nil && !mayFail(err) {
			return h, err
		}
		raw, err := readShared(ctx, s, statsFile)
		if err != nil {
			return h, err
		}
		h.Since, counts = parseHistory(raw)
	}
	c.unwritten.mu.Lock()
	defer c.unwritten.mu.Unlock()
	counts.addAll(c.unwritten.counts)
	for function, s := range counts {
		h.Functions[function] = *s
	}
	return h, nil
}

// mayFail reports whether an error is of a folder that is read-only, or cannot be
// written now.
func mayFail(err error) bool { return unavailable(err) || errors.Is(err, ErrReadOnly) }
