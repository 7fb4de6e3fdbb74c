package memo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// tierPolicies are those that a memory tier can have.
var tierPolicies = []Policy{DefaultPolicy, LRU, LRI}

// callText computes or looks up a string of the given length.
func callText(t testing.TB, c *Cache, n, length int) {
	t.Helper()
	got, err := Do(context.Background(), c, NewKey("text", "1").Add(n), func(context.Context) (string, error) {
		return strings.Repeat("x", length), nil
	})
	if err != nil || len(got) != length {
		t.Errorf("call %d returned %d bytes, want %d; %v", n, len(got), length, err)
	}
}

// heldInMemory returns which of the calls 0 to n-1 are in memory. Asking is no use.
func heldInMemory(t testing.TB, c *Cache, n int) (held []int) {
	t.Helper()
	for i := range n {
		if ok, err := c.Has(context.Background(), NewKey("text", "1").Add(i)); err != nil {
			t.Error(err)
		} else if ok {
			held = append(held, i)
		}
	}
	return held
}

// bytesKept returns the bytes of the entries in a tier.
func bytesKept(tier *tier) (total int64) {
	switch m := tier.entries.(type) {
	case *otterMap:
		for _, e := range m.cache.All() {
			total += e.bytes
		}
	case *listMap:
		for _, at := range m.items {
			total += at.Value.(*listItem).bytes
		}
		if total != m.bytes || len(m.items) != m.order.Len() {
			panic(fmt.Sprintf("%d bytes are taken for %d; %d items, %d in order", total, m.bytes, len(m.items), m.order.Len()))
		}
	}
	return total
}

func TestBoundsHold(t *testing.T) {
	const calls = 400
	for _, policy := range tierPolicies {
		for _, m := range []Memory{
			{MaxEntries: 1}, {MaxEntries: 7}, {MaxEntries: 100}, {MaxBytes: 50_000}, {MaxBytes: 5_000}, {MaxBytes: 50_000, MaxEntries: 20},
			{MaxBytes: 20_000, MaxEntries: 1000}, {MaxBytes: 1 << 40, MaxEntries: 13}, {MaxBytes: 1 << 62}, {},
		} {
			m.Policy = policy
			c := openMemory(t, m)
			for i := range calls {
				callText(t, c, i, i%50*100)
				if n := c.memory.len(); m.MaxEntries > 0 && n > int64(m.MaxEntries) {
					t.Fatalf("%+v: %d entries", m, n)
				}
				if n := bytesKept(c.memory); m.MaxBytes > 0 && n > m.MaxBytes {
					t.Fatalf("%+v: %d bytes", m, n)
				}
			}
			s := c.Stats()
			tooLarge := int64(0)
			if m.MaxBytes == 5_000 {
				for i := range calls {
					if i%50*100+16+keptOverhead > 5_000 {
						tooLarge++
					}
				}
			}
			if s.Misses != calls || s.MemoryEntries+s.MemoryEvicted+tooLarge != calls || s.MemoryEntries == 0 {
				t.Errorf("%+v: %+v, and %d too large", m, s, tooLarge)
			}
			if full := int64(m.MaxEntries); m.MaxBytes == 0 && full > 0 && s.MemoryEntries != full {
				t.Errorf("%+v: only %d entries are kept", m, s.MemoryEntries)
			}
			if m.MaxEntries == 0 && m.MaxBytes == 0 && s.MemoryEntries != calls {
				t.Errorf("%d entries are kept without a bound", s.MemoryEntries)
			}
		}
	}
}

// TestExactOrder is that of functools.lru_cache and of boltons' LRU and LRI.
func TestExactOrder(t *testing.T) {
	for _, test := range []struct {
		policy Policy
		calls  []int
		held   []int
	}{
		{LRU, []int{0, 1, 2}, []int{0, 1, 2}},
		{LRU, []int{0, 1, 2, 3}, []int{1, 2, 3}},
		{LRU, []int{0, 1, 2, 0, 3}, []int{0, 2, 3}},
		{LRU, []int{0, 1, 2, 0, 1, 3, 0, 4}, []int{0, 3, 4}},
		{LRI, []int{0, 1, 2, 3}, []int{1, 2, 3}},
		{LRI, []int{0, 1, 2, 0, 0, 3}, []int{1, 2, 3}},
		{LRI, []int{0, 1, 2, 1, 3, 1, 4}, []int{2, 3, 4}},
	} {
		c := openMemory(t, Memory{Policy: test.policy, MaxEntries: 3})
		for _, n := range test.calls {
			callText(t, c, n, 1)
		}
		checkEqual(t, fmt.Sprint(test.policy, " after ", test.calls), heldInMemory(t, c, 5), test.held)
	}
	// By bytes, one large entry takes the place of several.
	c := openMemory(t, Memory{Policy: LRU, MaxBytes: 4 * (keptOverhead + 16 + 100)})
	for i := range 4 {
		callText(t, c, i, 100)
	}
	callText(t, c, 0, 100)
	callText(t, c, 4, 100+keptOverhead+16+100)
	checkEqual(t, "LRU by bytes", heldInMemory(t, c, 5), []int{0, 3, 4})
}

