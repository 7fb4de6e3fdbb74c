//go:build !unix

package npy

// nonblock is not needed where files are not opened through FIFOs.
const nonblock = 0
