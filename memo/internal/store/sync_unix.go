//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// syncFolder makes the names in an open folder durable. File systems that do
// not know how answer EINVAL or ENOTSUP.
func syncFolder(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
