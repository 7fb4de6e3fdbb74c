package memo

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/numcache/numcache/memo/internal/store"
	"github.com/numcache/numcache/memo/internal/store/storetest"
)

// TestFailingFilesAreClosed fails the operations of some verbs in a folder, where the
// system tells which files are open, as TestEveryFileOperationFails does on a disk in
// memory.
func TestFailingFilesAreClosed(t *testing.T) {
	openFiles := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	use := func(i int) (operations int) {
		now := newHandClock()
		files, err := store.OpenFiles(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		faulty := &storetest.FaultyFiles{Files: files}
		c, err := openOnDisk(faulty, now, func(o *Options) { o.Sync = SyncNone }, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := vector(t, c)
		call := func(x float64) {
			if err := callVector(f, x); err != nil {
				t.Errorf("operation %d fails: %v", i, err)
			}
		}
		call(1)
		faulty.Fail(func(n int, _ string) error {
			if n == i {
				return syscall.EIO
			}
			return nil
		})
		call(1)
		call(2)
		_, trimErr := c.Trim(t.Context(), Limits{MaxEntries: 1}, nil)
		clearErr := c.Clear(t.Context(), nil)
		operations = faulty.Count()
		faulty.Fail(nil)
		if err := c.Close(); err != nil {
			t.Errorf("operation %d fails: %v", i, err)
		}
		for _, err := range []error{trimErr, clearErr} {
			if err != nil && !errors.Is(err, syscall.EIO) {
				t.Errorf("operation %d fails: %v", i, err)
			}
		}
		return operations
	}
	operations := use(-1)
	before := openFiles()
	for i := 0; i < operations; i += 5 { // it is the disk in memory that counts for all
		use(i)
	}
	if after := openFiles(); after > before+5 { // the runtime may open some
		t.Errorf("%d files are open, then %d, as %d operations fail", before, after, operations)
	}
	if operations < 50 {
		t.Errorf("only %d operations", operations)
	}
}
