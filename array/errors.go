package array

import "errors"

// The sentinels of this package; errors wrap them, so test with errors.Is.
var (
	// ErrShape is a shape with a negative or overflowing extent, a shape
	// that does not fit the data, or an index outside of it.
	ErrShape = errors.New("array: shape")
	// ErrDType is an element type that format 1 does not have, or one other
	// than the call asks for.
	ErrDType = errors.New("array: element type")
	// ErrNil is a nil array, matrix or vector.
	ErrNil = errors.New("array: nil")
	// ErrNotShared is memory that cannot be an array where it lies.
	ErrNotShared = errors.New("array: memory cannot be shared")
	// ErrDigest is text that is not a digest.
	ErrDigest = errors.New("array: digest")
)
