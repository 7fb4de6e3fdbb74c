package memo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// verbCauses are what the operations of a single verb fail with.
var verbCauses = []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EACCES, syscall.ESTALE, syscall.EINTR}

// verbs are the uses of a cache that holds calls 0 to 5 of vector and one of another
// function. A verb checks the results of calls; the error is that of others.
var verbs = []struct {
	name string
	do   func(t *testing.T, c *Cache, f *vectorFunction) error
}{
	{"get", func(t *testing.T, _ *Cache, f *vectorFunction) error { return callVector(f, 3) }},
	{"put", func(t *testing.T, _ *Cache, f *vectorFunction) error { return callVector(f, 7) }},
	{"refresh", func(t *testing.T, _ *Cache, f *vectorFunction) error {
		v, err := f.Refresh(3, 10)
		return errors.Join(err, checkVector(v, 3))
	}},
	{"has", func(t *testing.T, _ *Cache, f *vectorFunction) error { _, err := f.Has(3, 10); return err }},
	{"record", func(t *testing.T, _ *Cache, f *vectorFunction) error { _, err := f.Record(3, 10); return err }},
	{"forget", func(t *testing.T, _ *Cache, f *vectorFunction) error { return f.Forget(3, 10) }},
	{"trim LRU", trimTo(LRU)},
	{"trim LRI", trimTo(LRI)},
	{"trim least cost", trimTo(LeastCost)},
	{"clear", func(t *testing.T, c *Cache, _ *vectorFunction) error { return c.Clear(t.Context(), nil) }},
	{"clear function", func(t *testing.T, _ *Cache, f *vectorFunction) error { _, err := f.Clear(t.Context()); return err }},
	{"verify", func(t *testing.T, c *Cache, _ *vectorFunction) error {
		// What cannot be read now is reported as what is damaged is.
		report, err := c.Verify(t.Context(), nil)
		return errors.Join(append(report.Damaged, err)...)
	}},
	{"history", func(t *testing.T, c *Cache, _ *vectorFunction) error { _, err := c.History(t.Context()); return err }},
	{"usage", func(t *testing.T, c *Cache, _ *vectorFunction) error { _, _, err := c.Usage(t.Context()); return err }},
	{"close", func(t *testing.T, c *Cache, _ *vectorFunction) error { return c.Close() }},
}

type vectorFunction = Function[func(float64, int) ([]float64, error)]

var errWrong = errors.New("WRONG result")

func checkVector(v []float64, x float64) error {
	if len(v) != 10 || v[0] != x || v[9] != x {
		return fmt.Errorf("%w for %v: %v", errWrong, x, v)
	}
	return nil
}

func callVector(f *vectorFunction, x float64) error {
	v, err := f.Call(x, 10)
	return errors.Join(err, checkVector(v, x))
}

func trimTo(p Policy) func(*testing.T, *Cache, *vectorFunction) error {
	return func(t *testing.T, c *Cache, _ *vectorFunction) error {
		_, err := c.Trim(t.Context(), Limits{MaxEntries: 3, Policy: p}, nil)
		return err
	}
}

// tryVerb uses a filled cache in one way while operation i fails, none where i is
// negative. It returns what was stored before and after, and which operations failed.
func tryVerb(t *testing.T, do func(*testing.T, *Cache, *vectorFunction) error, i int, cause error) (c *Cache, s *storetest.Faulty, before, after map[string][]byte, err error) {
	t.Helper()
	now := newHandClock()
	s = &storetest.Faulty{Store: &storetest.Memory{}}
	o := quiet()
	o.Now, o.Limits = now.Now, Limits{MaxEntries: 800}
	c, err = Open("", o)
	if err != nil {
		t.Fatal(err)
	}
	c.store = s
	f := fill(t, c, now, 6)
	callSample(t, c)
	callSample(t, c)        // a hit, which the history does not have yet
	now.pass(2 * time.Hour) // so that a use is noted
	blobs := s.Store.(*storetest.Memory).Blobs
	before = blobs()
	s.Fail(func(n int, _ string) error {
		if n == i {
			return cause
		}
		return nil
	})
	err = do(t, c, f)
	return c, s, before, blobs(), err
}

// callSample calls the sample function, which has many objects.
func callSample(t *testing.T, c *Cache) {
	t.Helper()
	got, err := memoizeSample(t, c).Call(context.Background(), 1)
	checkSample(t, 1, got, err)
}

