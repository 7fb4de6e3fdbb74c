//go:build !race

package array_test

const poolDrops = false
