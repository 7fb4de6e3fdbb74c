package joblib

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat is a file that is damaged, or no joblib file.
	ErrFormat = errors.New("joblib: not a valid joblib file")
	// ErrRefused is a file that holds more than plain values. The message names it.
	ErrRefused = errors.New("joblib: refused")
	// ErrTooLarge is a compressed file that inflates to more than is read.
	ErrTooLarge = errors.New("joblib: larger than allowed")
)

// Error says which file could not be read.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("joblib: read %s: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}
