//go:build race

package array_test

// poolDrops: with the race detector a sync.Pool forgets some of what it is given.
const poolDrops = true
