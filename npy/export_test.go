package npy

import "io"

// Writes lets a test stand between an Appender and its file.
func (a *Appender) Writes(through func(io.WriterAt) io.WriterAt) { a.w = through(a.w) }
