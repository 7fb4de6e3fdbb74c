// Package examples holds runnable programs, each in a folder of its own. The
// tests of this package run them, and hold the README to what they do.
//
//   - quickstart: memoize one function of a matrix; the code in the README.
//   - python: a Go program and a NumPy script that share one cache.
//   - growing: statistics of a file that grows, in parallel over its blocks, of
//     which only the new ones are computed.
//   - pipeline: two steps, of which the second takes the first one's result without
//     hashing it, with stamps of their code as versions; what is computed says why.
package examples
