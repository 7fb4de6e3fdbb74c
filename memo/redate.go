package memo

import (
	"context"
	"time"
)

// redate gives an entry from the future, by a clock that was set back since or was never
// right, a time as if it had not been used for a while, and returns that. So it is older
// than what was used since, and grows older. Otherwise it would stay until the clock
// has come there, while what is in use is evicted.
//
// So do those of its objects that are from the future too. One that is not was used since
// by another entry, whose time it keeps.
func (col *collection) redate(ctx context.Context, name string) time.Time {
	at := col.now.Add(-col.limits.touchInterval())
	if col.dryRun {
		return at
	}
	raw, _, err := col.s.Get(ctx, name, maxRecord)
	for _, digest := range objectDigests(raw) {
		object, statErr := statObject(ctx, col.s, digest)
		if statErr == nil && ahead(object.Modified, col.now) && err == nil {
			err = col.s.Freshen(ctx, object.Name, at)
		}
	}
	// Where this fails the next collection does it; the order in this one is the same.
	if err == nil {
		_ = col.s.Freshen(ctx, name, at)
	}
	return at
}
