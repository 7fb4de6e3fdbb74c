package array

// Uninitialized returns an array of element type d whose elements are whatever
// the memory held before, as NumPy's empty does: for whoever sets all of them
// next, such as a reader of files, and throws the array away where that fails.
// Clearing a large array first costs as much as filling it. It is [Make] for bools,
// for small arrays, and with the build tag purego. Errors are those of Make.
func Uninitialized(d DType, shape ...int) (Any, error) {
	n, err := Elements(shape, d.Size())
	if err != nil {
		return nil, err
	}
	if size := n * d.Size(); size >= minUninitialized && d != Bool {
		if b, ok := uninitialized(size); ok {
			return FromBytes(d, b, shape...)
		}
	}
	return Make(d, shape...)
}

// minUninitialized is the size from which on clearing is worth avoiding. All
// that is larger begins at a page, and so is aligned for every element type.
const minUninitialized = 1 << 16
