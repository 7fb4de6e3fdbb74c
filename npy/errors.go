package npy

import (
	"errors"
	"fmt"
)

// The sentinels of this package; errors wrap them, so test with errors.Is.
var (
	// ErrFormat is a file that is not .npy or .npz, or whose header, length or
	// checksum is wrong.
	ErrFormat = errors.New("npy: not a valid .npy or .npz file")
	// ErrUnsupported is a legal file that the function called will not read:
	// elements of another kind, or Python objects, which would have to be
	// unpickled. It is also text or a header that no file can hold, and a file
	// that cannot be mapped or appended to.
	ErrUnsupported = errors.New("npy: unsupported")
	// ErrLocked is a file that another [Appender] has open.
	ErrLocked = errors.New("npy: the file is open in another Appender")
	// ErrName is a name that an archive's member cannot have, or that another
	// member has.
	ErrName = errors.New("npy: member name")
	// ErrMissing is a member that an archive lacks.
	ErrMissing = errors.New("npy: no such member")
	// ErrTooLarge is a member beyond what [ArchiveOptions] allow.
	ErrTooLarge = errors.New("npy: member too large")
	// ErrType is a Go value that [Dump] cannot store, or that [Load] cannot make
	// of what the file holds.
	ErrType = errors.New("npy: type")
)

// Error says which operation failed on which file.
type Error struct {
	Op   string // "open", "read", "write", "append", "map", "hash", "dump", "load" or "close"
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("npy: %s %s: %v", e.Op, e.Path, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// onFile names the file of a failed operation.
func onFile(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{op, path, err}
}
