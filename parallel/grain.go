package parallel

import "time"

const (
	// loopTarget is how long an automatic range should take: so long that the
	// tens of nanoseconds of claiming and timing it do not count, so short that
	// a whole one left at the end does not either.
	loopTarget = time.Millisecond

	// rangesPerWorker bounds an automatic range by a fraction of a worker's even
	// share of what is left, so that ranges shrink towards the end.
	rangesPerWorker = 8

	// maxRange bounds it absolutely, because a function over a range is
	// interrupted only between ranges.
	maxRange = 1 << 16

	// growth bounds how much longer than the last one a range may be: one that
	// was quick by chance says little.
	growth = 8

	// stride is how many items of an automatic range are run between two
	// looks at the clock. Where the items suddenly take seconds, so many of
	// them are run by one worker before others get the rest.
	stride = 32
)

// grainFor returns how many items should last for target, of which n took d.
func grainFor(n int, d, target time.Duration, most int) int {
	bound := min(most, n*growth)
	if d <= 0 {
		return max(bound, 1)
	}
	return max(int(min(float64(n)*float64(target)/float64(d), float64(bound))), 1)
}
