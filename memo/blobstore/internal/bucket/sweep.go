package bucket

import (
	"context"
	"time"
)

// Grace is the age from which on an upload that no part came to, and a lease that was
// not rewritten, are nobody's: far longer than a writer stays between two parts, and
// than clocks are apart.
const Grace = 24 * time.Hour

// Sweep implements [store.Store]: it drops uploads that were begun and not ended, which
// take space that no listing shows, and leases of the dead.
func (s *Bucket) Sweep(ctx context.Context, now time.Time) (freed int64, err error) {
	b, release, err := s.begin(ctx, "sweep", leases, true)
	if err != nil {
		return 0, err
	}
	defer release()
	for info, err := range s.List(ctx, leases) {
		if err != nil {
			return freed, err
		}
		if now.Sub(info.Modified).Abs() < Grace {
			continue
		}
		if err := s.Delete(ctx, info.Name); err != nil {
			return freed, err
		}
		freed += info.Size
	}
	if s.driver.SweepUploads == nil {
		return freed, nil
	}
	dropped, err := s.driver.SweepUploads(ctx, b, s.name, s.prefix, now)
	return freed + dropped, s.fail(ctx, b, "sweep", leases, err)
}
