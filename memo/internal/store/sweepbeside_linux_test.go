package store_test

import (
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/numcache/numcache/memo/internal/store"
)

// TestSweepBesideWriters sweeps, by clocks that are a year ahead and a year behind, while
// others write: no file of theirs is taken, not even in the moment before it is locked.
func TestSweepBesideWriters(t *testing.T) {
	d := openDir(t, t.TempDir())
	var writers, sweepers sync.WaitGroup
	done := make(chan struct{})
	for _, years := range []int{-1, 1} {
		sweepers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := d.Sweep(t.Context(), time.Now().AddDate(years, 0, 0)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for w := range 3 {
		writers.Go(func() {
			for i := range 150 {
				err := d.Put(t.Context(), "a/"+strconv.Itoa(w), store.PutOptions{Modified: time.Unix(int64(i), 0)}, func(w io.Writer) error {
					_, err := io.WriteString(w, "content")
					return err
				})
				if err != nil {
					t.Errorf("Put beside a sweep: %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	sweepers.Wait()
}
