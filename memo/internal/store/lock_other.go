//go:build !linux

package store

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Lock implements [Store]. Locks of an open file description, which processes and
// goroutines share alike, are Linux's.
func (d *Dir) Lock(context.Context, uint64, time.Duration) (unlock func(), err error) {
	return nil, errors.ErrUnsupported
}

// OpenLock implements [Files].
func (f *folder) OpenLock(fs.FileMode) (LockFile, error) { return nil, errors.ErrUnsupported }
