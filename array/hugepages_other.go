//go:build !linux && !purego

package array

func adviseHuge([]byte) {}
