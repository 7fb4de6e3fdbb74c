// Package examples holds runnable programs, each in a folder of its own. The
// tests of this package run them, and hold the README to what they do.
//
//   - quickstart: memoize one function of a matrix; the code in the README.
//   - python: a Go program and a NumPy script that share one cache.
//   - growing: statistics of a file that grows, in parallel over its blocks, of
//     which only the new ones are computed.
//   - bigfile: an array larger than the memory it may use, written and worked on block
//     by block; a stored result of which a part is looked at.
//   - arguments: structs, their tags, and arguments that are ignored: what makes another
//     call, and what does not.
//   - keyer: types that say themselves what stands for them in a key, a sparse matrix and
//     a file.
//   - pipeline: two steps, of which the second takes the first one's result without
//     hashing it, with stamps of their code as versions; what is computed says why.
//
// The folder notebooks has notebooks for gophernotes, and MIGRATING.md the calls of
// joblib, functools and NumPy beside ours.
package examples
