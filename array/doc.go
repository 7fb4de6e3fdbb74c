// Package array holds typed n-dimensional arrays, reads gonum's matrices and
// vectors as if they were arrays, and computes digests that name an array by
// its contents.
//
// # Arrays
//
// An [Array] is the Go side of a C-contiguous NumPy array: one slice of a
// numeric type and a shape.
//
//	a, err := array.New[float32](3, 4)           // zeros
//	a, err := array.FromSlice(data, 3, 4)        // over data, without a copy
//	row, err := a.Slice(1, 2)                    // row 1, the same memory
//	v, err := a.At(2, 3)
//
// The element types are bool, int8 to int64, uint8 to uint64, float32, float64,
// complex64 and complex128, and [Half], which keeps NumPy's float16. [Any] is an
// array whose element type is known only at run time; a type switch over
// *Array[float64] and its like gives the typed array back. [FromBytes] makes an
// array over memory that came from elsewhere, such as a mapped file.
//
// An Array prints as in NumPy, by %v and %s:
//
//	fmt.Println(a)                               // [[1.  2.5]
//	                                             //  [3.  4. ]]
//
// [Format] does so for every [Source], and reads of a large one no more than what
// is shown.
//
// # gonum
//
// [FromDense] and [FromVecDense] make arrays of gonum values, [Array.Dense] and
// [Array.VecDense] the other way round. All four share memory: a write to one
// side shows on the other. Only a view with gaps, such as a slice of a wider
// matrix, has to be copied by the first two, because an Array has none.
//
// A [Source] reads a value without changing its layout. [Of] makes one of an
// array, a numeric slice, and every gonum matrix and vector: Dense, VecDense,
// SymDense, TriDense, DiagDense, Tridiag, the banded types, CDense, their
// transposes and their strided slices, all from their own memory, and types that
// gonum does not know, through At. What counts are the logical elements: a strided
// view equals its copy, a transpose equals the matrix that is written out, and a
// SymDense equals the Dense with both triangles. A vector is 1-d, a matrix 2-d. A
// transposed vector is a matrix of one row, for a function may well tell v from vᵀ.
//
// [Matrix] goes back from elements to any of gonum's types. Beside the elements it
// wants the word that [Layout] has for the original: which triangle it keeps, or how
// many diagonals.
//
// # Who may write
//
// Nothing here is locked. A Source and an Array read the memory they were made
// of, so that must not be written to while they are hashed, copied or stored;
// otherwise the digest is that of no array. Afterwards the owner may write as
// before. A digest says what the elements were then. Any number of goroutines
// may read one Array or Source at once, except for the Source of a matrix type
// that gonum does not define.
//
// # Digests
//
// [Hash] and [Array.Digest] name an array by 128 bits of its type, shape and
// elements, independent of layout, byte order of the machine, number of cores
// and of how it came to be. The same array in NumPy has the same digest. The
// bytes, which are part of format 1 and do not change:
//
//	elements      in C order, little-endian; a bool is 0 or 1, a complex number
//	              its real part, then its imaginary part
//	chunk         262144 bytes of elements; the last one may be shorter, an
//	              empty array has none
//	chunk digest  XXH64 ‖ XXH3-64 of the chunk, both of seed 0, each as 8 bytes,
//	              big-endian
//	array digest  the first 16 bytes of the SHA-256 of
//	                "numcache/array/1\n"
//	                descr "\n"   "<f8", "|u1", … as in a .npy header
//	                shape "\n"   "()", "(3,)", "(3, 4)", as Python prints it
//	                the chunk digests in order
//
// Bits count, not values: −0.0 differs from 0.0, NaNs with different payloads
// differ, and so do int64 and float64 arrays of equal numbers, or shapes (4,) and
// (4, 1). As the chunks are independent they are hashed on all cores, and a [Table]
// takes them one by one, in any order, as they are read from a file or a network.
// [Chunks] yields what is hashed.
//
// A table can be kept: [Table.Array] gives it as an array of uint64, one row a
// chunk, and [TableOf] takes it back. [Diff] says from two tables alone in which
// blocks of rows two arrays differ, so that only those need be fetched or checked.
//
// The chunk hashes are fast and not cryptographic. Digests tell apart what happens
// to differ; against somebody who constructs collisions they are no defence.
//
// # Limits
//
// An array has at most 64 dimensions, as in NumPy 2, and 64 TiB of elements; a
// larger shape is [ErrShape]. A shape below that which the machine has no memory
// for ends the program, as every allocation in Go does: check shapes that come from
// outside against the data that came with them, as package npy does. There is no
// string and no object type. gonum has no matrix of shape (0, 3), so [Array.Dense]
// refuses one.
//
// [Format] writes what NumPy writes with its default options. One float32 is an
// exception: NumPy 2 takes 0.0001 in an array for not below 0.0001, NumPy 1 and
// Format, which compare with the decimal, give it an exponent.
//
// # Machine and build
//
// On a little-endian machine the memory of an array is what is hashed and stored,
// and nothing is copied. On amd64 both hashes of a chunk of whole kilobytes are made in
// one pass, by AVX-512 on processors of AMD and else by AVX2. The build tag purego does
// without that and package unsafe and copies chunk by chunk, as do big-endian machines;
// digests are the same.
package array
