package memo

import (
	"bytes"
	"flag"
	"maps"
	"slices"
	"testing"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// eachSpoiled stores one entry in memory, and for each of its blobs and each
// content that spoil yields in its place calls the function twice: the damage must
// be noticed, counted and put aside, and the result be right both times.
func eachSpoiled(t *testing.T, spoil func(intact []byte, yield func([]byte))) {
	s := &storetest.Memory{}
	c := openOn(t, s)
	f := memoizeSample(t, c)
	call := func() {
		got, err := f.Call(t.Context(), 7)
		checkSample(t, 7, got, err)
	}
	call()
	entry := s.Blobs()
	if len(entry) != 6 {
		t.Fatalf("the entry has %d blobs: %v", len(entry), slices.Collect(maps.Keys(entry)))
	}
	for name, intact := range entry {
		tried := 0
		spoil(intact, func(spoiled []byte) {
			if t.Failed() {
				return
			}
			tried++
			s.Set(name, spoiled)
			before, aside := c.Stats(), s.Aside()
			call()
			after := c.Stats()
			call()
			again := c.Stats()
			if after.Misses != before.Misses+1 || after.Faults != before.Faults+1 || s.Aside() != aside+1 {
				t.Errorf("%s, variant %d: not noticed: %+v, then %+v", name, tried, before, after)
			}
			if again.Hits != after.Hits+1 || again.Faults != after.Faults {
				t.Errorf("%s, variant %d: not stored anew: %+v, then %+v", name, tried, after, again)
			}
			s.Set(name, intact)
		})
		t.Logf("%s: %d variants of %d bytes", name, tried, len(intact))
	}
}

var damageEvery = flag.Bool("damage.every", false, "flip every bit also of long blobs")

// stride is 1 but under the race detector, where it thins the tests of long blobs.
func stride(intact []byte) int {
	if raceEnabled && len(intact) > 2000 && !*damageEvery {
		return 13
	}
	return 1
}

func TestEveryFlippedBit(t *testing.T) {
	eachSpoiled(t, func(intact []byte, yield func([]byte)) {
		for i := 0; i < len(intact); i += stride(intact) {
			for bit := range 8 {
				if (len(intact) > 2000 || raceEnabled) && bit != i%8 && !*damageEvery {
					continue // one bit of each byte
				}
				spoiled := bytes.Clone(intact)
				spoiled[i] ^= 1 << bit
				yield(spoiled)
			}
		}
	})
}

func TestEveryTruncation(t *testing.T) {
	eachSpoiled(t, func(intact []byte, yield func([]byte)) {
		for n := 0; n < len(intact); n += stride(intact) {
			yield(intact[:n])
		}
		yield(append(bytes.Clone(intact), 0))
		yield(append(bytes.Clone(intact), intact...))
	})
}

// TestEverySwap puts each blob of two entries in the place of each other.
func TestEverySwap(t *testing.T) {
	s := &storetest.Memory{}
	c := openOn(t, s)
	if _, err := memoizeSample(t, c).Call(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	others := slices.Collect(maps.Values(s.Blobs()))
	eachSpoiled(t, func(intact []byte, yield func([]byte)) {
		for _, other := range others {
			if !bytes.Equal(other, intact) {
				yield(other)
			}
		}
	})
}
