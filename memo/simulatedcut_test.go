package memo

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// simulatedCuts calls f with simulated power cuts of every kind, some of each.
func simulatedCuts(f func(cut func(*storetest.Disk) *storetest.Disk)) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		f(func(d *storetest.Disk) *storetest.Disk { return d.Cut(storetest.AnyLoss(r), r) })
	}
}

// TestOpensAfterPowerCut opens a folder that was just made, of whose files a power cut
// has left anything.
func TestOpensAfterPowerCut(t *testing.T) {
	simulatedCuts(func(cut func(*storetest.Disk) *storetest.Disk) {
		now := newHandClock()
		disk := storetest.NewDisk(now.Now)
		for range 3 {
			c, err := openOnDisk(disk.Files(), now, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			disk = cut(disk)
		}
	})
}

// TestSyncedBesideUnsynced has caches with and without compression store the same
// result, one synced and one not: the synced entry survives power cuts, whichever came
// first.
func TestSyncedBesideUnsynced(t *testing.T) {
	type step struct {
		name     string
		sync     Sync
		compress int
	}
	plain, packed := step{"unsynced", SyncNone, 0}, step{"unsynced", SyncNone, 1}
	for what, steps := range map[string][]step{
		"beside plain":             {plain, {"synced", SyncFull, 0}},
		"beside packed":            {packed, {"synced", SyncFull, 1}},
		"packed beside plain":      {plain, {"synced", SyncFull, 1}},
		"plain beside packed":      {packed, {"synced", SyncFull, 0}},
		"plain, then plain":        {{"synced", SyncFull, 0}, plain},
		"packed, then plain":       {{"synced", SyncFull, 1}, plain},
		"packed, then packed":      {{"synced", SyncFull, 1}, packed},
		"plain, then packed plain": {{"synced", SyncFull, 0}, packed, plain},
	} {
		t.Run(what, func(t *testing.T) {
			simulatedCuts(func(cut func(*storetest.Disk) *storetest.Disk) {
				now := newHandClock()
				disk := storetest.NewDisk(now.Now)
				call := func(s step) Stats {
					c, err := openOnDisk(disk.Files(), now, func(o *Options) { o.Sync, o.Compress, o.Patience = s.sync, s.compress, -1 }, nil)
					if err != nil {
						t.Fatal(err)
					}
					if err := callUnsynced(t, c, s.name); err != nil {
						t.Fatal(err)
					}
					disk = cut(disk)
					return c.Stats()
				}
				for _, s := range steps {
					call(s)
				}
				for range 2 {
					if s := call(step{"synced", SyncFull, 0}); s.Hits != 1 {
						t.Fatalf("%+v, want a hit", s)
					}
				}
			})
		})
	}
}

// TestReplacedAtPowerCut refreshes a synced call, which has another result by then, while
// the power fails at each operation in turn: afterwards the call is a hit, with the one
// result or the other, and with the new one if the refresh had ended.
func TestReplacedAtPowerCut(t *testing.T) {
	now := newHandClock()
	open := func(disk *storetest.Disk, value float64) (*Cache, *Function[func() []float64]) {
		c, err := openOnDisk(disk.Files(), now, func(o *Options) { o.Patience = -1 }, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Func(c, Spec{Name: "replaced", Version: "1"}, func() []float64 { return []float64{value} })
		if err != nil {
			t.Fatal(err)
		}
		return c, f
	}
	stored := storetest.NewDisk(now.Now)
	c, f := open(stored, 1)
	f.Call()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	old := 0
	for operations, ended := 1, false; !ended; operations++ {
		for seed := range uint64(40) {
			r := rand.New(rand.NewPCG(seed, 0))
			disk := stored.Clone(now.Now)
			c, f := open(disk, 2)
			disk.FailAfter(operations)
			f.Refresh()
			ended = !disk.Failed()
			_ = c.Close() // the power may be off
			c, f = open(disk.Cut(storetest.AnyLoss(r), r), 3)
			found := f.Call()[0]
			if s := c.Stats(); s.Hits != 1 || ended && found != 2 {
				t.Errorf("the power fails at operation %d, seed %d: %v, %+v", operations, seed, found, s)
			}
			if found == 1 {
				old++
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if old == 0 {
		t.Error("nothing was lost")
	}
}

// TestOpenWhileFilesFail: a cache whose folder cannot be had now opens, and computes.
func TestOpenWhileFilesFail(t *testing.T) {
	disk := damagedDisk(t) // so that the tag is read
	for _, fault := range []struct {
		op    string
		nth   int
		cause error
	}{{"open", 2, syscall.ESTALE}, {"close", 1, syscall.EINTR}, {"write", 1, storetest.ErrShort}} {
		now := newHandClock()
		faulty := &storetest.FaultyFiles{Files: disk.Clone(now.Now).Files()}
		var ops []string
		faulty.Fail(func(_ int, op string) error {
			ops = append(ops, op)
			n := len(ops) - len(slices.DeleteFunc(slices.Clone(ops), func(o string) bool { return o == op }))
			if op == fault.op && n >= fault.nth {
				return fault.cause
			}
			return nil
		})
		c, err := openOnDisk(faulty, now, nil, nil)
		if err != nil {
			t.Errorf("%v: %v", fault, err)
			continue
		}
		if n := len(faulty.Failed()); n == 0 || c.Stats().Faults == 0 {
			t.Errorf("%v: %d operations failed, %+v", fault, n, c.Stats())
		}
		if err := callVector(vector(t, c), 1); err != nil {
			t.Errorf("%v: %v", fault, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("%v: %v", fault, err)
		}
	}
}
