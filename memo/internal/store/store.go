// Package store is the seam between memo and the bytes it keeps: a small set of
// operations on named blobs. The directory is its first implementation.
//
// Names are slash-separated relative paths, valid for [io/fs.ValidPath]. A blob
// is never changed once it has its name: it is replaced as a whole, or deleted.
// Nothing above the seam may assume a file system, and no correctness above it
// rests on a rename or a lock: what is read is always verified.
package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"time"
)

// ErrForeign is a name under which something else stands than a blob: a
// symbolic link, a directory, a FIFO, a device.
var ErrForeign = errors.New("not a regular file")

// ErrTooLarge is a blob larger than the caller was ready to read.
var ErrTooLarge = errors.New("larger than expected")

// ErrLocked is a lock that somebody else holds.
var ErrLocked = errors.New("locked by another")

// ErrUnavailable is a store that cannot be had now, or does not allow what is asked
// of it, through no mistake of the program: a server that is down, slow or full, a
// network that is gone, credentials that do not do. It may be there again later.
var ErrUnavailable = errors.New("not available now")

// MaxLock is the largest number of a lock.
const MaxLock = 1<<62 - 1

// MaxAhead is how far the clocks of machines that share a store may be apart.
const MaxAhead = time.Hour

// Pulse is the time between two signs of life of one who holds a lock.
const Pulse = time.Second

// Store keeps named blobs. A missing one is an error that wraps
// [io/fs.ErrNotExist]. All methods may be called from several goroutines.
type Store interface {
	// Get returns the whole blob and its time of modification, [ErrTooLarge]
	// where it has more than limit bytes.
	Get(ctx context.Context, name string, limit int64) (b []byte, modified time.Time, err error)
	// Open returns the blob for reading any range of it.
	Open(ctx context.Context, name string) (Blob, error)
	// Put stores what write writes under name, whole or not at all, in place
	// of what stood there.
	Put(ctx context.Context, name string, o PutOptions, write func(io.Writer) error) error
	// PutIfAbsent is Put where no blob of the given size has the name yet;
	// where one has, it sets its time of modification, unless that is later
	// already, by an hour at most, and does not call write. One that is later still
	// is of a clock that was set back since. A negative size is any. It is a saving,
	// never a lock: two callers may both write. So may one whose blob is to be durable,
	// where the store cannot tell whether what it has is. One that is not to be durable
	// never takes the place of a blob of this size that came while write was called, for
	// that one may be; then written is false too.
	PutIfAbsent(ctx context.Context, name string, size int64, o PutOptions, write func(io.Writer) error) (written bool, err error)
	// Freshen sets a blob's time of modification.
	Freshen(ctx context.Context, name string, modified time.Time) error
	// Stat returns what is known of a blob without reading it.
	Stat(ctx context.Context, name string) (Info, error)
	// List yields the blobs in the folder at prefix and below, by name; at "." all
	// that there are. An error ends it; a missing folder is empty.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete removes a blob. A missing one is no error.
	Delete(ctx context.Context, name string) error
	// Quarantine takes whatever has the name out of the way and keeps it
	// aside for a person to look at.
	Quarantine(ctx context.Context, name string) error
	// Lock returns when the caller alone, among all goroutines and processes
	// that use the store, holds the lock with the given number, [MaxLock] at
	// most. It waits while the holder gives signs of life, one each [Pulse], and
	// gives up with [ErrLocked] when there was none for patience; with patience
	// 0 it does not wait at all. A store without locks, or one that has none
	// now, returns [errors.ErrUnsupported]: locks save work, and nothing may go
	// wrong without them. Close ends the wait with an error. A lock belongs to
	// nobody: any goroutine may unlock, once; after that unlock does nothing.
	Lock(ctx context.Context, number uint64, patience time.Duration) (unlock func(), err error)
	// Sweep removes what writers left behind that died before they gave a blob its
	// name, and returns how many bytes that freed. It leaves alone what one that
	// lives is writing, however long that takes.
	Sweep(ctx context.Context, now time.Time) (freed int64, err error)
	// Close frees what the store holds. Blobs that are open stay readable.
	Close() error
}

// PutOptions say how a blob is stored.
type PutOptions struct {
	// Durable has Put return when a power cut can no longer lose the blob.
	Durable bool
	// Modified is the time of modification that the blob gets, where the store
	// can set one; the zero time is now.
	Modified time.Time
}

// Blob is an open blob. Its content does not change while it is open.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64
	Modified() time.Time
}

// Filer is a [Blob] that is a file of the operating system.
type Filer interface {
	// File hands the blob over as an open file, with a name for its errors. The
	// file takes the blob's place: who closes it need not close the blob.
	File(name string) *os.File
}

// Info describes a blob.
type Info struct {
	Name     string
	Size     int64
	Modified time.Time
}