// TestRefreshIsAnInsertion: a replaced entry is as good as a new one, once.
func TestRefreshIsAnInsertion(t *testing.T) {
	for _, policy := range tierPolicies {
		c := openMemory(t, Memory{Policy: policy, MaxEntries: 2})
		callText(t, c, 0, 1)
		callText(t, c, 1, 1)
		if _, err := Refresh(t.Context(), c, NewKey("text", "1").Add(0), func(context.Context) (string, error) { return "refreshed", nil }); err != nil {
			t.Error(err)
		}
		callText(t, c, 0, len("refreshed"))
		if s := c.Stats(); s.MemoryEntries != 2 || s.MemoryEvicted != 0 {
			t.Errorf("%v: %+v", policy, s)
		}
		if callText(t, c, 2, 1); policy != DefaultPolicy {
			checkEqual(t, policy.String(), heldInMemory(t, c, 3), []int{0, 2})
		}
	}
}

// TestScansDoNotSpoilTheDefault: what is used often stays when much is used once.
func TestScansDoNotSpoilTheDefault(t *testing.T) {
	c := openMemory(t, Memory{MaxEntries: 100})
	for range 20 {
		for i := range 50 {
			callText(t, c, i, 1)
		}
	}
	for i := 1000; i < 2000; i++ {
		callText(t, c, i, 1)
	}
	if n := len(heldInMemory(t, c, 50)); n < 45 {
		t.Errorf("after a scan only %d of 50 entries that are used often are there", n)
	}
}

func TestWhatIsTooLargeIsNotKept(t *testing.T) {
	for _, policy := range tierPolicies {
		const room = 2000
		c := openMemory(t, Memory{Policy: policy, MaxBytes: room})
		callText(t, c, 0, 10)
		callText(t, c, 1, room)
		callText(t, c, 1, room)
		checkEqual(t, policy.String(), heldInMemory(t, c, 2), []int{0})
		// Nor does what it had before stay.
		long := strings.Repeat("y", room)
		if got, err := Refresh(t.Context(), c, NewKey("text", "1").Add(0), func(context.Context) (string, error) { return long, nil }); got != long || err != nil {
			t.Error(err)
		}
		checkEqual(t, policy.String(), heldInMemory(t, c, 2), []int(nil))
		if s := c.Stats(); s.Hits != 0 || s.Misses != 4 || s.Faults != 0 || s.MemoryEvicted != 0 {
			t.Errorf("%v: %+v", policy, s)
		}
	}
}

// TestStorm runs every operation at once on few keys, and holds the bounds after it.
func TestStorm(t *testing.T) {
	for _, policy := range tierPolicies {
		c := openMemory(t, Memory{Policy: policy, MaxEntries: 3, MaxBytes: 1 << 20})
		f := memoizeSample(t, c)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 300 {
					n := (g + i) % 5
					got, err := f.Call(context.Background(), n)
					checkSample(t, n, got, err)
					got.D.Set(0, 0, -1)
					got.Count["a"][0] = -1
					switch {
					case g == 0 && i%10 == 0:
						err = f.Forget(n)
					case g == 1 && i%50 == 0:
						err = c.Clear(context.Background(), nil)
					case g == 2 && i%50 == 0:
						_, err = f.Clear(context.Background())
					case g == 3:
						_, err = f.Has(n)
					case g == 4 && i%20 == 0:
						_, err = f.Refresh(context.Background(), n)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		s := c.Stats()
		if c.memory.len() > 3 || s.Hits != s.MemoryHits || s.Hits+s.Misses+s.Shared != 8*300+15 || s.Faults != 0 {
			t.Errorf("%v: %+v", policy, s)
		}
	}
}

// TestCloseEmptiesTheTier: functions compute every time then, and the other verbs
// say why.
func TestCloseEmptiesTheTier(t *testing.T) {
	for _, policy := range tierPolicies {
		for _, c := range []*Cache{openMemory(t, Memory{Policy: policy}), withMemory(t, openOn(t, &storetest.Memory{}), Memory{Policy: policy})} {
			callText(t, c, 0, 1)
			for range 2 {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
			callText(t, c, 0, 1)
			callText(t, c, 0, 1)
			if s := c.Stats(); s.Misses != 3 || s.Hits != 0 || s.MemoryEntries != 0 {
				t.Errorf("%v: %+v", policy, s)
			}
			k := NewKey("text", "1").Add(0)
			_, hasErr := c.Has(t.Context(), k)
			var s string
			getErr := c.Ref(k).Get(t.Context(), &s)
			for what, err := range map[string]error{"Has": hasErr, "Forget": c.Forget(t.Context(), k), "Clear": c.Clear(t.Context(), nil), "Get": getErr} {
				if !errors.Is(err, ErrClosed) {
					t.Errorf("%v, %s after Close: %v, want ErrClosed", policy, what, err)
				}
			}
		}
	}
}

// TestCloseInTheMidst: nothing is kept by calls that were under way.
func TestCloseInTheMidst(t *testing.T) {
	for _, policy := range tierPolicies {
		synctest.Test(t, func(t *testing.T) {
			c := openMemory(t, Memory{Policy: policy})
			release := make(chan struct{})
			w := start(t, func(ctx context.Context) (int, error) {
				return Do(ctx, c, NewKey("f", "1"), func(context.Context) (int, error) { <-release; return 1, nil })
			})
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			close(release)
			synctest.Wait()
			if !w.done || w.value != 1 || w.err != nil || c.Stats().MemoryEntries != 0 {
				t.Errorf("%+v, %+v", w, c.Stats())
			}
			w.cancel()
		})
	}
}

// TestNoGoroutineIsLeft: a bubble ends only when all its goroutines have.
func TestNoGoroutineIsLeft(t *testing.T) {
	for _, policy := range tierPolicies {
		synctest.Test(t, func(t *testing.T) {
			c := openMemory(t, Memory{Policy: policy, MaxEntries: 5})
			for i := range 1000 {
				callText(t, c, i%20, 1)
			}
		})
	}
}
