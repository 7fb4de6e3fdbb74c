//go:build race

package memo

// raceEnabled lets the longest tests do less where everything takes longer.
const raceEnabled = true
