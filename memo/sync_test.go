package memo

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// syncCounter counts the blobs that are to be durable, and the others, but for the counts
// that processes share.
type syncCounter struct {
	store.Store
	durable, other int
}

func (s *syncCounter) count(name string, o store.PutOptions) {
	switch {
	case name == statsFile || name == usageFile:
	case o.Durable:
		s.durable++
	default:
		s.other++
	}
}

func (s *syncCounter) Put(ctx context.Context, name string, o store.PutOptions, write func(io.Writer) error) error {
	s.count(name, o)
	return s.Store.Put(ctx, name, o, write)
}

func (s *syncCounter) PutIfAbsent(ctx context.Context, name string, size int64, o store.PutOptions, write func(io.Writer) error) (bool, error) {
	s.count(name, o)
	return s.Store.PutIfAbsent(ctx, name, size, o, write)
}

// TestSyncsByPolicy computes for a time just below the threshold of SyncAuto, and for
// just so long, and counts what is stored durably: the record and its object.
func TestSyncsByPolicy(t *testing.T) {
	for _, test := range []struct {
		sync    Sync
		took    time.Duration
		durable int
	}{
		{SyncAuto, 0, 0}, {SyncAuto, SyncThreshold - 1, 0}, {SyncAuto, SyncThreshold, 2}, {SyncAuto, time.Hour, 2},
		{SyncFull, 0, 2}, {SyncFull, time.Hour, 2},
		{SyncNone, 0, 0}, {SyncNone, time.Hour, 0},
	} {
		synctest.Test(t, func(t *testing.T) { // time passes as the function says
			s := &syncCounter{Store: &storetest.Memory{}}
			c := openOn(t, s)
			c.options.Sync = test.sync
			f, err := Func(c, Spec{Name: "slow", Version: "1"}, func(x float64) []float64 {
				time.Sleep(test.took)
				return []float64{x}
			})
			if err != nil {
				t.Fatal(err)
			}
			f.Call(1)
			if s.durable != test.durable || s.other != 2-test.durable {
				t.Errorf("Sync %d, computed for %v: %d durable and %d others, want %d durable of 2", test.sync, test.took, s.durable, s.other, test.durable)
			}
		})
	}
	if _, err := Open("", &Options{Sync: SyncNone + 1}); !errors.Is(err, ErrArguments) {
		t.Errorf("an unknown Sync: %v", err)
	}
}
