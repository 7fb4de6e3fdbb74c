package store_test

import (
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// TestDirOnDisk holds the folder on a disk in memory to the suite, and sees that every
// file is closed.
func TestDirOnDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		disk := storetest.NewDisk(time.Now)
		t.Cleanup(func() {
			if err := disk.Leaks(); err != nil {
				t.Error(err)
			}
		})
		return store.NewDir(disk.Files(), false)
	})
}
