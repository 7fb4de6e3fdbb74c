package bucket

import (
	"context"
	"time"
)

// slowest is how many bytes a second a store must move: below that it counts as one
// that does not answer.
const slowest = 1 << 20

// allow is how long an operation may take that moves so many bytes.
func (s *Bucket) allow(bytes int64) time.Duration {
	return s.timeout + time.Duration(float64(bytes)/slowest*float64(time.Second))
}

// within bounds an operation that moves so many bytes, the repetitions of its requests
// included.
func (s *Bucket) within(ctx context.Context, bytes int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.allow(bytes))
}

// watched is a context that ends when the watch is not put off in time: at first by
// what a request without content may take.
func (s *Bucket) watched(ctx context.Context) (watched context.Context, watch *time.Timer, cancel context.CancelFunc) {
	watched, end := context.WithCancel(ctx)
	watch = time.AfterFunc(s.allow(0), end)
	return watched, watch, func() {
		watch.Stop()
		end()
	}
}