// entriesIn returns the records and objects among blobs.
func entriesIn(blobs map[string][]byte) map[string][]byte {
	entries := maps.Clone(blobs)
	maps.DeleteFunc(entries, func(name string, _ []byte) bool {
		return !strings.HasPrefix(name, callsFolder+"/") && !strings.HasPrefix(name, objectsFolder+"/")
	})
	return entries
}

// goneByCost returns what may have gone where costs decide, which the clock measures:
// any entries, but no more of them than records says, and no object of one that stays.
func goneByCost(t *testing.T, before, after map[string][]byte, records int) map[string][]byte {
	t.Helper()
	mayGo := entriesIn(before)
	for name, record := range after {
		if !isRecord(name) {
			continue
		}
		delete(mayGo, name)
		for _, digest := range objectDigests(record) {
			for object := range before {
				if d, ok := objectOf(object); ok && d == digest {
					delete(mayGo, object)
				}
			}
		}
	}
	if gone := countRecords(mayGo); gone > records {
		t.Errorf("%d entries went, not %d", gone, records)
	}
	return mayGo
}

// countRecords returns the number of records among blobs.
func countRecords(blobs map[string][]byte) (n int) {
	for name := range blobs {
		if isRecord(name) {
			n++
		}
	}
	return n
}

// TestEveryOperationOfAVerbFails fails each store operation of each verb in turn, for
// each cause: a call returns its result and others their result or the cause, nothing
// is lost but what the verb removes when all goes well, and the cache works afterwards.
func TestEveryOperationOfAVerbFails(t *testing.T) {
	for _, verb := range verbs {
		t.Run(verb.name, func(t *testing.T) {
			_, s, before, after, err := tryVerb(t, verb.do, -1, nil)
			if err != nil {
				t.Fatal(err)
			}
			operations, causes, told := s.Count(), 0, 0
			removes := entriesIn(before)
			maps.DeleteFunc(removes, func(name string, _ []byte) bool { _, kept := after[name]; return kept })
			for n, cause := range verbCauses {
				if raceEnabled && n%3 != 1 {
					continue
				}
				causes++
				for i := range operations {
					c, s, before, after, err := tryVerb(t, verb.do, i, cause)
					what := fmt.Sprintf("%v at operation %d (%q)", cause, i, s.Failed())
					s.Fail(nil)
					if err != nil && !errors.Is(err, cause) || errors.Is(err, errWrong) {
						t.Errorf("%s: %v", what, err)
					}
					if err != nil {
						told++
					}
					if isCall := verb.name == "get" || verb.name == "put" || verb.name == "refresh"; isCall && err != nil {
						t.Errorf("%s: the call got %v", what, err)
					}
					mayGo := removes
					if verb.name == "trim least cost" {
						mayGo = goneByCost(t, before, after, countRecords(removes))
					}
					for name, content := range entriesIn(before) {
						_, may := mayGo[name]
						now, kept := after[name]
						if !kept && !may {
							t.Errorf("%s: %s is lost", what, name)
						} else if kept && verb.name != "refresh" && string(now) != string(content) {
							t.Errorf("%s: %s has changed", what, name)
						}
					}
					if n := s.Store.(*storetest.Memory).Aside(); n > 0 {
						t.Errorf("%s: %d intact files were put aside", what, n)
					}
					if verb.name != "close" {
						checkWorks(t, c, what)
						if err := c.Close(); err != nil {
							t.Errorf("%s: %v", what, err)
						}
					}
					if t.Failed() {
						t.FailNow()
					}
				}
			}
			t.Logf("%d operations, %d causes: %d errors told", operations, causes, told)
		})
	}
}

// checkWorks uses a cache whose store is whole again.
func checkWorks(t *testing.T, c *Cache, what string) {
	t.Helper()
	f := vector(t, c)
	for range 2 {
		for x := range 4 {
			if err := callVector(f, float64(x)); err != nil {
				t.Errorf("%s: afterwards: %v", what, err)
			}
		}
		callSample(t, c)
	}
	if r, err := c.Verify(t.Context(), nil); err != nil || len(r.Damaged) > 0 {
		t.Errorf("%s: afterwards: %+v, %v", what, r, err)
	}
	if err := trimTo(LRU)(t, c, f); err != nil {
		t.Errorf("%s: afterwards: %v", what, err)
	}
	if n, _, err := c.Usage(t.Context()); err != nil || n != 3 {
		t.Errorf("%s: %d entries, trimmed to 3: %v", what, n, err)
	}
}
