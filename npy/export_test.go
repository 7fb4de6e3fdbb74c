package npy

import "io"

// Writes lets a test stand between an Appender and its file.
func (a *Appender) Writes(through func(io.WriterAt) io.WriterAt) { a.w = through(a.w) }

// SetZip64Limit makes archives take n for the first size that does not fit 32
// bits, until the returned function is called.
func SetZip64Limit(n int64) (restore func()) {
	before := limit32
	limit32 = n
	return func() { limit32 = before }
}
