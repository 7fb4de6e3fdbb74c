package tiered_test

import (
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/guarded"
	"github.com/numcache/numcache/memo/internal/store/storetest"
	"github.com/numcache/numcache/memo/internal/store/tiered"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store {
		return tiered.New(&storetest.Memory{}, &storetest.Memory{}, tiered.Options{})
	})
}

func TestConformanceGuarded(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store {
		return tiered.New(&storetest.Memory{}, guarded.New(&storetest.Memory{}, guarded.Options{}), tiered.Options{})
	})
}

func TestConformanceFolder(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		d, err := store.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return tiered.New(d, &storetest.Memory{FixedTimes: true}, tiered.Options{})
	})
}
